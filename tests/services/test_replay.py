"""`sonovan replay` against a real broker and a real MinIO: every stored frame once, however often it is cut off."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sonovan.centre import Centre
from sonovan.contracts.erasures import ScreeningErased
from sonovan.contracts.errors import Transient
from sonovan.contracts.frames import FrameSegmented
from sonovan.contracts.topics import Topic
from sonovan.replay import BATCH, Replayed, Span, replay
from sonovan.storage.frames import stored_frame
from sonovan.storage.keys import Bucket
from sonovan.storage.minio_store import MinioStore
from sonovan.stream_apps.segment.step import put_objects, segment_envelope
from sonovan.transport.producer import BoundedProducer
from sonovan.transport.tail import read_all
from tests.command import sonovan
from tests.stream_apps.segment.frames import NOW, TestVan
from tests.stream_apps.segment.threshold import ThresholdSegmenter

pytestmark = pytest.mark.services

FRAMES = BATCH + 20
LIVE = ThresholdSegmenter()


@dataclass
class Candidate:
    """Another network: the same outlines under another name, and a cut after so many frames."""

    live: ThresholdSegmenter
    fingerprint: str = "c" * 64
    weights_sha256: str = "d" * 64
    model_id: str = "candidate-1"
    cut_after: int | None = None

    @property
    def provider(self) -> str:
        return self.live.provider

    def segment(self, *given: object) -> object:
        if self.cut_after is not None:
            self.cut_after -= 1
            if self.cut_after < 0:
                raise Transient("cut")
        return self.live.segment(*given)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def sent(centre: Centre) -> tuple[list[FrameSegmented], TestVan, datetime]:
    """Frames that are stored, with their results in the topic: of one screening, and of one that is erased."""
    since = datetime.now(UTC) - timedelta(seconds=1)
    hers, gone = TestVan(van_id="van-replayed"), TestVan(van_id="van-replayed")
    store, results = MinioStore(centre.store("segment")), list[FrameSegmented]()
    with BoundedProducer(centre.kafka()) as producer:
        for van, count in ((hers, FRAMES), (gone, 5)):
            for index in range(count):
                frame = segment_envelope(van.frame(index), append_time=NOW, registry=van.registry(), segmenter=LIVE)
                put_objects(store, frame)
                results.append(frame.record)
                key = frame.record.screening_id.encode()
                producer.send(Topic.FRAME_SEGMENTED, key, frame.record.encode()).result(30)
        asked = ScreeningErased(screening_id=gone.screening_id, because="she_asked", by="op-7", erased_at=NOW)
        producer.send(Topic.SCREENING_ERASED, gone.screening_id.encode(), asked.encode()).result(30)
    return [each for each in results if each.screening_id == hers.screening_id], gone, since


def shadows(centre: Centre) -> list[FrameSegmented]:
    found = [message.decode() for message in read_all(centre.kafka("console"), Topic.FRAME_REPLAYED)]
    return [each for each in found if isinstance(each, FrameSegmented)]


def run(centre: Centre, candidate: Candidate, since: datetime, state: Path) -> Replayed:
    store = MinioStore(centre.store("console"))
    return replay(centre.kafka("console"), store, candidate, Span(since), state, lambda _: None)  # type: ignore[arg-type]


def test_a_replay_that_was_cut_off_ends_in_what_one_that_was_not_would(
    centre: Centre, sent: tuple[list[FrameSegmented], TestVan, datetime], tmp_path: Path
) -> None:
    live, gone, since = sent
    for cut_after in (0, 3, 7, 1, BATCH + 4, 2, 5, 11, 0, 9):
        with pytest.raises(Transient, match="cut"):
            run(centre, Candidate(LIVE, cut_after=cut_after), since, tmp_path)
    done = run(centre, Candidate(LIVE), since, tmp_path)
    assert (done.frames, done.left_out) == (FRAMES, {"screening_erased": 5})
    found = {each.frame_id: each for each in shadows(centre)}
    assert found.keys() == {each.frame_id for each in live}
    assert gone.sequence_id not in {each.sequence_id for each in found.values()}
    store = MinioStore(centre.store("reader"))
    for before in live:
        after = found[before.frame_id]
        assert (after.model_id, after.fingerprint) == ("candidate-1", "c" * 64)
        assert after.mask_key is not None
        assert after.mask_key.startswith("shadow/van-replayed/")
        assert (stored_frame(store, after).labels() == stored_frame(store, before).labels()).all()
        told = {"timings_ms", "mask_key", "model_id", "fingerprint", "weights_sha256"}
        assert after.model_dump(exclude=told) == before.model_dump(exclude=told)
    twice = Counter(each.encode() for each in (replace_timings(each) for each in shadows(centre)))
    assert len(twice) == FRAMES, "what was sent again after a cut is the same"
    assert run(centre, Candidate(LIVE), since, tmp_path).frames == FRAMES, "nothing is left to do"


def replace_timings(record: FrameSegmented) -> FrameSegmented:
    return record.model_copy(update={"timings_ms": {}})


def test_frames_of_the_network_itself_and_frames_that_are_gone_are_left_out(
    centre: Centre, sent: tuple[list[FrameSegmented], TestVan, datetime], tmp_path: Path
) -> None:
    live, _, since = sent
    own = run(centre, Candidate(LIVE, fingerprint=LIVE.fingerprint), since, tmp_path)
    assert own.left_out == {"screening_erased": 5, "of_this_network_already": FRAMES}
    MinioStore(centre.store("catalog")).delete(Bucket.FRAMES, live[3].image_key)
    rest = run(centre, Candidate(LIVE, fingerprint="e" * 64), since, tmp_path)
    assert (rest.frames, rest.left_out["frame_not_stored"]) == (FRAMES - 1, 1)


def test_the_command_replays_a_span_notes_it_and_refuses_what_it_cannot_read(
    centre: Centre, sent: tuple[list[FrameSegmented], TestVan, datetime]
) -> None:
    place = ("--state", str(centre.path))
    refused = sonovan("replay", "--from", "yesterday", "--model", "lite2-unet-3", *place)
    assert (refused.returncode, "'yesterday' is no time such as" in refused.stderr) == (2, True)
    backwards = sonovan("replay", "--from", "2026-03-02", "--to", "2026-03-01", "--model", "lite2-unet-3", *place)
    assert (backwards.returncode, "--to is not after --from" in backwards.stderr) == (2, True)
    unknown = sonovan("replay", "--from", "2026-03-01", "--to", "2026-03-02", "--model", "nobodys", *place)
    assert (unknown.returncode, "no network is called nobodys" in unknown.stderr) == (2, True)
    nothing = sonovan("models", "shadow", "--from", "2026-03-01", "--model", "lite2-unet-3", *place)
    assert (nothing.returncode, "was replayed through lite2-unet-3" in nothing.stderr) == (2, True)
