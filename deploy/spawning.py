"""How a detached process comes into being, and how its exit status outlives whoever started it."""

import os
from pathlib import Path

from sonovan.deploy.errors import ServiceFailed
from sonovan.deploy.files import write_private
from sonovan.deploy.identity import ProcessRecord, boot_id, start_time_of
from sonovan.deploy.launches import Launch, log_path, record_path
from sonovan.deploy.state import StateFolder

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
    "JDK_JAVA_OPTIONS",
)

# The shell tells its pid and waits for a line before it becomes the program. So the record is on disk before the
# program runs, and a starter that dies in between leaves nothing behind that nobody knows of.
_GATE = 'echo "$$" >&3 && read -r _ <&4 && exec "$@" 3>&- 4<&-'

# Only its parent learns how a process ended, and the command that starts it is long gone by then. So a shell stays as
# the parent of each process, in a session of its own, waits, and writes "PID STATUS" into a file.
_WAITER = """\
cd "$1" && ended=$2 gate=$3 && shift 3 && exec 3>&1 4<&0 >&2 </dev/null || exit 1
(
    setsid sh -c "$gate" sh "$@" &
    exec 3>&- 4<&- 2>/dev/null
    wait "$!"
    echo "$! $?" >"$ended"
) &
"""


def exit_path(state: StateFolder, name: str) -> Path:
    """Where the pid and exit status of the last process called `name` are written when it has ended."""
    return state.run / f"{name}.exit"


def exit_status(state: StateFolder, record: ProcessRecord) -> int | None:
    """The exit status of the ended process of `record` as a shell tells it: 128 and the signal's number for a signal.

    None where it is not known: the process runs, or nobody was there to see it end (a power cut).
    """
    try:
        pid, status = exit_path(state, record.name).read_text().split()
    except (FileNotFoundError, ValueError):
        return None
    return int(status) if int(pid) == record.pid else None


def spawn(state: StateFolder, launch: Launch) -> ProcessRecord:
    """Start `launch` in a session of its own, its output appended to its log; the caller holds the folder's lock.

    Raises ServiceFailed where it cannot be started at all: no such folder, no `setsid` on this machine.
    """
    exit_path(state, launch.name).unlink(missing_ok=True)
    gate_read, gate_write = os.pipe2(os.O_CLOEXEC)
    pid_read, pid_write = os.pipe2(os.O_CLOEXEC)
    try:
        arguments = (launch.cwd, str(exit_path(state, launch.name)), _GATE, *launch.argv)
        log = str(log_path(state, launch.name))
        inherited = {key: os.environ[key] for key in INHERITED if key in os.environ}
        starter = os.posix_spawn(
            "/bin/sh",
            ["sh", "-c", _WAITER, "sh", *arguments],
            inherited | launch.env,
            file_actions=[
                (os.POSIX_SPAWN_DUP2, gate_read, 0),
                (os.POSIX_SPAWN_DUP2, pid_write, 1),
                (os.POSIX_SPAWN_OPEN, 2, log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
            ],
            setsid=True,
        )
        os.close(pid_write)
        pid_write = -1
        os.waitpid(starter, 0)  # it has left the waiter behind, which nobody needs to wait for
        record = _record(launch, _read_line(pid_read))
        write_private(record_path(state, launch.name), record.model_dump_json(indent=1))
        os.write(gate_write, b"\n")
        return record
    finally:
        for handle in (gate_read, gate_write, pid_read, pid_write):
            if handle >= 0:
                os.close(handle)


def _record(launch: Launch, told: str) -> ProcessRecord:
    started = start_time_of(int(told)) if told else None
    if started is None:
        raise ServiceFailed(f"{launch.name} ended before it ran: see its log")
    return ProcessRecord(
        name=launch.name, pid=int(told), start_time=started, boot_id=boot_id(), argv_hash=launch.fingerprint()
    )


def _read_line(handle: int) -> str:
    told = b""
    while not told.endswith(b"\n"):
        part = os.read(handle, 64)
        if not part:
            return ""
        told += part
    return told.decode().strip()
