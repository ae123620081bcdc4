import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sonovan.stream_apps.in_flight import InFlight, Room, Turn


def unforeseen(error: BaseException) -> None:
    raise AssertionError("work failed") from error


async def stands_still(task: asyncio.Future[Any]) -> None:
    """It waits, and goes on waiting."""
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(task), 0.05)


@given(lanes=st.lists(st.integers(0, 2), min_size=1, max_size=20), chance=st.randoms())
def test_each_lane_sends_and_ends_in_order_whatever_finishes_first(lanes: list[int], chance: Random) -> None:
    sent: list[tuple[int, int]] = []
    ended: list[tuple[int, int]] = []

    async def everything() -> None:
        in_flight = InFlight(len(lanes), unforeseen)
        computed, stored = ([asyncio.Event() for _ in lanes] for _ in range(2))
        all_sent, all_ended = asyncio.Event(), asyncio.Event()

        def work(lane: int, number: int) -> Callable[[Turn], Awaitable[None]]:
            async def run(turn: Turn) -> None:
                await computed[number].wait()
                await turn.to_send()
                sent.append((lane, number))
                turn.sent()
                if len(sent) == len(lanes):
                    all_sent.set()
                await stored[number].wait()
                await turn.to_end()
                ended.append((lane, number))
                if len(ended) == len(lanes):
                    all_ended.set()

            return run

        for number, lane in enumerate(lanes):
            await in_flight.submit(lane, work(lane, number))
        for gates, through in ((computed, all_sent), (stored, all_ended)):
            for gate in chance.sample(gates, len(gates)):  # tasks wake in the order in which their gates open
                gate.set()
            await asyncio.wait_for(through.wait(), 10)

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
        await stands_still(third)
        assert (running, third.done()) == ([0, 1], False)
        release.set()
        await asyncio.wait_for(asyncio.gather(third, started[2].wait()), 10)
        assert running == [0, 1, 2]

    asyncio.run(everything())


def test_cancelling_ends_everything_and_drops_what_waited_for_room() -> None:
    async def everything() -> None:
        in_flight = InFlight(1, unforeseen)
        started: list[int] = []
        again = asyncio.Event()

        def work(number: int) -> Callable[[Turn], Awaitable[None]]:
            async def run(turn: Turn) -> None:
                started.append(number)
                if number == 2:
                    again.set()
                if number < 2:
                    await asyncio.Event().wait()
                await turn.to_end()

            return run

        await in_flight.submit(0, work(0))
        waiting = asyncio.create_task(in_flight.submit(0, work(1)))
        await stands_still(waiting)
        await in_flight.cancel()
        await waiting
        await in_flight.submit(0, work(2))  # the same partition, assigned anew: nobody to wait for
        await asyncio.wait_for(again.wait(), 10)
        assert started == [0, 2]

    asyncio.run(everything())


def test_a_failure_is_told_and_holds_back_what_stands_behind_it() -> None:
    async def everything() -> None:
        told: list[BaseException] = []
        failed, elsewhere_ended, followed = asyncio.Event(), asyncio.Event(), asyncio.Event()

        def tell(error: BaseException) -> None:
            told.append(error)
            failed.set()

        in_flight = InFlight(4, tell)
        ended: list[str] = []

        async def fails(_: Turn) -> None:
            raise ValueError("unforeseen")

        async def follows(turn: Turn) -> None:
            await turn.to_end()
            ended.append("followed")
            followed.set()

        async def elsewhere(turn: Turn) -> None:
            await turn.to_end()
            ended.append("elsewhere")
            elsewhere_ended.set()

        await in_flight.submit(0, fails)
        await in_flight.submit(0, follows)
        await in_flight.submit(1, elsewhere)
        await asyncio.wait_for(asyncio.gather(failed.wait(), elsewhere_ended.wait()), 10)
        await stands_still(asyncio.ensure_future(followed.wait()))
        assert [type(error) for error in told] == [ValueError]
        assert ended == ["elsewhere"]
        await in_flight.cancel()

    asyncio.run(everything())


@given(
    pieces=st.lists(st.tuples(st.integers(0, 2), st.sampled_from("abc")), min_size=1, max_size=24),
    limit=st.integers(1, 3),
)
def test_senders_take_turns_and_everything_still_ends_in_the_order_of_its_lane(
    pieces: list[tuple[int, str]], limit: int
) -> None:
    begun: list[tuple[str, int]] = []
    ended: list[tuple[int, int]] = []

    async def everything() -> None:
        in_flight = InFlight(limit, unforeseen, Room(len(pieces) + limit))
        free, all_ended = asyncio.Event(), asyncio.Event()

        async def hold(turn: Turn) -> None:
            await free.wait()
            await turn.to_end()

        def work(lane: int, sender: str, number: int) -> Callable[[Turn], Awaitable[None]]:
            async def run(turn: Turn) -> None:
                begun.append((sender, number))
                await turn.to_end()
                ended.append((lane, number))
                if len(ended) == len(pieces):
                    all_ended.set()

            return run

        for number in range(limit):  # nothing else begins before all of it waits
            await in_flight.submit(("held", number), hold, sender="held")
        for number, (lane, sender) in enumerate(pieces):
            await in_flight.submit(lane, work(lane, sender, number), sender=sender)
        free.set()
        await asyncio.wait_for(all_ended.wait(), 10)

    asyncio.run(everything())
    for lane in range(3):
        mine = [number for number, (of, _) in enumerate(pieces) if of == lane]
        assert [number for of, number in ended if of == lane] == mine
    for sender in "abc":
        assert [number for of, number in begun if of == sender] == [
            number for number, (_, of) in enumerate(pieces) if of == sender
        ]
    for place in range(len(begun)):  # whoever has a piece left begins one before anybody begins a second one
        left = {sender for sender, _ in begun[place:]}
        assert {sender for sender, _ in begun[place : place + len(left)]} == left


def test_what_only_waits_for_its_turn_to_end_keeps_nobody_from_beginning() -> None:
    """A van's piece behind another van's pieces in one partition: it is done, and they must come to begin."""
    ended: list[str] = []

    async def everything() -> None:
        in_flight = InFlight(1, unforeseen, Room(10))
        through = asyncio.Event()

        def work(name: str) -> Callable[[Turn], Awaitable[None]]:
            async def run(turn: Turn) -> None:
                await turn.to_end()
                ended.append(name)
                if len(ended) == 4:
                    through.set()

            return run

        for name, sender in (("a1", "a"), ("a2", "a"), ("a3", "a"), ("b1", "b")):
            await in_flight.submit(0, work(name), sender=sender)
        await asyncio.wait_for(through.wait(), 10)

    asyncio.run(everything())
    assert ended == ["a1", "a2", "a3", "b1"]


def test_room_is_for_pieces_and_bytes_and_for_so_many_of_each_sender() -> None:
    async def everything() -> None:
        in_flight = InFlight(1, unforeseen, Room(pieces=4, nbytes=10, waiting_each=2))
        never = asyncio.Event()

        async def hold(_: Turn) -> None:
            await never.wait()

        await in_flight.submit(0, hold, sender="a", nbytes=50)  # larger than the room, but nothing else is there
        larger = asyncio.ensure_future(in_flight.submit(0, hold, sender="b", nbytes=1))
        await stands_still(larger)
        await in_flight.cancel()
        await larger
        for _ in range(3):
            await in_flight.submit(0, hold, sender="a", nbytes=1)
        assert (in_flight.waiting("a"), in_flight.full("a"), in_flight.full("b")) == (2, True, False)
        full = asyncio.ensure_future(in_flight.submit(0, hold, sender="a", nbytes=1))
        await stands_still(full)
        await in_flight.submit(0, hold, sender="b", nbytes=1)
        fifth = asyncio.ensure_future(in_flight.submit(0, hold, sender="c", nbytes=1))
        await stands_still(fifth)
        await in_flight.cancel()
        await asyncio.gather(full, fifth)

    asyncio.run(everything())


def test_finished_work_is_forgotten() -> None:
    turn = Turn(Turn(None))
    turn.ended()
    assert turn._before is None
