"""Detached processes: started with a log, waited for, and ended, each known by its name in one state folder."""

import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from sonovan.deploy.errors import ServiceFailed
from sonovan.deploy.files import write_private
from sonovan.deploy.identity import ProcessRecord, is_running, kill_group, send, wait_end
from sonovan.deploy.launches import Launch, launch_path, log_path, read_launch, read_record, record_path
from sonovan.deploy.logs import delete_old, is_full, put_aside, rotate
from sonovan.deploy.probes import answers_ok
from sonovan.deploy.restarts import forget_restarts
from sonovan.deploy.spawning import exit_path, spawn
from sonovan.deploy.state import StateFolder, silent

STOP_GRACE_S = 20.0
HEALTH_POLL_S = 0.1
PROGRESS_EVERY_S = 5.0
LOG_TAIL_BYTES = 16 * 1024
STARTED_AGAIN = "--- started again"  # begins the line of a log that parts one run of the process from the next


def start(state: StateFolder, launch: Launch) -> ProcessRecord:
    """Start `launch` detached; harmless when it runs already. One that runs with another launch is restarted."""
    with state.lock():
        running = read_record(state, launch.name)
        if running is not None and is_running(running):
            if running.argv_hash == launch.fingerprint():
                return running
            stop(state, launch.name)
        rotate(log_path(state, launch.name))
        write_private(launch_path(state, launch.name), launch.model_dump_json(indent=1))
        forget_restarts(state, launch.name)
        return spawn(state, launch)


def restart(state: StateFolder, record: ProcessRecord) -> ProcessRecord | None:
    """Start the ended process of `record` again just as it was started before, its log appended.

    None, and nothing is done, where `record` is no longer the one that is kept: somebody has stopped the process on
    purpose, or has started it again. The record stays in its place until the new one replaces it, so that a
    process whose restart is cut off still counts as one that should run.
    """
    with state.lock():
        if read_record(state, record.name) != record or is_running(record):
            return None
        launch = read_launch(state, record.name)
        log = log_path(state, record.name)
        if is_full(log, time.time()):
            rotate(log)
        with open(log, "a", encoding="utf-8", opener=_privately) as stream:
            stream.write(f"{STARTED_AGAIN}, {datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}\n")
        return spawn(state, launch)


def bound_log(state: StateFolder, name: str) -> None:
    """Put the log of a running process aside where it has grown long or old, and delete older ones whose time is over.

    The process goes on writing to an empty one.
    """
    log, now_s = log_path(state, name), time.time()
    delete_old(log, now_s)
    if is_full(log, now_s):
        with state.lock():
            if is_full(log, now_s):
                put_aside(log)


def end(state: StateFolder, record: ProcessRecord, *, grace_s: float = STOP_GRACE_S) -> None:
    """End the process of `record` if it is still the one that is kept, its record left behind: it should run."""
    with state.lock():
        if read_record(state, record.name) == record:
            _end([record], grace_s)


def start_app(
    state: StateFolder,
    name: str,
    argv: Sequence[str],
    env: Mapping[str, str],
    *,
    cwd: Path | None = None,
    port: int | None = None,
    health_url: str | None = None,
    health_file: Path | None = None,
    healthy: Callable[[], bool] | None = None,
    deadline_s: float = 60.0,
    progress: Callable[[str], None] = silent,
) -> ProcessRecord:
    """Start a worker of the project and wait until it is healthy; harmless when it runs already.

    argv: full command line; no secrets in it, `ps` shows it. env: added to the few INHERITED variables.
    cwd: by default the app's own folder `apps/NAME`. health_url: answers 200 when well, asked by `status` too.
    health_file: where the process itself writes its pid and address; asked by `status` and the supervisor alone.
    healthy: asked instead of `health_url` while it starts. With neither, a process that runs is healthy.
    Raises ServiceFailed when it ends, or is not healthy within `deadline_s` seconds.
    """
    with state.lock(progress):
        folder = cwd or state.apps / name
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        launch = Launch(
            name=name,
            argv=tuple(argv),
            env=dict(env),
            cwd=str(folder),
            port=port,
            health_url=health_url,
            health_file=None if health_file is None else str(health_file),
        )
        record = start(state, launch)
    if healthy is None and health_url is not None:
        healthy = partial(answers_ok, health_url)
    if healthy is not None:
        wait_healthy(state, record, healthy, deadline_s=deadline_s, progress=progress)
    return record


def wait_healthy(
    state: StateFolder,
    record: ProcessRecord,
    healthy: Callable[[], bool],
    *,
    deadline_s: float,
    progress: Callable[[str], None] = silent,
) -> None:
    """Wait until `healthy()`; progress gets a line when ready and one every few seconds until then.

    Raises ServiceFailed when the process ends first, or after `deadline_s` seconds.
    """
    began = time.monotonic()
    next_line_s = PROGRESS_EVERY_S
    while not healthy():
        elapsed_s = time.monotonic() - began
        log = log_path(state, record.name)
        if not is_running(record):
            raise ServiceFailed(f"{record.name} ended while starting: {last_line(log)} (see {log})")
        if elapsed_s > deadline_s:
            raise ServiceFailed(f"{record.name} is not healthy after {deadline_s:.0f} s: {last_line(log)} (see {log})")
        if elapsed_s > next_line_s:
            progress(f"{record.name}: starting, {elapsed_s:.0f} s")
            next_line_s += PROGRESS_EVERY_S
        time.sleep(HEALTH_POLL_S)
    progress(f"{record.name}: ready after {time.monotonic() - began:.1f} s")


def stop(state: StateFolder, *names: str, grace_s: float = STOP_GRACE_S) -> None:
    """End the named processes of this folder together: SIGTERM, then after `grace_s` seconds SIGKILL."""
    with state.lock():
        records = [record for name in names if (record := read_record(state, name)) is not None]
        _end(records, grace_s)
        for record in records:
            record_path(state, record.name).unlink(missing_ok=True)
            exit_path(state, record.name).unlink(missing_ok=True)
            forget_restarts(state, record.name)


def kill(state: StateFolder, name: str) -> None:
    """End `name` like a power cut: SIGKILL to its process group, its record left behind."""
    with state.lock():
        record = read_record(state, name)
        if record is not None:
            kill_group(record)


def _privately(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _end(records: Sequence[ProcessRecord], grace_s: float) -> None:
    for record in records:
        send(record, signal.SIGTERM)
    give_up_at = time.monotonic() + grace_s
    for record in records:
        if not wait_end(record, give_up_at - time.monotonic()):
            kill_group(record)


def last_line(log: Path) -> str:
    """The line of a process's last run that tells most: its last error near the end of the log, else its last line."""
    try:
        with log.open("rb") as stream:
            stream.seek(max(0, log.stat().st_size - LOG_TAIL_BYTES))
            lines = stream.read().decode(errors="replace").splitlines()
    except FileNotFoundError:
        return "it wrote nothing"
    begins = max((number + 1 for number, line in enumerate(lines) if line.startswith(STARTED_AGAIN)), default=0)
    telling = [line.strip() for line in lines[begins:] if line.strip()]
    errors = [line for line in telling if " ERROR " in line or " FATAL " in line or line.startswith("Exception in")]
    return (errors or telling or ["it wrote nothing"])[-1][:300]
