"""A message that ends a worker at every start: an operator lets the worker pass it, and it is kept and named."""

import asyncio

import pytest

from sonovan.contracts.answers import RecordRejected, VanAnswered
from sonovan.contracts.ids import mint_id
from sonovan.contracts.signatures import generate_key
from sonovan.contracts.topics import Topic, van_answered_topic
from sonovan.storage.keys import Bucket
from sonovan.stream_apps.segment.settings import SegmentSettings
from sonovan.stream_apps.segment.stage import segment_stage
from sonovan.stream_apps.skipping import Passed
from sonovan.stream_apps.stage import Stage
from tests.stream_apps.memory import MemoryTables, Run, World
from tests.stream_apps.segment.frames import TestVan
from tests.stream_apps.segment.threshold import ThresholdSegmenter


class Poisoned(ThresholdSegmenter):
    """A network that a certain frame breaks, as none of the project's errors."""

    calls = 0

    def segment(self, *arguments: object, **options: object):  # type: ignore[no-untyped-def, override]
        self.calls += 1
        if self.calls == 1:
            raise MemoryError("a frame of its own kind")
        return super().segment(*arguments, **options)  # type: ignore[arg-type]


def world_of(van: TestVan) -> World:
    """Two frames of one van, of which the first is poison."""
    world = World()
    world.registry.learn(van.enrolled())
    for index in range(2):
        world.append(Topic.FRAME_CAPTURED, van.frame(index), van.sequence_id.encode())
    return world


def run(world: World, skips: Passed = frozenset()) -> None:
    """One worker's life, to the end of what there is."""

    def open_stage(world: World, _tables: MemoryTables) -> Stage:
        network = ThresholdSegmenter() if skips else Poisoned()
        return segment_stage(network, world.registry, world.store, SegmentSettings(in_flight=1))

    async def live() -> None:
        worker = Run(world, open_stage, skips=skips)
        try:
            await worker.take(world.open_messages())
        finally:
            await worker.end()

    asyncio.run(live())


def test_a_worker_that_a_message_ends_passes_it_and_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    van = TestVan(screening_id=mint_id(), sequence_id=mint_id(), private_key=generate_key())
    world = world_of(van)
    for _ in range(2):
        with pytest.raises(MemoryError):
            run(world)
    assert "sonovan skip segment frame.captured.v1 0 0 --why" in caplog.text
    assert not world.acknowledged

    run(world, frozenset({(Topic.FRAME_CAPTURED.value, 0, 0)}))
    assert len(world.acknowledged) == 2
    (rejection,) = [RecordRejected.decode(value) for topic, _, value in world.sent if topic == Topic.RECORD_REJECTED]
    assert (rejection.reason, rejection.retryable, rejection.verified) == ("skipped_by_operator", False, True)
    assert world.store.objects[Bucket.QUARANTINE, rejection.quarantine_key] == van.frame(0)
    answers = [
        VanAnswered.decode(value) for topic, _, value in world.sent if topic == van_answered_topic(van.van_id).name
    ]
    assert [(answer.kind, answer.reason) for answer in answers] == [
        ("rejected", "skipped_by_operator"),
        ("stored", None),
    ]
    assert sum(topic == Topic.FRAME_SEGMENTED for topic, _, _ in world.sent) == 1


def test_whose_signature_does_not_hold_is_passed_without_an_answer() -> None:
    van = TestVan(screening_id=mint_id(), sequence_id=mint_id(), private_key=generate_key())
    world = World()
    world.registry.learn(van.enrolled())
    forged = TestVan(screening_id=van.screening_id, sequence_id=van.sequence_id, private_key=generate_key())
    world.append(Topic.FRAME_CAPTURED, forged.frame(0), van.sequence_id.encode())
    run(world, frozenset({(Topic.FRAME_CAPTURED.value, 0, 0)}))
    (rejection,) = [RecordRejected.decode(value) for topic, _, value in world.sent if topic == Topic.RECORD_REJECTED]
    assert (rejection.reason, rejection.verified, rejection.van_id) == ("skipped_by_operator", False, None)
    assert [topic for topic, _, _ in world.sent] == [Topic.RECORD_REJECTED]
