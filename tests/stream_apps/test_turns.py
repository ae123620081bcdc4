"""Vans take turns in `segment`: what one has waiting does not keep the others' frames, and nothing of it is lost."""

import asyncio
from collections.abc import Sequence
from functools import partial

from hypothesis import given
from hypothesis import strategies as st

from sonovan.contracts.answers import RecordRejected
from sonovan.contracts.frames import FrameSegmented
from sonovan.contracts.topics import Topic
from sonovan.stream_apps.deferring import Deferred, headers_of, restored
from sonovan.stream_apps.in_flight import Turn
from sonovan.stream_apps.rejecting import Coordinates
from sonovan.stream_apps.segment.settings import SegmentSettings
from sonovan.stream_apps.segment.stage import READS, segment_stage
from sonovan.stream_apps.stage import Message, Stage
from sonovan.stream_apps.turns import Turns
from tests.stream_apps.cases import records_sent
from tests.stream_apps.memory import START, Delivered, MemoryTables, Run, World
from tests.stream_apps.segment.frames import TestVan
from tests.stream_apps.segment.threshold import ThresholdSegmenter
from tests.waiting import comes_true

SETTINGS = SegmentSettings(in_flight=2, compute_threads=1, waiting_each=4)
WITHIN_S = 30.0


def segment(world: World, _tables: MemoryTables) -> Stage:
    return segment_stage(ThresholdSegmenter(), world.registry, world.store, SETTINGS)


def frames(world: World, van: TestVan, indices: Sequence[int]) -> list[Message]:
    key = van.sequence_id.encode()
    return [world.append(Topic.FRAME_CAPTURED, van.frame(index), key) for index in indices]


def enrolled(*names: str) -> tuple[World, list[TestVan]]:
    world, vans = World(), [TestVan(name) for name in names]
    for van in vans:
        world.registry.learn(van.enrolled())
    return world, vans


def sent(world: World, topic: Topic) -> list[str]:
    """The van of each record, in their order."""
    return [
        key.decode() if topic is Topic.FRAME_DEFERRED else FrameSegmented.decode(value).van_id
        for name, key, value in world.sent
        if name == topic
    ]


def test_a_frame_behind_a_flood_of_another_van_in_its_own_partition_has_its_turn_next() -> None:
    world, (flooding, honest) = enrolled("van-a", "van-b")
    world.gate.clear()

    async def through() -> None:
        worker = Run(world, segment)
        flood = frames(world, flooding, range(40))
        (last,) = frames(world, honest, [0])
        for message in (*flood, last):
            await worker.handling.take(Delivered(world, message), message)
        await comes_true(lambda: len(sent(world, Topic.FRAME_DEFERRED)) == 40 - 2 - 4, WITHIN_S)
        assert world.acknowledged == set()  # all of it stands behind two frames that are not stored yet
        world.gate.set()
        await comes_true(lambda: len(world.acknowledged) == 41, WITHIN_S)
        await worker.end()

    asyncio.run(asyncio.wait_for(through(), WITHIN_S))
    assert "van-b" in sent(world, Topic.FRAME_SEGMENTED)[:4]
    assert world.order == sorted(world.order)


def test_what_was_deferred_comes_back_as_if_it_had_never_been() -> None:
    """Its results, its receipts, and what is said of a frame that cannot be used: those of a van that is alone."""
    said = list[set[tuple[str, bytes, bytes]]]()
    van = TestVan("van-a", private_key=bytes(range(32)))
    for others in ([], ["van-b"]):
        world, _ = enrolled(*others)
        world.registry.learn(van.enrolled())
        asyncio.run(asyncio.wait_for(flooded(world, van, deferred=12 - 2 - 4 if others else 0), WITHIN_S))
        said.append({each for each in records_sent(world) if each[0] != Topic.FRAME_DEFERRED})
        assert len(world.acknowledged) == 12
    assert said[0] == said[1]
    assert {RecordRejected.decode(value).offset for topic, _, value in said[0] if topic == Topic.RECORD_REJECTED} == {9}


async def flooded(world: World, van: TestVan, deferred: int) -> None:
    """Twelve frames of a van at once, the tenth without consent; what is deferred is read back."""
    world.gate.clear()
    worker = Run(world, segment)
    key = van.sequence_id.encode()
    for index in range(12):
        refused = {"consent": {"screening": True, "ai": False}} if index == 9 else {}
        world.append(Topic.FRAME_CAPTURED, van.frame(index, **refused), key)
    taking = asyncio.ensure_future(take_all(worker, world))
    await comes_true(lambda: world.held == 2 and len(sent(world, Topic.FRAME_DEFERRED)) == deferred, WITHIN_S)
    world.gate.set()
    await taking
    back = list[Deferred]()
    for offset, (headers, value) in enumerate(world.headed):
        await comes_true(lambda: worker.handling.has_room_for(van.van_id), WITHIN_S)
        back.append(Deferred(restored(headers, value, READS), offset))
        await worker.handling.take_back(back[-1], 0)
    await comes_true(lambda: all(each.done for each in back) and len(world.acknowledged) == 12, WITHIN_S)
    assert len(back) == deferred
    await worker.end()


async def take_all(worker: Run, world: World) -> None:
    for message in list(world.arrived):
        await worker.handling.take(Delivered(world, message), message)


def test_forged_frames_have_one_turn_together_and_take_none_of_the_van_that_they_name() -> None:
    world, (honest, _) = enrolled("van-a", "van-b")
    forger = TestVan("van-a", screening_id=honest.screening_id, sequence_id=honest.sequence_id)
    turns = Turns(segment(world, MemoryTables(world)), lambda: 2, lambda error: None)
    begun = list[str]()
    first, free = asyncio.Event(), asyncio.Event()

    async def work(name: str, _turn: Turn) -> None:
        begun.append(name)
        if len(begun) == SETTINGS.in_flight:
            first.set()
        await free.wait()

    async def through() -> None:
        for name, message in [
            *(("forged", each) for each in frames(world, forger, range(5))),
            *(("honest", each) for each in frames(world, honest, range(3))),
        ]:
            await turns.take(message, partial(work, name), lambda van_id: partial(work, f"late {van_id}"), lambda: True)
        await first.wait()
        free.set()
        await comes_true(lambda: len(begun) == 8, WITHIN_S)
        turns.close()

    asyncio.run(asyncio.wait_for(through(), WITHIN_S))
    assert begun == ["forged", "forged", "forged", "honest", "forged", "honest", "forged", "honest"]


@given(
    partition=st.integers(0, 95),
    offset=st.integers(0, 2**40),
    key=st.none() | st.binary(max_size=40),
    millis=st.integers(10**12, 4 * 10**12),
)
def test_a_deferred_message_is_restored_with_its_place_and_its_time(
    partition: int, offset: int, key: bytes | None, millis: int
) -> None:
    appended_at = START.fromtimestamp(millis / 1000, START.tzinfo)
    message = Message(Coordinates(Topic.FRAME_CAPTURED, partition, offset, appended_at), key, b"value")
    assert restored(headers_of(message), b"value", READS) == message
