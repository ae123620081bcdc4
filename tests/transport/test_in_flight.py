"""The bound on unacknowledged bytes."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sonovan.contracts.errors import Transient
from sonovan.transport.in_flight import InFlightBytes


@given(limit=st.integers(1, 100), sizes=st.lists(st.integers(0, 200), max_size=30))
def test_never_more_than_the_limit_or_one_message(limit: int, sizes: list[int]) -> None:
    room = InFlightBytes(limit)
    held: list[int] = []
    for size in sizes:
        try:
            room.admit(size, deadline_s=0)
            held.append(size)
        except Transient:
            assert sum(held) + size > limit
            room.release(held.pop(0))
        assert room.held == sum(held)
        assert room.held <= limit or len([one for one in held if one]) == 1


def test_a_message_larger_than_the_limit_goes_alone() -> None:
    room = InFlightBytes(10)
    room.admit(1000, deadline_s=0)
    with pytest.raises(Transient, match="1000 bytes"):
        room.admit(1, deadline_s=0)


def test_a_waiting_sender_goes_on_when_room_is_made() -> None:
    room = InFlightBytes(10)
    room.admit(8, deadline_s=0)
    entered, through = threading.Event(), threading.Event()

    def wait_for_room() -> None:
        entered.set()
        room.admit(5, deadline_s=30)
        through.set()

    waiter = threading.Thread(target=wait_for_room)
    waiter.start()
    assert entered.wait(30)
    assert not through.is_set()
    room.release(8)
    assert through.wait(30)
    waiter.join()
    assert room.held == 5


def test_waiting_gives_up_at_its_deadline() -> None:
    now = iter([0.0, 0.0, 100.0])
    room = InFlightBytes(10, clock=lambda: next(now))
    room.release(-10)
    with pytest.raises(Transient, match="were not acknowledged"):
        room.admit(1, deadline_s=0.01)
    assert not room.wait_empty(0)


def test_a_limit_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError):
        InFlightBytes(0)
