"""The count of the fifty kills finds what it looks for: a benchmark that cannot fail proves nothing."""

from threading import Thread

import pytest

from benchmarks.accounting import alerts_called_for, doubled, gaps
from benchmarks.kills import Failed, Pacing
from tests.clinical.records import assessed
from tests.waiting import until


def test_two_contents_under_one_name_are_counted_and_one_content_twice_is_not() -> None:
    assert doubled([("a", 1), ("a", 1), ("b", 1)]) == 0
    assert doubled([("a", 1), ("a", 2), ("b", 1), ("b", 3), ("b", 4)]) == 2


def test_a_missing_revision_number_is_counted() -> None:
    assert gaps([assessed(revision_number=number) for number in (1, 2, 2, 3)]) == 0
    assert gaps([assessed(revision_number=number) for number in (1, 4)]) == 2


def test_each_finding_calls_for_one_alert_however_often_its_revision_stands_there() -> None:
    first, second = assessed(revision_number=1), assessed(revision_number=2, revision_id="b" * 64)
    assert len(alerts_called_for([first])) == 1
    assert alerts_called_for([second, first, second]) == alerts_called_for([first])


def test_a_sweep_waits_for_the_kills_before_it_and_a_kill_for_its_sweep() -> None:
    pacing = Pacing(kills=4, sweeps=2)
    begun: list[int] = []

    def send() -> None:
        for sweep in range(2):
            pacing.begin(sweep)
            begun.append(sweep)

    sender = Thread(target=send)
    sender.start()
    for expected in ([0], [0], [0, 1], [0, 1]):
        pacing.may_kill()
        until(lambda expected=expected: begun == expected, "the sweep of this kill has begun", deadline_s=10.0)
        pacing.has_killed()
    sender.join()


def test_nobody_waits_for_one_who_gave_up() -> None:
    pacing = Pacing(kills=4, sweeps=2)
    pacing.give_up()
    with pytest.raises(Failed):
        pacing.begin(1)
