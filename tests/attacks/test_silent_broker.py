"""A broker that is there and answers nothing, or is away: workers say so, are not taken for dead, and fill no disk."""

import os
import signal
from typing import Final

import pytest

from sonovan.centre import Centre, status
from sonovan.contracts.topics import STAGES
from sonovan.deploy.launches import read_record
from sonovan.deploy.services import StatusRow
from tests.journeys.world import World
from tests.waiting import elapse, until

pytestmark = pytest.mark.services

ASKS_WITHIN_S: Final = 60.0
AWAY_S: Final = 5.0
A_DAY: Final = 86_400
LOG_BYTES_A_DAY: Final = 300e6
"""Of all three workers; they wrote 3.6 GB."""


def row_of(centre: Centre, name: str) -> StatusRow:
    return next(row for row in status(centre.path) if row.name == name)


def test_a_broker_that_answers_nothing_is_named_by_a_worker_that_stays_live(world: World) -> None:
    centre = world.centre
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
    finally:
        os.kill(kafka.pid, signal.SIGCONT)
    until(lambda: row_of(centre, "assess").ready is True, "it is ready again", deadline_s=ASKS_WITHIN_S)


def test_workers_without_a_broker_write_little_into_their_logs(world: World) -> None:
    world.work(stages=STAGES)

    def said() -> int:
        return sum(len(world.log(stage)) for stage in STAGES)

    with world.without("kafka"):
        until(
            lambda: all("broker" in row_of(world.centre, stage).waiting for stage in STAGES),
            "all of them know that it is away",
            deadline_s=ASKS_WITHIN_S,
            evidence=world.log_tails,
        )
        before = said()
        elapse(AWAY_S)
        assert (said() - before) / AWAY_S * A_DAY < LOG_BYTES_A_DAY, world.log_tails()
        assert all(world.runs(stage) for stage in STAGES)
