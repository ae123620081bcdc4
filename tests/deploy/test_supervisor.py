"""The supervisor over real processes: rounds with a clock that the test moves, and as a process of its own."""

import http.server
import json
import shutil
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from sonovan.deploy import processes
from sonovan.deploy.errors import DeployError
from sonovan.deploy.identity import ProcessRecord, is_running
from sonovan.deploy.launches import log_path, read_record, record_path
from sonovan.deploy.restarts import Restarts, read_restarts
from sonovan.deploy.room import lacks_room
from sonovan.deploy.services import KAFKA, SUPERVISOR, kill_one, start_supervisor, status, stop, stop_one
from sonovan.deploy.state import StateFolder
from sonovan.deploy.supervisor import Supervisor, told_exit
from tests.deploy.test_restarts import PACE, calm
from tests.waiting import until

SLEEPER = ("sleep", "1000")


@pytest.mark.parametrize(
    ("status_code", "words"),
    [(5, "ended with exit code 5"), (137, "was ended by SIGKILL"), (None, "nobody knows how"), (255, "exit code 255")],
)
def test_an_exit_is_told_in_words(status_code: int | None, words: str) -> None:
    assert words in told_exit(status_code)


class Rounds:
    """A supervisor whose clock the test moves."""

    def __init__(self, state: StateFolder) -> None:
        self.state, self.now_s, self.said = state, 0.0, list[str]()
        self.full: str | None = None
        self.supervisor = Supervisor(
            state, PACE, say=self.said.append, clock=lambda: self.now_s, share=calm, full=lambda _: self.full
        )

    def look(self, after_s: float = 0.0) -> None:
        self.now_s += after_s
        self.supervisor.look()

    def see_the_end(self, name: str) -> None:
        """Wait for the process's end, and for its exit status, and note it."""
        record = read_record(self.state, name)
        until(lambda: not is_running(record), f"{name} has ended", deadline_s=20.0)

        def noted() -> bool:
            self.look()
            return read_restarts(self.state, name).next_at_s is not None

        until(noted, f"the end of {name} is noted", deadline_s=20.0)


@pytest.fixture
def state(tmp_path: Path) -> Iterator[StateFolder]:
    folder = StateFolder(tmp_path / "state")
    yield folder
    stop(folder)


def ending(code: int, words: str) -> tuple[str, ...]:
    return (sys.executable, "-c", f"print({words!r}); raise SystemExit({code})")


def test_before_kafka_is_started_again_an_archive_of_classes_that_was_cut_short_is_deleted(
    state: StateFolder, tmp_path: Path
) -> None:
    archive = tmp_path / "kafka-4.jsa"
    archive.write_bytes(b"one")
    processes.start_app(state, KAFKA, ("/bin/sh", "-c", "exec sleep 1000", f"-XX:SharedArchiveFile={archive}"), {})
    rounds = Rounds(state)
    rounds.look()
    assert archive.exists(), "what runs has it mapped, or does without"
    kill_one(state, KAFKA)
    rounds.see_the_end(KAFKA)
    rounds.look(after_s=PACE.longest_s)
    assert is_running(read_record(state, KAFKA))
    assert not archive.exists()
    assert any("damaged and deleted" in line for line in rounds.said)


def test_a_killed_process_comes_back_with_its_log_and_its_environment(state: StateFolder) -> None:
    argv = ("/bin/sh", "-c", 'echo "level $LEVEL"; exec sleep 1000')
    first = processes.start_app(state, "worker", argv, {"LEVEL": "1"})
    until(lambda: "level" in log_path(state, "worker").read_text(), "it runs", deadline_s=20.0)
    rounds = Rounds(state)
    kill_one(state, "worker")
    rounds.see_the_end("worker")
    rounds.look(0.9)
    assert read_record(state, "worker") == first
    rounds.look(0.1)
    second = read_record(state, "worker")
    assert second != first
    assert is_running(second)
    until(lambda: log_path(state, "worker").read_text().count("level 1") == 2, "the log goes on", deadline_s=20.0)
    (row,) = status(state)
    assert (row.past.count, row.past.last_exit, row.state) == (1, 137, "running")
    assert ["was ended by SIGKILL" in line for line in rounds.said] == [True, False]


def test_a_process_that_keeps_ending_is_told_with_its_code_and_its_last_line(state: StateFolder) -> None:
    processes.start_app(state, "worker", ending(4, "no broker at all"), {})
    rounds = Rounds(state)
    for _ in range(3):
        rounds.see_the_end("worker")
        rounds.look(100.0)
    rounds.see_the_end("worker")
    (row,) = status(state)
    assert (row.past.count, row.past.last_exit, row.past.reason) == (3, 4, "its log: no broker at all")
    assert row.past.failing
    assert row.next_start_s is None, "no supervisor process runs here, so nothing will start it"
    assert "keeps failing" in rounds.said[-1]


def test_kafka_is_ended_before_its_disk_is_full_and_started_again_once_there_is_room(state: StateFolder) -> None:
    processes.start_app(state, "worker", SLEEPER, {})
    first = processes.start_app(state, "kafka", SLEEPER, {})
    rounds = Rounds(state)
    rounds.look()
    assert is_running(first)
    rounds.full = "the disk has 3 MB free"
    rounds.look()
    rounds.see_the_end("kafka")
    assert read_restarts(state, "kafka").reason == "the disk has 3 MB free, and was ended"
    assert is_running(read_record(state, "worker"))
    rounds.look(1000.0)
    assert read_record(state, "kafka") == first
    rounds.full = None
    rounds.look()
    assert is_running(read_record(state, "kafka"))


def test_kafka_starts_with_more_room_than_it_ends_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for free_mb, ends, waits in ((400, True, True), (700, False, True), (1000, False, False)):
        free = shutil.disk_usage(tmp_path)._replace(free=free_mb * 1_000_000)
        with monkeypatch.context() as here:
            here.setattr("sonovan.deploy.room.shutil.disk_usage", lambda _, free=free: free)
            assert (lacks_room(tmp_path, runs=True) is not None) == ends
            assert (lacks_room(tmp_path, runs=False) is not None) == waits


def test_an_error_of_an_earlier_run_is_not_told_as_the_reason(state: StateFolder, tmp_path: Path) -> None:
    program = f"cd '{tmp_path}'; if mkdir first 2>/dev/null; then echo ' ERROR first'; else echo second; fi"
    processes.start_app(state, "worker", ("/bin/sh", "-c", program), {})
    rounds = Rounds(state)
    rounds.see_the_end("worker")
    assert read_restarts(state, "worker").reason == "its log: ERROR first"
    rounds.look(10.0)
    rounds.see_the_end("worker")
    assert read_restarts(state, "worker").reason == "its log: second"


def test_what_was_stopped_on_purpose_stays_stopped(state: StateFolder) -> None:
    processes.start_app(state, "worker", SLEEPER, {})
    rounds = Rounds(state)
    rounds.look()
    stop_one(state, "worker")
    rounds.look(1000.0)
    assert [row.state for row in status(state)] == ["stopped"]
    assert rounds.said == []


def test_what_is_stopped_between_its_end_and_its_start_stays_stopped(state: StateFolder) -> None:
    record = processes.start_app(state, "worker", SLEEPER, {})
    kill_one(state, "worker")
    stop_one(state, "worker")
    assert processes.restart(state, record) is None
    assert read_record(state, "worker") is None


def test_what_somebody_else_started_meanwhile_is_not_started_twice(state: StateFolder) -> None:
    record = processes.start_app(state, "worker", SLEEPER, {})
    kill_one(state, "worker")
    other = processes.start_app(state, "worker", SLEEPER, {})
    assert processes.restart(state, record) is None
    assert processes.restart(state, other) is None
    processes.end(state, record)
    assert is_running(other)


def test_one_that_makes_trouble_keeps_nobody_else_from_being_started_again(state: StateFolder, tmp_path: Path) -> None:
    (tmp_path / "gone").mkdir()
    for name, folder in (("damaged", None), ("homeless", tmp_path / "gone"), ("worker", None)):
        processes.start_app(state, name, SLEEPER, {}, cwd=folder)
        kill_one(state, name)
    (tmp_path / "gone").rmdir()
    damaged = record_path(state, "damaged").read_bytes()
    record_path(state, "damaged").write_text("{")
    rounds, told = Rounds(state), set[str]()

    def comes_back() -> bool:
        try:
            rounds.look(1.0)
        except DeployError as error:
            told.update(str(error).split("; "))
        return is_running(read_record(state, "worker"))

    until(comes_back, "the third one runs", deadline_s=20.0)
    record_path(state, "damaged").write_bytes(damaged)
    assert any("damaged.process.json" in line for line in told)
    assert any(line.startswith("homeless ended before it ran") for line in told)


def test_starting_by_hand_begins_a_new_count(state: StateFolder) -> None:
    processes.start_app(state, "worker", SLEEPER, {})
    rounds = Rounds(state)
    kill_one(state, "worker")
    rounds.see_the_end("worker")
    rounds.look(10.0)
    assert read_restarts(state, "worker").count == 1
    processes.start_app(state, "worker", SLEEPER, {"LEVEL": "2"})
    rounds.look()
    assert read_restarts(state, "worker") == Restarts()


def test_a_silent_process_is_ended_and_started_again(state: StateFolder) -> None:
    first = processes.start_app(state, "worker", SLEEPER, {}, health_url="http://127.0.0.1:9/", healthy=lambda: True)
    rounds = Rounds(state)
    rounds.look()
    rounds.look(599.0)
    assert is_running(first)
    rounds.look(1.0)
    rounds.see_the_end("worker")
    rounds.look(1.0)
    assert is_running(read_record(state, "worker"))
    assert "did not answer" in str(read_restarts(state, "worker").reason)
    assert not is_running(first)


def test_a_worker_is_asked_at_the_address_that_it_wrote_down_itself(state: StateFolder, tmp_path: Path) -> None:
    (tmp_path / "healthz").write_text("alive")
    with socketserver.TCPServer(
        ("127.0.0.1", 0), partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path))
    ) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        file = tmp_path / "health.json"
        record = processes.start_app(state, "worker", SLEEPER, {}, health_file=file)
        told = {"pid": record.pid, "address": f"http://127.0.0.1:{server.server_address[1]}"}
        found = []
        for content in ("", json.dumps(told | {"pid": 1}), json.dumps(told)):
            file.write_text(content)
            found += [row.healthy for row in status(state)]
        server.shutdown()
    assert found == [False, False, True]


def test_a_worker_waits_for_the_services(state: StateFolder) -> None:
    """It would only end again; and a service goes first."""
    processes.start_app(state, "minio", SLEEPER, {})
    processes.start_app(state, "worker", SLEEPER, {})
    rounds = Rounds(state)
    kill_one(state, "worker")
    kill_one(state, "minio")
    rounds.see_the_end("worker")
    rounds.see_the_end("minio")
    rounds.look(1.0)
    assert rounds.said[-1].startswith("minio: started again")
    assert not is_running(read_record(state, "worker"))
    rounds.look()
    assert rounds.said[-1].startswith("worker: started again")
    assert {row.state for row in status(state)} == {"running"}


def supervised(state: StateFolder) -> ProcessRecord:
    """Its supervisor, as a process of its own."""
    start_supervisor(state)
    record = read_record(state, SUPERVISOR)
    assert record is not None
    return record


def comes_back(state: StateFolder, name: str, before: ProcessRecord) -> None:
    def again() -> bool:
        now = read_record(state, name)
        return now is not None and now != before and is_running(now)

    until(again, f"{name} comes back", deadline_s=30.0, evidence=lambda: log_path(state, SUPERVISOR).read_text())


def living_in(folder: Path) -> list[str]:
    """Command lines of all processes whose working folder lies in `folder`: programs and those who wait for them."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if process.joinpath("cwd").readlink().is_relative_to(folder):
                found.append(process.joinpath("cmdline").read_text())
    return found


def test_the_process_starts_again_what_is_killed_and_a_second_start_finds_it(state: StateFolder) -> None:
    worker = processes.start_app(state, "worker", SLEEPER, {})
    supervisor = supervised(state)
    kill_one(state, "worker")
    comes_back(state, "worker", worker)
    assert supervised(state) == supervisor


def test_each_folder_has_a_supervisor_of_its_own(state: StateFolder, tmp_path: Path) -> None:
    other = StateFolder(tmp_path / "other")
    try:
        workers = {each: processes.start_app(each, "worker", SLEEPER, {}) for each in (state, other)}
        assert supervised(state).pid != supervised(other).pid
        stop(other)
        kill_one(state, "worker")
        comes_back(state, "worker", workers[state])
        assert [row.state for row in status(other)] == ["stopped", "stopped"]
    finally:
        stop(other)


def test_a_killed_supervisor_leaves_the_rest_running_and_stop_works_without_it(state: StateFolder) -> None:
    worker = processes.start_app(state, "worker", SLEEPER, {})
    supervisor = supervised(state)
    kill_one(state, SUPERVISOR)
    assert is_running(worker)
    assert supervised(state) != supervisor
    kill_one(state, "worker")
    comes_back(state, "worker", worker)
    kill_one(state, SUPERVISOR)
    stop(state)
    until(lambda: not living_in(state.path), "nothing of it is left", deadline_s=20.0)


def test_stop_in_the_middle_of_restarts_leaves_nothing(state: StateFolder) -> None:
    names = [f"worker-{number}" for number in range(1, 6)]
    for name in names:
        processes.start_app(state, name, SLEEPER, {})
    supervised(state)
    for name in names:
        kill_one(state, name)
    until(
        lambda: any(read_restarts(state, name).count for name in names), "the first is started again", deadline_s=30.0
    )
    stop(state)
    until(lambda: not living_in(state.path), "nothing of it is left", deadline_s=20.0)
    assert {row.state for row in status(state)} == {"stopped"}


def test_a_supervisor_that_its_folder_no_longer_knows_ends_by_itself(state: StateFolder) -> None:
    supervisor = supervised(state)
    record_path(state, SUPERVISOR).unlink()
    until(lambda: not is_running(supervisor), "it ends", deadline_s=20.0)


def test_the_exit_of_a_process_is_known_though_its_starter_is_gone(state: StateFolder) -> None:
    script = """
import sys
from sonovan.deploy import processes
from sonovan.deploy.state import StateFolder
processes.start_app(StateFolder(sys.argv[1]), "worker", ["sh", "-c", "sleep 0.2; exit 5"], {})
"""
    subprocess.run([sys.executable, "-c", script, str(state.path)], check=True)
    until(lambda: [row.past.last_exit for row in status(state)] == [5], "its exit is told", deadline_s=20.0)
