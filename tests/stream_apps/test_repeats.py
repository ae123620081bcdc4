"""Warnings that come again and again leave one line for each cause and interval; the first and the last are there."""

import json
import logging
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime

import pytest

from sonovan.stream_apps.repeats import EVERY_S, MOST_CAUSES, Repeats
from tests.waiting import until


class Kept(logging.Handler):
    """Keeps what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


class Log:
    """A logger of its own whose clock is turned by hand."""

    def __init__(self, every_s: float = EVERY_S) -> None:
        self.now_s, self.kept = 100.0, Kept()
        self.handler = Repeats(self.kept, every_s=every_s, ticks=lambda: self.now_s)
        self.log = logging.getLogger(f"repeats-{id(self)}")
        self.log.propagate = False
        self.log.addHandler(self.handler)

    @property
    def lines(self) -> list[str]:
        return self.kept.lines


@pytest.fixture
def told() -> Iterator[Log]:
    log = Log()
    yield log
    log.handler.close()


def test_a_day_without_a_broker_is_one_line_a_minute_with_what_was_left_out(told: Log) -> None:
    for second in range(600):
        told.now_s = 100.0 + second
        for _ in range(5):
            told.log.warning("not ready, trying again in %.1f s: %s", second / 7, "the broker is away")
    assert len(told.lines) == 10
    assert told.lines[0] == "not ready, trying again in 0.0 s: the broker is away"
    assert told.lines[1].endswith("s: the broker is away (298 more like this within 60 s, left out)")
    told.handler.close()
    assert told.lines[-1].startswith("not ready, trying again in 85.6 s")
    left_out = sum(int(found[1]) for line in told.lines if (found := re.search(r"\((\d+) more", line)))
    assert left_out + len(told.lines) == 3000


def test_another_cause_is_shown_at_once(told: Log) -> None:
    told.log.warning("rejected frame.captured.v1/3/17: signature_invalid (ab12ab12ab12ab12)")
    told.log.warning("rejected frame.captured.v1/4/18: signature_invalid (cd34cd34cd34cd34)")
    told.log.warning("rejected frame.captured.v1/4/19: record_invalid (cd34cd34cd34cd34)")
    told.log.warning("quarantine is full for van-1 today")
    told.log.warning("quarantine is full for van-2 today")
    told.log.error("quarantine is full for van-1 today")
    assert [line.split()[-2:] for line in told.lines] == [
        ["signature_invalid", "(ab12ab12ab12ab12)"],
        ["record_invalid", "(cd34cd34cd34cd34)"],
        ["van-1", "today"],
        ["van-2", "today"],
        ["van-1", "today"],
    ]


def test_the_last_line_is_shown_once_its_interval_is_over_without_another_line() -> None:
    told = Log(every_s=0.05)
    told.log.warning("away 1")
    told.log.warning("away 2")
    told.now_s += 1
    until(lambda: told.lines == ["away 1", "away 2"], "the last line", deadline_s=10)
    told.handler.close()


def test_a_cause_that_was_still_for_an_interval_is_shown_at_once_again(told: Log) -> None:
    told.log.warning("away")
    told.now_s += EVERY_S
    told.log.warning("away")
    assert told.lines == ["away", "away"]


def test_what_ends_a_worker_and_what_is_no_warning_is_always_shown(told: Log) -> None:
    told.log.setLevel(logging.INFO)
    for _ in range(3):
        told.log.critical("stopping")
        told.log.info("ready, 12 partitions")
    assert len(told.lines) == 6


def test_causes_without_end_take_no_memory_without_end(told: Log) -> None:
    for number in range(3 * MOST_CAUSES):
        told.log.warning("cause %s", "x" * number)
    assert len(told.lines) <= MOST_CAUSES + 1


def test_a_worker_that_ends_shows_what_it_held() -> None:
    program = """
import logging
from sonovan.stream_apps.running import log_to_stderr
log_to_stderr("assess-1")
for number in range(5):
    logging.getLogger("sonovan.x").warning("away, try %d", number)
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert [line.split(" WARNING ")[1] for line in ran.stderr.splitlines()] == [
        "sonovan.x: away, try 0",
        "sonovan.x: away, try 4 (3 more like this within 60 s, left out)",
    ]


def test_logs_are_lines_of_json_where_asked_with_what_went_wrong() -> None:
    program = """
import logging
from sonovan.stream_apps.running import log_to_stderr
log_to_stderr("assess-1")
try:
    raise ValueError("two\\nlines")
except ValueError:
    logging.getLogger("sonovan.x").critical("stopping", exc_info=True)
logging.getLogger("sonovan.x").info("ready, %d partitions", 12)
"""
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True,
        env=os.environ | {"SONOVAN_LOG_FORMAT": "json"},
    )  # fmt: skip
    failed, ready = (json.loads(line) for line in ran.stderr.splitlines())
    assert {name: ready[name] for name in ("process", "level", "logger", "text")} == {
        "process": "assess-1", "level": "INFO", "logger": "sonovan.x", "text": "ready, 12 partitions",
    }  # fmt: skip
    assert datetime.fromisoformat(ready["at"]).tzinfo is not None
    assert (failed["level"], failed["trace"].splitlines()[-2:]) == ("CRITICAL", ["ValueError: two", "lines"])
