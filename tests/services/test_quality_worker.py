"""The quality worker over a real broker and a real store: killed on the way, and each figure stands once."""

import json
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from sonovan.centre import Centre, start_worker, worker_name
from sonovan.contracts.faults import FaultAlerted
from sonovan.contracts.quality import QualityMeasured
from sonovan.contracts.topics import Topic
from sonovan.deploy.services import kill_one, stop_one
from sonovan.storage.keys import Bucket
from sonovan.storage.minio_store import MinioStore
from sonovan.transport.producer import BoundedProducer
from sonovan.transport.tail import read_all
from tests.command import sonovan
from tests.stream_apps.memory import World
from tests.stream_apps.quality.scene import review, screening, whole
from tests.waiting import until

pytestmark = pytest.mark.services

SETTINGS = {
    "SONOVAN_QUALITY_WINDOW": "4", "SONOVAN_QUALITY_REFERENCE_WINDOWS": "1", "SONOVAN_QUALITY_RATE": "0.5",
}  # fmt: skip
await_true = partial(until, what="the condition came true", deadline_s=90.0)


@pytest.fixture
def watched(centre: Centre) -> Iterator[Centre]:
    """The shared centre with this one app; others write there, so that only what carries its own scanner is read."""
    start_worker(centre, "quality", 1, app_environment=SETTINGS)
    try:
        yield centre
    finally:
        stop_one(centre.state, worker_name("quality", 1))


def send(centre: Centre, first: int, many: int, brightness: float) -> None:
    """Screenings as `segment` and `assess` send them, one a day."""
    with BoundedProducer(centre.kafka()) as producer:
        sent = [
            producer.send(topic, screening(number).encode(), record.encode())
            for number in range(3 * first, 3 * (first + many), 3)
            for topic, record in whole(number, brightness=brightness + number % 7)
        ]
        for each in sent:
            each.result(30)


def measured(centre: Centre) -> list[QualityMeasured]:
    """Every figure of this test's scanner in the topic, each content once."""
    values = dict.fromkeys(message.value for message in read_all(centre.kafka("reader"), Topic.QUALITY_MEASURED))
    records = [QualityMeasured.decode(value) for value in values if value is not None]
    return [record for record in records if record.stratum.manufacturer == "mindray"]


def windows(centre: Centre) -> list[int]:
    """The numbers of the windows that were told of."""
    return [each.window.number for each in measured(centre) if each.window]


def faults(centre: Centre) -> list[str]:
    """What became of drifts."""
    values = [message.value for message in read_all(centre.kafka("reader"), Topic.FAULT_ALERTED)]
    found = [FaultAlerted.decode(value) for value in values if value is not None]
    return [fault.state for fault in found if fault.fault == "drift"]


def test_a_drift_is_found_through_a_kill_and_a_blind_review_is_measured_from_the_stored_masks(
    watched: Centre, tmp_path: Path
) -> None:
    centre = watched
    send(centre, 0, 6, 100.0)
    await_true(lambda: windows(centre) == [1])
    kill_one(centre.state, worker_name("quality", 1))
    send(centre, 6, 6, 160.0)
    start_worker(centre, "quality", 1, app_environment=SETTINGS)
    await_true(lambda: windows(centre) == [1, 2, 3])
    assert faults(centre)[-1] == "raised"

    world = World()
    drawn = review(world, 3, drawn=10, found=5)
    store = MinioStore(centre.store())
    for (_, key), data in world.store.objects.items():
        store.put(Bucket.MASKS, key, data, "image/png")
    with BoundedProducer(centre.kafka()) as producer:
        producer.send(Topic.FRAME_REVIEWED, screening(3).encode(), drawn.encode()).result(30)
    await_true(lambda: any(each.agreement for each in measured(centre)))
    (found,) = [each.agreement for each in measured(centre) if each.agreement and each.stratum.level == "scanner"]
    assert found.dice == pytest.approx(2 / 3, abs=1e-4)

    page = tmp_path / "quality.html"
    told = sonovan("quality", "report", "--out", str(page), "--json", environment={"SONOVAN_STATE": str(centre.path)})
    assert told.returncode == 0, told.stderr
    assert (json.loads(told.stdout)["drifting"], json.loads(told.stdout)["agreements"]) == (1, 4)
    assert re.search(r"drifted: Brightness", page.read_text()) is not None
