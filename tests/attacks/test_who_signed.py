"""Whose key signed it decides what is believed, and who is answered."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from sonovan.contracts.answers import RecordRejected, VanAnswered
from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.signatures import public_key
from sonovan.contracts.topics import Topic
from sonovan.contracts.van import VanEnrolled
from sonovan.producers.items import Item, Signer
from sonovan.producers.spool import Spool
from sonovan.stream_apps.assess.received import receive
from sonovan.stream_apps.rejecting import Coordinates, Rejection, reject
from sonovan.stream_apps.segment.settings import SegmentSettings
from sonovan.stream_apps.segment.stage import segment_stage
from sonovan.stream_apps.segment.step import SegmentedFrame, segment_envelope
from sonovan.stream_apps.vans import VanRegistry
from tests.producers.visits import SIGNER, VISIT, vault_at
from tests.stream_apps.assess.scene import Desk, Scene
from tests.stream_apps.memory import Run, Vans, World
from tests.stream_apps.segment.frames import NOW, TestVan
from tests.stream_apps.segment.threshold import ThresholdSegmenter

AT = Coordinates(Topic.FRAME_CAPTURED, 0, 7, NOW)
REVOKED = NOW + timedelta(minutes=1)


def registry_of(*vans: VanEnrolled) -> VanRegistry:
    registry = VanRegistry()
    for van in vans:
        registry.learn(van)
    return registry


def segmented(envelope: bytes, registry: VanRegistry, at: Coordinates = AT) -> SegmentedFrame:
    return segment_envelope(envelope, append_time=at.appended_at, registry=registry, segmenter=ThresholdSegmenter())


def rejected(envelope: bytes, registry: VanRegistry, at: Coordinates = AT) -> Rejection:
    with pytest.raises(InvalidRecord) as caught:
        segmented(envelope, registry, at)
    return reject("segment", caught.value, at, envelope)


def renewed(van: TestVan) -> tuple[TestVan, VanEnrolled]:
    """The van with a second key, after its first one was revoked, and all that the compacted topic keeps of it."""
    other = TestVan(van.van_id, screening_id=van.screening_id, sequence_id=van.sequence_id)
    record = van.enrolled(revoked_at=REVOKED).renewed(public_key(other.private_key), REVOKED + timedelta(minutes=1))
    return other, VanEnrolled.decode(record.encode())


def test_what_was_taken_in_before_a_van_got_another_key_is_read_as_it_was_signed() -> None:
    """Eight of eight frames were `signature_invalid`, for good, and `spool purge` deleted them on the van."""
    van = TestVan()
    frames = [van.frame(index) for index in range(8)]
    _, record = renewed(van)
    registry = registry_of(record)
    assert [segmented(frame, registry).receipt.kind for frame in frames] == ["stored"] * 8


def test_a_revoked_key_opens_nothing_that_comes_later() -> None:
    van = TestVan()
    _, record = renewed(van)
    late = Coordinates(Topic.FRAME_CAPTURED, 0, 8, REVOKED)
    assert rejected(van.frame(0), registry_of(record), late).record.reason == "van_revoked"


def test_what_an_earlier_key_signed_stays_on_the_van_and_is_signed_again(tmp_path: Path) -> None:
    van = TestVan()
    other, record = renewed(van)
    registry, late = registry_of(record), Coordinates(Topic.FRAME_CAPTURED, 0, 8, REVOKED)
    value = van.frame(0)
    item = _item(van, value)
    with Spool(tmp_path, vault_at(tmp_path)) as spool:
        spool.open_screening(VISIT, SIGNER, screening_id=van.screening_id)
        spool.put(item)
        receipt = rejected(value, registry, late).receipt
        assert receipt is not None
        assert spool.take_answer(receipt, 0, 1)
        assert spool.purge() == 0
        assert spool.retry(Signer(van.van_id, other.private_key).sign_again) == 1
        message = spool.load(item.item_id)
        assert message is not None
        assert segmented(message.value, registry, late).receipt.content_sha256 == item.content_sha256


def run(world: World, vans: Vans | None = None) -> None:
    """Take everything that stands in the world through `segment`."""

    async def live() -> None:
        settings = SegmentSettings()
        stage = segment_stage(ThresholdSegmenter(), world.registry, world.store, settings)
        worker = Run(world, lambda _world, _tables: stage, vans)
        await worker.take(world.open_messages())
        await worker.end()

    asyncio.run(live())


def answered(world: World) -> list[VanAnswered]:
    return [VanAnswered.decode(value) for topic, _, value in world.sent if topic.startswith("van.answered")]


@pytest.mark.parametrize("thief", [TestVan("van-b"), TestVan("van-nobody")], ids=lambda van: van.van_id)
def test_no_van_has_segment_write_into_the_answers_of_another(thief: TestVan) -> None:
    """The topic of a rejection's receipt came from a header that nobody had verified."""
    victim, world = TestVan(), World()
    for van in (victim, TestVan("van-b")):
        world.registry.learn(van.enrolled())
    forged = TestVan(victim.van_id, thief.private_key, victim.screening_id, victim.sequence_id)
    world.append(Topic.FRAME_CAPTURED, forged.frame(0), victim.sequence_id.encode())
    run(world)
    (rejection,) = (RecordRejected.decode(value) for topic, _, value in world.sent if topic == Topic.RECORD_REJECTED)
    assert (rejection.reason, rejection.verified, rejection.retryable) == ("signature_invalid", False, True)
    assert answered(world) == []


def test_nor_has_it_assess_do_so() -> None:
    scene = Scene(frames=1)
    desk = Desk(scene)
    message = desk.message_of(scene.opened(), private=TestVan().private_key)
    with pytest.raises(InvalidRecord) as caught:
        receive(message, desk.registry.verify)
    rejection = reject("assess", caught.value, message.at, message.value)
    assert (rejection.record.reason, rejection.record.van_id) == ("signature_invalid", scene.van_id)
    assert rejection.receipt is None


def test_a_worker_whose_registry_is_behind_waits_for_the_new_key() -> None:
    van, world = TestVan(), World(now=REVOKED + timedelta(hours=1))
    other, record = renewed(van)
    world.registry.learn(van.enrolled(revoked_at=REVOKED))
    world.append(Topic.FRAME_CAPTURED, other.frame(0), van.sequence_id.encode())
    vans = Vans(world.registry, lambda _: world.registry.learn(record))
    run(world, vans)
    assert len(vans.waits) == 1
    assert [each.kind for each in answered(world)] == ["stored"]


def _item(van: TestVan, value: bytes) -> Item:
    frame = segmented(value, van.registry()).record
    return Item(
        frame.frame_id, Topic.FRAME_CAPTURED, b"key", value, frame.pixels_sha256, van.screening_id, van.sequence_id, 0
    )
