"""Detached processes: started with a log, waited for, and ended, each known by its name in one state folder."""

import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from sonovan.deploy.errors import ServiceFailed
from sonovan.deploy.files import write_private
from sonovan.deploy.identity import ProcessRecord, boot_id, is_running, kill_group, send, start_time_of, wait_end
from sonovan.deploy.launches import Launch, launch_path, log_path, read_record, record_path
from sonovan.deploy.probes import answers_ok
from sonovan.deploy.state import StateFolder, silent

STOP_GRACE_S = 20.0
HEALTH_POLL_S = 0.1
PROGRESS_EVERY_S = 5.0
LOGS_KEPT = 3

# What a child takes over from whoever typed `up`; everything else is said explicitly, so a restart runs the same.
INHERITED = (
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "TZ",
    "TMPDIR",
    "XDG_CACHE_HOME",
    "LD_LIBRARY_PATH",
    "CUDA_VISIBLE_DEVICES",
)

# The shell waits for a line on its standard input before it becomes the program. So the record is on disk before the
# program runs, and a starter that dies in between leaves nothing behind that nobody knows of.
_GATE = 'cd "$1" && shift && read -r _ && exec "$@" </dev/null'


def start(state: StateFolder, launch: Launch) -> ProcessRecord:
    """Start `launch` detached; harmless when it runs already. One that runs with another launch is restarted."""
    with state.lock():
        running = read_record(state, launch.name)
        if running is not None and is_running(running):
            if running.argv_hash == launch.fingerprint():
                return running
            stop(state, launch.name)
        _rotate(log_path(state, launch.name))
        write_private(launch_path(state, launch.name), launch.model_dump_json(indent=1))
        return _spawn(state, launch)


def start_app(
    state: StateFolder,
    name: str,
    argv: Sequence[str],
    env: Mapping[str, str],
    *,
    cwd: Path | None = None,
    port: int | None = None,
    health_url: str | None = None,
    healthy: Callable[[], bool] | None = None,
    deadline_s: float = 60.0,
    progress: Callable[[str], None] = silent,
) -> ProcessRecord:
    """Start a worker of the project and wait until it is healthy; harmless when it runs already.

    argv: full command line; no secrets in it, `ps` shows it. env: added to the few INHERITED variables.
    cwd: by default the app's own folder `apps/NAME`. health_url: answers 200 when well, asked by `status` too.
    healthy: asked instead of `health_url` while it starts. With neither, a process that runs is healthy.
    Raises ServiceFailed when it ends, or is not healthy within `deadline_s` seconds.
    """
    with state.lock(progress):
        folder = cwd or state.apps / name
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        launch = Launch(name=name, argv=tuple(argv), env=dict(env), cwd=str(folder), port=port, health_url=health_url)
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
            raise ServiceFailed(f"{record.name} ended while starting: {_last_line(log)} (see {log})")
        if elapsed_s > deadline_s:
            raise ServiceFailed(f"{record.name} is not healthy after {deadline_s:.0f} s: {_last_line(log)} (see {log})")
        if elapsed_s > next_line_s:
            progress(f"{record.name}: starting, {elapsed_s:.0f} s")
            next_line_s += PROGRESS_EVERY_S
        time.sleep(HEALTH_POLL_S)
    progress(f"{record.name}: ready after {time.monotonic() - began:.1f} s")


def stop(state: StateFolder, *names: str, grace_s: float = STOP_GRACE_S) -> None:
    """End the named processes of this folder together: SIGTERM, then after `grace_s` seconds SIGKILL."""
    with state.lock():
        records = [record for name in names if (record := read_record(state, name)) is not None]
        for record in records:
            send(record, signal.SIGTERM)
        give_up_at = time.monotonic() + grace_s
        for record in records:
            if not wait_end(record, give_up_at - time.monotonic()):
                kill_group(record)
            record_path(state, record.name).unlink(missing_ok=True)


def kill(state: StateFolder, name: str) -> None:
    """End `name` like a power cut: SIGKILL to its process group, its record left behind."""
    with state.lock():
        record = read_record(state, name)
        if record is not None:
            kill_group(record)


def _spawn(state: StateFolder, launch: Launch) -> ProcessRecord:
    gate_read, gate_write = os.pipe2(os.O_CLOEXEC)
    try:
        log = str(log_path(state, launch.name))
        inherited = {key: os.environ[key] for key in INHERITED if key in os.environ}
        pid = os.posix_spawn(
            "/bin/sh",
            ["sh", "-c", _GATE, "sh", launch.cwd, *launch.argv],
            inherited | launch.env,
            file_actions=[
                (os.POSIX_SPAWN_DUP2, gate_read, 0),
                (os.POSIX_SPAWN_OPEN, 1, log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
                (os.POSIX_SPAWN_DUP2, 1, 2),
            ],
            setsid=True,
        )
        started = start_time_of(pid)
        if started is None:
            raise ServiceFailed(f"{launch.name} ended before it ran (see {log})")
        record = ProcessRecord(
            name=launch.name, pid=pid, start_time=started, boot_id=boot_id(), argv_hash=launch.fingerprint()
        )
        write_private(record_path(state, launch.name), record.model_dump_json(indent=1))
        os.write(gate_write, b"\n")
        return record
    finally:
        os.close(gate_read)
        os.close(gate_write)


def _rotate(log: Path) -> None:
    for number in range(LOGS_KEPT - 1, 0, -1):
        older = log.with_name(f"{log.name}.{number}")
        if older.exists():
            os.replace(older, log.with_name(f"{log.name}.{number + 1}"))
    if log.exists():
        os.replace(log, log.with_name(f"{log.name}.1"))


def _last_line(log: Path) -> str:
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return "it wrote nothing"
    telling = [line.strip() for line in lines if line.strip()]
    errors = [line for line in telling if " ERROR " in line or " FATAL " in line or line.startswith("Exception in")]
    return (errors or telling or ["it wrote nothing"])[-1][:300]
