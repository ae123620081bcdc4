"""An answer is made once for all who ask within its time, and again afterwards."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import pytest

from sonovan.console.remembered import Remembered
from tests.waiting import until


def test_an_answer_is_made_once_until_its_time_is_over() -> None:
    now, made = [0.0], list[int]()
    remembered = Remembered(lambda: now[0])

    def make() -> int:
        made.append(len(made))
        return made[-1]

    assert [remembered.get("a", 2, make) for _ in range(3)] == [0, 0, 0]
    now[0] = 1.9
    assert remembered.get("a", 2, make) == 0
    assert remembered.get("b", 2, make) == 1
    now[0] = 2.0
    assert remembered.get("a", 2, make) == 2


def test_who_asks_at_the_same_time_waits_for_one_answer() -> None:
    remembered, made, barrier = Remembered(), list[int](), Barrier(8)

    def ask() -> int:
        barrier.wait()
        return remembered.get("a", 60, lambda: made.append(1) or len(made))  # type: ignore[func-returns-value]

    with ThreadPoolExecutor(8) as pool:
        assert {each.result() for each in [pool.submit(ask) for _ in range(8)]} == {1}


def test_an_error_is_not_remembered() -> None:
    remembered = Remembered()

    def fail() -> int:
        raise KeyError("x")

    with pytest.raises(KeyError):
        remembered.get("a", 60, fail)
    assert remembered.get("a", 60, lambda: 1) == 1


def test_no_more_than_some_answers_are_kept() -> None:
    remembered = Remembered()
    for number in range(300):
        remembered.get(number, 60, lambda: 0)
    assert remembered.get(0, 60, lambda: 1) == 1, "the oldest is forgotten"
    assert remembered.get(299, 60, lambda: 1) == 0


def test_an_old_answer_is_given_at_once_while_another_one_is_made() -> None:
    now, made, may = [0.0], list[int](), Event()
    remembered = Remembered(lambda: now[0])

    def make() -> int:
        if made:
            assert may.wait(30)
        made.append(1)
        return len(made)

    assert remembered.get("a", 2, make, stale=30) == 1
    now[0] = 10.0
    assert [remembered.get("a", 2, make, stale=30) for _ in range(3)] == [1, 1, 1]
    may.set()
    until(lambda: remembered.get("a", 2, make, stale=30) == 2, "the newer answer is there")
    now[0] = 40.0
    assert remembered.get("a", 2, make, stale=30) == 3, "one that is too old is not given"
    assert len(made) == 3
