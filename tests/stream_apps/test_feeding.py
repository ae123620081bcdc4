"""Messages wait in memory by bytes, and are taken as soon as they have room; journeys show it with a real broker."""

import asyncio
import functools
from collections.abc import Callable, Coroutine
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from faust.types import TP
from mode.utils.queues import FlowControlEvent

from sonovan.stream_apps.feeding import App, Consumer, Feed
from tests.waiting import turn

FULL, OTHER = TP("frame.captured.v1", 3), TP("frame.captured.v1", 4)
LONGEST_S = 0.5
"""Less than the second that the library would sleep."""


def in_a_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """The test, run in an event loop of its own."""

    @functools.wraps(test)
    def run(*arguments: Any, **options: Any) -> None:
        asyncio.run(test(*arguments, **options))

    return run


def event(nbytes: int) -> Any:
    return SimpleNamespace(message=SimpleNamespace(key=b"", value=bytes(nbytes)))


class Told:
    """Whom a queue tells of its pressure."""

    def __init__(self) -> None:
        self.waits = False

    def high(self) -> None:
        self.waits = True

    def drop(self) -> None:
        self.waits = False


def feed(messages: int = 100, room_bytes: int = 1000) -> Feed:
    return Feed(messages, flow_control=FlowControlEvent(initially_suspended=False), room_bytes=room_bytes)


def put(queue: Feed, told: Told, nbytes: int) -> None:
    queue.put_nowait_enhanced(event(nbytes), on_pressure_high=told.high, on_pressure_drop=told.drop)


@in_a_loop
async def test_a_partition_waits_once_the_bytes_are_many_and_goes_on_once_they_are_few() -> None:
    queue, told = feed(), Told()
    for _ in range(4):
        put(queue, told, 250)
        assert not told.waits
    put(queue, told, 250)
    assert told.waits
    assert queue.full()
    left = []
    while told.waits:
        queue.get_nowait()
        left.append(queue.nbytes)
    assert left == [1000, 750, 500, 250, 0]  # whoever takes one looks first at what waits: 250 are few


@in_a_loop
async def test_small_messages_are_bounded_by_their_number() -> None:
    queue, told = feed(messages=10), Told()
    for _ in range(8):
        put(queue, told, 1)
    assert not told.waits
    put(queue, told, 1)
    assert told.waits


@in_a_loop
async def test_one_message_larger_than_the_room_goes_through_alone() -> None:
    queue, told = feed(), Told()
    put(queue, told, 5000)
    assert queue.full()
    waiting = asyncio.ensure_future(queue.put(event(1)))
    await turn()
    assert not waiting.done()
    queue.get_nowait()
    await waiting
    assert queue.nbytes == 1


@in_a_loop
async def test_what_is_cleared_is_not_counted() -> None:
    queue, told = feed(), Told()
    put(queue, told, 5000)
    queue.clear()
    assert (queue.nbytes, queue.full()) == (0, False)


def app_in(folder: Path) -> App:
    return App("feeding", broker="kafka://127.0.0.1:9", store="memory://", datadir=str(folder), web_enabled=False)


def consumer_in(folder: Path) -> Consumer:
    made = app_in(folder).consumer
    assert isinstance(made, Consumer)
    made._set_active_tps({FULL, OTHER})
    return made


def fetching(consumer: Consumer, give: Callable[[set[TP], float], Any]) -> None:
    """Let `give` stand for the broker: what it is asked for, and for how long at most."""

    async def getmany(active_partitions: set[TP], timeout: float) -> Any:
        return give(set(active_partitions), timeout)

    consumer._getmany = getmany


@in_a_loop
async def test_where_all_are_full_the_first_that_has_room_ends_the_wait(tmp_path: Path) -> None:
    consumer = consumer_in(tmp_path)
    fetching(consumer, lambda asked, _: {tp: [] for tp in asked})
    for tp in (FULL, OTHER):
        consumer.on_buffer_full(tp)
    waiting = asyncio.ensure_future(consumer._wait_next_records(1.0))
    await turn()
    assert not waiting.done()
    consumer.on_buffer_drop(FULL)
    async with asyncio.timeout(LONGEST_S):
        assert (await waiting)[0] == {}
        assert (await consumer._wait_next_records(1.0))[0] == {FULL: []}


@in_a_loop
async def test_while_one_is_full_the_others_are_waited_for_only_briefly(tmp_path: Path) -> None:
    consumer = consumer_in(tmp_path)
    asked: list[tuple[set[TP], float]] = []
    fetching(consumer, lambda partitions, timeout: asked.append((partitions, timeout)) or {})
    await consumer._wait_next_records(1.0)
    consumer.on_buffer_full(FULL)
    await consumer._wait_next_records(1.0)
    consumer.on_buffer_drop(FULL)
    await consumer._wait_next_records(1.0)
    assert asked[0] == asked[2] == ({FULL, OTHER}, 1.0)
    assert asked[1][0] == {OTHER}
    assert asked[1][1] <= 0.1


@in_a_loop
async def test_a_full_buffer_of_a_worker_is_counted_in_bytes(tmp_path: Path) -> None:
    assert isinstance(app_in(tmp_path).FlowControlQueue(maxsize=3), Feed)
