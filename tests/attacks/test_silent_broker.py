"""A broker that is there and answers nothing: workers say so, and are not taken for dead."""

import os
import signal

from sonovan.centre import Centre, start_worker, status
from sonovan.deploy.launches import read_record
from sonovan.deploy.services import StatusRow, stop_one
from tests.waiting import until

ASKS_WITHIN_S = 60.0


def row_of(centre: Centre, name: str) -> StatusRow:
    return next(row for row in status(centre.path) if row.name == name)


def test_a_broker_that_answers_nothing_is_named_by_a_worker_that_stays_live(centre: Centre) -> None:
    start_worker(centre, "assess")
    kafka = read_record(centre.state, "kafka")
    assert kafka is not None
    try:
        assert (row_of(centre, "assess").ready, row_of(centre, "assess").waiting) == (True, "")
        os.kill(kafka.pid, signal.SIGSTOP)
        until(
            lambda: "the broker does not answer" in row_of(centre, "assess").waiting,
            "it says so",
            deadline_s=ASKS_WITHIN_S,
        )
        row = row_of(centre, "assess")
        assert (row.ready, row.healthy) == (False, True)
        assert row_of(centre, "kafka").healthy is False
        os.kill(kafka.pid, signal.SIGCONT)
        until(lambda: row_of(centre, "assess").ready is True, "it is ready again", deadline_s=ASKS_WITHIN_S)
    finally:
        os.kill(kafka.pid, signal.SIGCONT)
        stop_one(centre.state, "assess")
