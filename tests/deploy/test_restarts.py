"""When what died is started again: the rules, over a clock that the test moves."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from sonovan.deploy.restarts import Pace, Restarts, Watch

PACE = Pace(
    first_s=1.0,
    longest_s=60.0,
    hopeless_s=300.0,
    jitter=0.25,
    forgiven_after_s=30.0,
    starting_s=600.0,
    unanswered_s=60.0,
)
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def calm() -> float:
    return 0.0


def watch(past: Restarts | None = None, share: Callable[[], float] = calm) -> Watch:
    return Watch(PACE, past or Restarts(), share)


def die(watched: Watch, now_s: float, last_exit: int | None = 1) -> float:
    """Let it end; the pause until its next start."""
    assert watched.ended(now_s, last_exit=last_exit, reason="", at=NOON)
    assert watched.past.next_at_s is not None
    return watched.past.next_at_s - now_s


def test_pauses_double_up_to_the_longest() -> None:
    watched, pauses = watch(), []
    for round_number in range(9):
        pauses.append(die(watched, 1000.0 * round_number))
        watched.started()
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert PACE.pause_s(10_000, 1, 0.0) == 60


def test_jitter_makes_a_pause_longer_by_its_share_at_most() -> None:
    assert die(watch(share=lambda: 1.0), 0.0) == pytest.approx(1.25)
    assert die(watch(share=lambda: 0.5), 0.0) == pytest.approx(1.125)


def test_nothing_is_due_before_its_time() -> None:
    watched = watch()
    assert not watched.due(0.0)
    die(watched, 10.0)
    assert not watched.due(10.9)
    assert watched.due(11.0)


def test_an_end_is_noted_once() -> None:
    watched = watch()
    die(watched, 10.0)
    assert not watched.ended(10.5, last_exit=1, reason="", at=NOON)
    assert (watched.past.in_a_row, watched.past.next_at_s) == (1, 11.0)


def test_an_unknown_exit_is_waited_for_a_moment() -> None:
    watched = watch()
    assert not watched.ended(0.0, last_exit=None, reason="", at=NOON)
    assert watched.ended(1.0, last_exit=None, reason="", at=NOON)


def test_a_time_of_health_lets_the_pauses_begin_anew_and_keeps_the_count() -> None:
    watched = watch()
    for _ in range(4):
        die(watched, 0.0)
        watched.started()
    assert watched.past.failing
    watched.runs(100.0, well=True)
    watched.runs(129.9, well=True)
    assert watched.past.in_a_row == 4
    watched.runs(130.0, well=True)
    assert not watched.past.failing
    assert watched.past.count == 4
    assert die(watched, 200.0) == 1


def test_health_that_is_interrupted_does_not_count() -> None:
    watched = watch()
    die(watched, 0.0)
    watched.started()
    watched.runs(0.0, well=True)
    watched.runs(20.0, well=False)
    watched.runs(25.0, well=True)
    watched.runs(54.0, well=True)
    assert watched.past.in_a_row == 1


@pytest.mark.parametrize("last_exit", [2, 5])
def test_what_starting_again_does_not_mend_is_tried_seldom_and_told_at_once(last_exit: int) -> None:
    watched = watch()
    assert die(watched, 0.0, last_exit) == 300
    assert watched.past.failing


@pytest.mark.parametrize("last_exit", [0, 1, 4, 70, 137, None])
def test_any_other_end_is_told_as_failing_after_the_third_in_a_row(last_exit: int | None) -> None:
    watched = watch(Restarts(in_a_row=1))
    watched.ended(0.0, last_exit=last_exit, reason="", at=NOON)
    watched.ended(2.0, last_exit=last_exit, reason="", at=NOON)
    assert not watched.past.failing
    watched.started()
    watched.ended(10.0, last_exit=last_exit, reason="", at=NOON)
    watched.ended(12.0, last_exit=last_exit, reason="", at=NOON)
    assert watched.past.failing


def test_one_that_stops_answering_is_ended_after_its_patience() -> None:
    watched = watch()
    assert not watched.runs(0.0, well=True)
    assert not watched.runs(10.0, well=False)
    assert not watched.runs(69.9, well=False)
    assert watched.runs(70.0, well=False)


def test_one_that_has_not_answered_yet_gets_the_time_of_a_start() -> None:
    watched = watch()
    assert not watched.runs(0.0, well=False)
    assert not watched.runs(599.0, well=False)
    assert watched.runs(600.0, well=False)


def test_silence_means_nothing_while_what_it_depends_on_is_away() -> None:
    watched = watch()
    watched.runs(0.0, well=True)
    assert not watched.runs(10.0, well=False, judged=False)
    assert not watched.runs(500.0, well=False, judged=False)
    assert not watched.runs(559.0, well=False)
    assert watched.runs(560.0, well=False)


def test_another_supervisor_goes_on_with_the_count_and_not_with_the_appointment() -> None:
    watched = watch(Restarts(count=7, in_a_row=3, next_at_s=10.0**9))
    assert not watched.due(0.0)
    assert die(watched, 0.0) == 8
    watched.started()
    assert watched.past.count == 8
