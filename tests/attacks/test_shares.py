"""A wrong release stops before all lies in quarantine; one hostile van stops nothing and fills only its share."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sonovan.contracts.answers import RecordRejected
from sonovan.contracts.errors import Fatal
from sonovan.contracts.ids import mint_id
from sonovan.contracts.signatures import generate_key
from sonovan.contracts.topics import Topic
from sonovan.storage.keys import Bucket
from sonovan.stream_apps.quarantine import QuarantineQuota
from sonovan.stream_apps.segment.settings import SegmentSettings
from sonovan.stream_apps.segment.stage import segment_stage
from sonovan.stream_apps.shares import CENTRE, LAST, LATELY_S, LEAST, RejectedShare
from tests.stream_apps.memory import Run, World
from tests.stream_apps.segment.frames import TestVan
from tests.stream_apps.segment.threshold import ThresholdSegmenter

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)


def share(enrolled: int = 100, clock: list[float] | None = None) -> RejectedShare:
    moment = clock or [0.0]
    return RejectedShare("segment", 0.5, 3, lambda: enrolled, lambda: moment[0])


def stops(watched: RejectedShare, vans: int, times: int = LAST, reason: str = "record_invalid") -> bool:
    """Whether it stops while so many vans have records rejected in turn."""
    try:
        for _ in range(times):
            for number in range(vans):
                watched.rejected(f"van-{number}", reason)
    except Fatal as error:
        assert "segment rejects too much" in str(error)  # noqa: PT017
        return True
    return False


def test_a_release_that_rejects_what_vans_send_stops_the_stage() -> None:
    assert stops(share(), vans=3)
    assert stops(share(), vans=50)


@pytest.mark.parametrize("hostile", [1, 2])
def test_one_hostile_van_or_two_stop_nothing_however_much_they_send(hostile: int) -> None:
    assert not stops(share(), vans=hostile, times=1000)


def test_more_hostile_vans_stop_nothing_while_more_honest_ones_are_heard() -> None:
    watched = share()
    for number in range(10, 17):
        watched.used(f"van-{number}")
    assert not stops(watched, vans=7, times=100)
    assert stops(watched, vans=8)


def test_vans_that_fell_silent_outvote_nobody() -> None:
    clock = [0.0]
    watched = share(clock=clock)
    for number in range(10, 30):
        watched.used(f"van-{number}")
    clock[0] = LATELY_S + 1
    assert stops(watched, vans=3)


def test_a_centre_of_one_van_is_stopped_by_that_van() -> None:
    assert stops(share(enrolled=1), vans=1)
    assert not stops(share(enrolled=1), vans=1, times=LEAST - 1)


def test_what_a_van_did_and_what_an_upgrade_mends_does_not_count() -> None:
    for reason in ("schema_from_future", "van_not_opener", "frame_contradicts_stored", "screening_too_large"):
        assert not stops(share(), vans=10, reason=reason)


def test_what_other_stages_send_must_be_readable() -> None:
    watched = share()
    for _ in range(LAST):
        watched.used("van-1")
    for _ in range(LEAST - 1):
        watched.rejected(CENTRE, "record_invalid")
    with pytest.raises(Fatal, match="other stages"):
        watched.rejected(CENTRE, "record_invalid")


def test_a_van_uses_up_its_own_share_of_quarantine_and_nobody_elses(tmp_path: Path) -> None:
    path = tmp_path / "segment-1" / "quarantine.json"
    quota = QuarantineQuota(path, 100)
    assert quota.keeps("van-1", 60, NOW)
    assert not quota.keeps("van-1", 60, NOW)
    assert quota.keeps("van-1", 40, NOW)
    assert quota.keeps("van-2", 100, NOW)
    assert quota.keeps(None, 100, NOW)
    assert not quota.keeps(None, 1, NOW)


def test_a_restart_gives_no_new_share_and_a_new_day_does(tmp_path: Path) -> None:
    path = tmp_path / "quarantine.json"
    assert QuarantineQuota(path, 100).keeps("van-1", 100, NOW)
    assert not QuarantineQuota(path, 100).keeps("van-1", 1, NOW)
    assert QuarantineQuota(path, 100).keeps("van-1", 1, NOW + timedelta(days=1))


def test_a_count_that_a_crash_cut_short_stops_no_worker(tmp_path: Path) -> None:
    path = tmp_path / "quarantine.json"
    for text in ("", "{", "[]", '{"day": 3}'):
        path.write_text(text)
        assert QuarantineQuota(path, 100).keeps("van-1", 100, NOW)


def run(world: World, quota: QuarantineQuota, shares: RejectedShare) -> None:
    """A segment worker over everything in the world."""

    async def live() -> None:
        worker = Run(
            world,
            lambda world, _tables: segment_stage(
                ThresholdSegmenter(), world.registry, world.store, SegmentSettings(in_flight=1)
            ),
            quota=quota,
            shares=shares,
        )
        try:
            await worker.take(world.open_messages())
        finally:
            await worker.end()

    asyncio.run(live())


def test_beyond_its_share_the_record_of_a_rejection_remains_and_says_so(tmp_path: Path) -> None:
    van, world = TestVan(screening_id=mint_id(), sequence_id=mint_id(), private_key=generate_key()), World()
    world.registry.learn(van.enrolled())
    for index in range(3):
        world.append(Topic.FRAME_CAPTURED, van.frame(index), b"another key")
    size = len(van.frame(0))
    run(world, QuarantineQuota(tmp_path / "quarantine.json", 2 * size + size // 2), share())
    rejections = [RecordRejected.decode(value) for topic, _, value in world.sent if topic == Topic.RECORD_REJECTED]
    assert [each.kept for each in rejections] == [True, True, False]
    kept = {key for bucket, key in world.store.objects if bucket == Bucket.QUARANTINE}
    assert kept == {each.quarantine_key for each in rejections if each.kept}
    assert len(world.acknowledged) == 3


def test_a_worker_counts_what_it_rejects_and_what_it_can_use(tmp_path: Path) -> None:
    """A share stops nothing that no worker counts: here all frames of three vans have other pixels than were signed."""
    vans, world = [TestVan(f"van-{name}") for name in "abc"], World()
    for van in vans:
        world.registry.learn(van.enrolled())
    for index in range(LEAST):
        for van in vans:
            wrong = van.frame(index, pixels_sha256="ab" * 32)
            world.append(Topic.FRAME_CAPTURED, wrong, van.sequence_id.encode())
    with pytest.raises(Fatal, match="segment rejects too much"):
        run(world, QuarantineQuota(tmp_path / "quarantine.json", 2**30), share())
    used = World()
    used.registry = world.registry
    for index in range(LEAST):
        for van in vans:
            used.append(Topic.FRAME_CAPTURED, van.frame(index), van.sequence_id.encode())
    watched = share()
    run(used, QuarantineQuota(tmp_path / "used.json", 2**30), watched)
    assert not stops(watched, vans=3), "three of six vans are no more than half"
