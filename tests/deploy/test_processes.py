"""Detached processes: known again by pid and start time, ended by nobody else."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from threading import Event, Thread, get_native_id

import pytest

from sonovan.deploy import processes
from sonovan.deploy.errors import DeployError, ServiceFailed
from sonovan.deploy.files import write_private
from sonovan.deploy.identity import ProcessRecord, boot_id, is_running, send, start_time_of, wait_end
from sonovan.deploy.launches import launch_path, log_path, read_launch, read_record, record_path
from sonovan.deploy.logs import KEPT_DAYS, LOG_DAYS
from sonovan.deploy.services import kill_one, start_one, status, stop, stop_one
from sonovan.deploy.state import StateFolder
from tests.waiting import until

await_true = partial(until, what="the condition came true", deadline_s=20.0)
SLEEPER = ("sleep", "1000")
STUBBORN = (
    sys.executable,
    "-c",
    "import signal; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); signal.pause()",
)


@pytest.fixture
def state(tmp_path: Path) -> Iterator[StateFolder]:
    folder = StateFolder(tmp_path / "state")
    yield folder
    stop(folder)


@pytest.fixture
def foreigner() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(SLEEPER) as process:
        yield process
        process.kill()


def test_second_start_is_harmless(state: StateFolder) -> None:
    assert processes.start_app(state, "worker", SLEEPER, {}) == processes.start_app(state, "worker", SLEEPER, {})


def test_changed_launch_restarts(state: StateFolder) -> None:
    first = processes.start_app(state, "worker", SLEEPER, {"LEVEL": "1"})
    second = processes.start_app(state, "worker", SLEEPER, {"LEVEL": "2"})
    assert not is_running(first)
    assert is_running(second)


def test_process_leads_its_own_session_and_gets_only_what_was_said(
    state: StateFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SONOVAN_STRAY", "1")
    show = (
        sys.executable,
        "-c",
        "import os; print(os.getsid(0) == os.getpid(), sorted(os.environ), os.getcwd(), flush=True)",
    )
    processes.start_app(state, "worker", show, {"SONOVAN_GIVEN": "1"})
    await_true(lambda: log_path(state, "worker").read_text().endswith("\n"))
    said = log_path(state, "worker").read_text()
    assert said.startswith("True")
    assert "SONOVAN_GIVEN" in said
    assert "SONOVAN_STRAY" not in said
    assert str(state.apps / "worker") in said


def test_stop_ends_it_and_forgets_it(state: StateFolder) -> None:
    record = processes.start_app(state, "worker", SLEEPER, {})
    stop_one(state, "worker")
    assert not is_running(record)
    assert [row.state for row in status(state)] == ["stopped"]


def test_process_that_ignores_sigterm_is_killed_after_its_grace(state: StateFolder) -> None:
    record = processes.start_app(state, "worker", STUBBORN, {})
    await_true(lambda: "deaf" in log_path(state, "worker").read_text())
    processes.stop(state, "worker", grace_s=0.2)
    assert not is_running(record)


def test_killed_process_starts_again_as_before(state: StateFolder) -> None:
    first = processes.start_app(state, "worker", SLEEPER, {"LEVEL": "1"})
    kill_one(state, "worker")
    assert [row.state for row in status(state)] == ["ended"]
    start_one(state, "worker")
    second = read_record(state, "worker")
    assert second is not None
    assert second.pid != first.pid
    assert is_running(second)
    assert read_launch(state, "worker").env == {"LEVEL": "1"}


@pytest.mark.parametrize("other", [{"start_time": 1}, {"boot_id": "another boot"}])
def test_foreign_process_with_a_recorded_pid_survives(
    state: StateFolder, foreigner: subprocess.Popen[bytes], other: dict[str, object]
) -> None:
    ours = processes.start_app(state, "worker", SLEEPER, {})
    stop_one(state, "worker")
    started = start_time_of(foreigner.pid)
    assert started is not None
    exact = ours.model_copy(update={"pid": foreigner.pid, "start_time": started, "boot_id": boot_id()})
    assert is_running(exact)
    write_private(record_path(state, "worker"), exact.model_copy(update=other).model_dump_json())
    kill_one(state, "worker")
    stop(state)
    assert foreigner.poll() is None
    assert not record_path(state, "worker").exists()


def test_starter_that_dies_before_the_record_is_written_leaves_nothing(state: StateFolder, tmp_path: Path) -> None:
    state.prepare()
    script = """
import os, sys
from sonovan.deploy import processes, spawning
from sonovan.deploy.state import StateFolder
from sonovan.deploy.launches import launch_path
real = spawning.write_private
def die_before_the_record(path, text):
    if path.name.endswith(".process.json"):
        os._exit(9)
    real(path, text)
spawning.write_private = die_before_the_record
processes.start_app(StateFolder(sys.argv[1]), "worker", ["touch", sys.argv[2]], {})
"""
    died = subprocess.run([sys.executable, "-c", script, state.path, tmp_path / "ran"], check=False)
    assert died.returncode == 9
    assert launch_path(state, "worker").exists()
    # The next start waits in the same way, so by the time that it has run the first would have run as well.
    processes.start_app(state, "other", ["touch", str(tmp_path / "other ran")], {})
    await_true((tmp_path / "other ran").exists)
    assert not (tmp_path / "ran").exists()


def test_process_that_ends_at_once_is_reported_with_its_last_words(state: StateFolder) -> None:
    argv = (sys.executable, "-c", "raise SystemExit('no such weights')")
    with pytest.raises(ServiceFailed, match="no such weights"):
        processes.start_app(state, "worker", argv, {}, healthy=lambda: False)


def test_process_that_never_gets_healthy_is_reported(state: StateFolder) -> None:
    with pytest.raises(ServiceFailed, match="not healthy after 0 s"):
        processes.start_app(state, "worker", SLEEPER, {}, healthy=lambda: False, deadline_s=0.2)


def test_old_logs_are_kept_up_to_a_number(state: StateFolder) -> None:
    for level in range(6):
        processes.start_app(state, "worker", SLEEPER, {"LEVEL": str(level)})
    assert sorted(path.name for path in state.logs.iterdir()) == ["worker.log", *(f"worker.log.{n}" for n in (1, 2, 3))]


def test_never_started_name_says_so(state: StateFolder) -> None:
    state.prepare()
    with pytest.raises(DeployError, match="never started"):
        start_one(state, "worker")


def test_zombie_counts_as_ended() -> None:
    child = os.posix_spawn("/bin/true", ["true"], {})
    await_true(lambda: start_time_of(child) is None)
    record = ProcessRecord(name="x", pid=child, start_time=0, boot_id=boot_id(), argv_hash="")
    assert not is_running(record)
    os.waitpid(child, 0)


def test_a_number_that_a_thread_of_somebody_else_has_now_is_no_process_of_ours() -> None:
    ended, told = Event(), list[int]()

    def wait() -> None:
        told.append(get_native_id())
        ended.wait(60)

    thread = Thread(target=wait)
    thread.start()
    try:
        number = until(lambda: told[0] if told else None, "the thread runs")
        assert number is not None
        started = start_time_of(number) or 0
        record = ProcessRecord(name="minio", pid=number, start_time=started, boot_id=boot_id(), argv_hash="")
        assert not is_running(record)
        assert wait_end(record, 0.0)
        send(record, signal.SIGTERM)  # reaches nobody
    finally:
        ended.set()
        thread.join()


def test_killing_reaches_the_children(state: StateFolder, tmp_path: Path) -> None:
    family = ("/bin/sh", "-c", f"sleep 1000 & echo $! > '{tmp_path}/child'; wait")
    processes.start_app(state, "worker", family, {})
    await_true(lambda: (tmp_path / "child").exists() and (tmp_path / "child").read_text().strip() != "")
    child = int((tmp_path / "child").read_text())
    kill_one(state, "worker")
    await_true(lambda: start_time_of(child) is None)


def test_a_log_is_put_aside_once_it_is_old_and_deleted_later(state: StateFolder) -> None:
    processes.start_app(state, "worker", ("/bin/sh", "-c", "echo begun; exec sleep 60"), {})
    log = log_path(state, "worker")
    await_true(lambda: log.read_text() == "begun\n")
    processes.bound_log(state, "worker")
    assert log.read_text() == "begun\n"
    a_day_s, begun = 86_400, log.with_name(".worker.log.begun")
    old_s = time.time() - (LOG_DAYS + 1) * a_day_s
    os.utime(begun, (old_s, old_s))
    processes.bound_log(state, "worker")
    aside = log.with_name("worker.log.1")
    assert (log.read_text(), aside.read_text()) == ("", "begun\n")
    os.utime(aside, (old_s, old_s))
    processes.bound_log(state, "worker")
    assert aside.exists()
    over_s = time.time() - (KEPT_DAYS + 1) * a_day_s
    os.utime(aside, (over_s, over_s))
    processes.bound_log(state, "worker")
    assert not aside.exists()
