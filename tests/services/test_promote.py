"""`sonovan models promote` against a real broker and a real worker of `assess`, which is killed meanwhile."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from sonovan.centre import Centre, down, start_worker, up, worker_name
from sonovan.contracts.frames import FrameSegmented
from sonovan.contracts.results import ScreeningAssessed
from sonovan.contracts.signatures import public_key
from sonovan.contracts.topics import TOPICS, Topic
from sonovan.contracts.van import VanEnrolled
from sonovan.deploy.services import kill_one, stop_one
from sonovan.models.registry import read_registry
from sonovan.transport.producer import BoundedProducer
from sonovan.transport.tail import read_all
from tests.command import Told, sonovan
from tests.models.tiny_onnx import MODEL_ID, write_weights
from tests.stream_apps.assess.scene import EPOCH, Desk, Scene
from tests.stream_apps.assess.test_promoted import again
from tests.stream_apps.assess.test_reviewed import larger
from tests.waiting import until

pytestmark = pytest.mark.services

await_true = partial(until, what="the condition came true", deadline_s=180.0)


@pytest.fixture(scope="module")
def centre(service_tools: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Centre]:
    """A centre of its own: in the shared one `assess` would wait for every van that other tests never enrolled."""
    path = tmp_path_factory.mktemp("promoted") / "state"
    try:
        yield up(path, apps=())
    finally:
        down(path)


@pytest.fixture
def assessing(centre: Centre) -> Iterator[Centre]:
    """The shared centre with a worker of `assess`."""
    start_worker(centre, "assess", 1)
    try:
        yield centre
    finally:
        stop_one(centre.state, worker_name("assess", 1))


def send(centre: Centre, scene: Scene, *said: tuple[Topic, object]) -> None:
    desk = Desk(scene)
    with BoundedProducer(centre.kafka()) as producer:
        for topic, record in said:
            message = desk.message_of((topic, record))  # type: ignore[arg-type]
            producer.send(topic, message.key, message.value).result(30)


def revisions(centre: Centre, scene: Scene) -> list[ScreeningAssessed]:
    found = [message.readable() for message in read_all(centre.kafka("reader"), Topic.SCREENING_ASSESSED)]
    return [each for each in found if isinstance(each, ScreeningAssessed) and each.screening_id == scene.screening_id]


def test_a_replayed_screening_is_promoted_whole_and_once_although_assess_dies_and_then_corrected(
    assessing: Centre, tmp_path: Path
) -> None:
    centre, scene, folder = assessing, Scene(12, lesion=range(4, 9)), write_weights(tmp_path)
    scene.van_id = "van-promoted"
    network = read_registry(folder).entry(MODEL_ID).fingerprint
    centre.enrol_van(scene.van_id)
    enrolled = VanEnrolled.first(scene.van_id, public_key(scene.private), EPOCH)
    with BoundedProducer(centre.kafka("registrar")) as producer:
        producer.send(Topic.VAN_ENROLLED, scene.van_id.encode(), enrolled.encode()).result(30)
    send(centre, scene, *scene.everything())
    await_true(lambda: [each.status for each in revisions(centre, scene)][-1:] == ["complete"])

    def promote(*more: str) -> Told:
        words = ("--model", MODEL_ID, "--by", "op-7", "--weights-dir", str(folder), "--state", str(centre.path))
        return sonovan("models", "promote", scene.screening_id, *words, *more)

    *most, last = [(Topic.FRAME_REPLAYED, result) for _, result in again(scene, network)]
    send(centre, scene, *most)
    told = promote()
    assert (told.returncode, told.stdout) == (3, "left out: 1 frames_not_replayed\n")
    send(centre, scene, last)
    kill_one(centre.state, worker_name("assess", 1))
    told = promote("--wait-s", "0")
    assert (told.returncode, "1 screenings have no such revision after 0 s" in told.stderr) == (4, True)
    told = promote("--wait-s", "0")
    assert "0 results of 1 screenings published" in told.stderr, "what was published is not published again"
    start_worker(centre, "assess", 1)
    await_true(lambda: revisions(centre, scene)[-1].fingerprint == network)
    before, after = revisions(centre, scene)[-2:]
    assert (after.revision_number, after.status) == (before.revision_number + 1, "complete")
    assert after.promoted is not None
    assert (after.promoted.by, after.promoted.instead_of) == ("op-7", before.fingerprint)
    assert [each.finding_id for each in after.findings] == [each.finding_id for each in before.findings]
    told = promote()
    assert (told.returncode, told.stdout) == (3, "left out: 1 of_this_network_already\n")
    results = [message.readable() for message in read_all(centre.kafka("reader"), Topic.FRAME_SEGMENTED)]
    again_there = [each for each in results if isinstance(each, FrameSegmented) and each.fingerprint == network]
    assert sorted(each.frame_index for each in again_there) == list(range(12))
    promotions = read_all(centre.kafka("reader"), TOPICS[Topic.SCREENING_PROMOTED].name)
    assert len([each for each in promotions if each.key == scene.screening_id.encode()]) == 1
    send(centre, scene, scene.reviewed(6, 1, [larger(scene, 6)]))
    await_true(lambda: len(revisions(centre, scene)[-1].reviewed) == 1)
    reviewed = revisions(centre, scene)[-1]
    assert (reviewed.revision_number, reviewed.fingerprint) == (after.revision_number + 1, network)
    assert [each.best.reader_frames for each in reviewed.findings] == [(6,)]


def test_what_cannot_be_asked_is_said(centre: Centre, tmp_path: Path) -> None:
    words = ("--model", MODEL_ID, "--weights-dir", str(write_weights(tmp_path)), "--state", str(centre.path))
    for more, told in (
        (("--by", "op-7"), "say which SCREENINGs, or --from"),
        (("--by", "Doctor Wang", "--from", "2026-03-01"), "'Doctor Wang' is no code such as op-7"),
        (("--by", "op-7", "--from", "2026-03-01", "--because", "better"), "'better' is none of network_replaced"),
        (("--by", "op-7", "her"), "'her' is no screening's id"),
    ):
        refused = sonovan("models", "promote", *words, *more)
        assert (refused.returncode, told in refused.stderr) == (2, True), refused.stderr
