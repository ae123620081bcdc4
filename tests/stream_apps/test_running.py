"""With which code a worker ends, by which the supervisor decides how soon it is started again."""

import resource
import subprocess
import sys
from pathlib import Path

import pytest
from aiokafka.errors import (
    CommitFailedError,
    KafkaConnectionError,
    KafkaError,
    RequestTimedOutError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
)

from sonovan.contracts.errors import Fatal, Transient
from sonovan.deploy.restarts import HOPELESS_EXITS
from sonovan.stream_apps.running import DONE, FATAL, NOT_AVAILABLE, exit_code, own_folder, raise_file_limit


@pytest.mark.parametrize(
    "error", [Transient("away"), KafkaConnectionError(), RequestTimedOutError(), CommitFailedError(), KafkaError()]
)
def test_a_broker_that_is_away_is_tried_again_soon(error: Exception) -> None:
    assert exit_code(error) == NOT_AVAILABLE
    assert NOT_AVAILABLE not in HOPELESS_EXITS


@pytest.mark.parametrize(
    "error", [Fatal("wrong weights"), SaslAuthenticationFailed(), TopicAuthorizationFailedError(), KeyError("a defect")]
)
def test_what_waiting_does_not_mend_is_fatal(error: Exception) -> None:
    assert exit_code(error) == FATAL
    assert FATAL in HOPELESS_EXITS


def test_without_an_error_it_is_done() -> None:
    assert exit_code(None) == DONE


def test_a_worker_may_open_as_many_files_as_its_hard_limit_allows() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 256), hard))
    try:
        raise_file_limit()
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_second_worker_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    with (
        own_folder(tmp_path / "worker"),
        pytest.raises(Fatal, match="SONOVAN_DATA_DIR"),
        own_folder(tmp_path / "worker"),
    ):
        pass
    with own_folder(tmp_path / "worker"):
        assert (tmp_path / "worker" / "held").is_file()


def test_a_worker_leaves_in_time_though_its_log_hangs() -> None:
    """A thread that hangs while it writes a line holds the log's lock; what is shown last waits for that."""
    program = """
import logging, sys, threading
from sonovan.stream_apps.running import leave_now

class Hangs(logging.StreamHandler):
    def flush(self):
        threading.Event().wait()

logging.basicConfig(handlers=[Hangs(sys.stderr)])
leave_now(4)
"""
    ended = subprocess.run([sys.executable, "-c", program], timeout=60, check=False)
    assert ended.returncode == 4
