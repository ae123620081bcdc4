import asyncio
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_apps.segment.in_flight import InFlight, Turn


def unforeseen(error: BaseException) -> None:
    raise AssertionError("work failed") from error


@given(lanes=st.lists(st.integers(0, 2), max_size=20), delays=st.randoms())
def test_each_lane_sends_and_ends_in_order_whatever_finishes_first(lanes: list[int], delays: object) -> None:
    sent: list[tuple[int, int]] = []
    ended: list[tuple[int, int]] = []
    order = list(range(len(lanes)))
    delays.shuffle(order)  # type: ignore[attr-defined]  # a Random

    async def everything() -> None:
        in_flight = InFlight(6, unforeseen)
        all_done = asyncio.Event()

        def work(lane: int, number: int) -> Callable[[Turn], Awaitable[None]]:
            async def run(turn: Turn) -> None:
                for _ in range(order[number]):
                    await asyncio.sleep(0)
                await turn.to_send()
                sent.append((lane, number))
                turn.sent()
                for _ in range(order[-1 - number]):
                    await asyncio.sleep(0)
                await turn.to_end()
                ended.append((lane, number))
                if len(ended) == len(lanes):
                    all_done.set()

            return run

        for number, lane in enumerate(lanes):
            await in_flight.submit(lane, work(lane, number))
        if lanes:
            await asyncio.wait_for(all_done.wait(), 10)

    asyncio.run(everything())
    for lane in range(3):
        mine = [(lane, number) for number, of in enumerate(lanes) if of == lane]
        assert [item for item in sent if item[0] == lane] == mine
        assert [item for item in ended if item[0] == lane] == mine


def test_no_more_than_the_limit_runs_at_once_and_the_next_one_waits() -> None:
    async def everything() -> None:
        in_flight = InFlight(2, unforeseen)
        release = asyncio.Event()
        started = [asyncio.Event() for _ in range(3)]
        running: list[int] = []

        def work(number: int) -> Callable[[Turn], Awaitable[None]]:
            async def run(_: Turn) -> None:
                running.append(number)
                started[number].set()
                await release.wait()

            return run

        await in_flight.submit(0, work(0))
        await in_flight.submit(1, work(1))
        third = asyncio.create_task(in_flight.submit(2, work(2)))
        await asyncio.gather(started[0].wait(), started[1].wait())
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(third), 0.05)
        assert (running, third.done()) == ([0, 1], False)
        release.set()
        await asyncio.wait_for(asyncio.gather(third, started[2].wait()), 10)
        assert running == [0, 1, 2]

    asyncio.run(everything())


def test_cancelling_ends_everything_and_drops_what_waited_for_room() -> None:
    async def everything() -> None:
        in_flight = InFlight(1, unforeseen)
        started: list[int] = []

        def work(number: int) -> Callable[[Turn], Awaitable[None]]:
            async def run(turn: Turn) -> None:
                started.append(number)
                if number < 2:
                    await asyncio.Event().wait()
                await turn.to_end()

            return run

        await in_flight.submit(0, work(0))
        waiting = asyncio.create_task(in_flight.submit(0, work(1)))
        await asyncio.sleep(0)
        await in_flight.cancel()
        await waiting
        await in_flight.submit(0, work(2))  # the same partition, assigned anew: nobody to wait for
        await asyncio.sleep(0)
        assert started == [0, 2]

    asyncio.run(everything())


def test_a_failure_is_told_and_holds_back_what_stands_behind_it() -> None:
    async def everything() -> None:
        told: list[BaseException] = []
        in_flight = InFlight(4, told.append)
        ended: list[str] = []

        async def fails(_: Turn) -> None:
            raise ValueError("unforeseen")

        async def follows(turn: Turn) -> None:
            await turn.to_end()
            ended.append("followed")

        async def elsewhere(turn: Turn) -> None:
            await turn.to_end()
            ended.append("elsewhere")

        await in_flight.submit(0, fails)
        await in_flight.submit(0, follows)
        await in_flight.submit(1, elsewhere)
        for _ in range(10):
            await asyncio.sleep(0)
        assert [type(error) for error in told] == [ValueError]
        assert ended == ["elsewhere"]
        await in_flight.cancel()

    asyncio.run(everything())


def test_finished_work_is_forgotten() -> None:
    turn = Turn(Turn(None))
    turn.ended()
    assert turn._before is None
