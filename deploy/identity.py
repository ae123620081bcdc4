"""Tell which process is ours, so that a signal reaches the process that was started, or nobody."""

import errno
import os
import select
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from sonovan.deploy.errors import DeployError

KILL_WAIT_S = 10.0

_NO_PROCESS = (errno.ESRCH, errno.ENOENT, errno.EINVAL)
"""What the kernel says where nothing has this number, or where it has become that of a thread of another process, then
ENOENT in newer kernels (seen with Linux 6.18) and EINVAL in older ones."""


class ProcessRecord(BaseModel):
    """Which process was started. `pid` alone is reused by the kernel; with boot and start time it names one process."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    pid: int
    start_time: int  # clock ticks since boot, field 22 of /proc/PID/stat
    boot_id: str
    argv_hash: str  # Launch.fingerprint()

    def uptime_s(self) -> float:
        """Seconds since the process started."""
        since_boot_s = float(Path("/proc/uptime").read_text().split()[0])
        return since_boot_s - self.start_time / os.sysconf("SC_CLK_TCK")


def is_running(record: ProcessRecord | None) -> bool:
    """Whether the very process of `record` still runs."""
    if record is None:
        return False
    with _pidfd(record) as handle:
        return handle is not None


def boot_id() -> str:
    """The running boot of this machine: start times of two boots do not compare."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def start_time_of(pid: int) -> int | None:
    """Start time of a live process in clock ticks since boot; None when there is none or it is a zombie."""
    try:
        # The command name stands in brackets and may hold anything; the fields after it start with the state.
        fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in "ZX" else int(fields[19])


@contextmanager
def _pidfd(record: ProcessRecord) -> Iterator[int | None]:
    """A handle on the process of `record`, or None when it no longer runs. The handle never names another process."""
    try:
        handle = os.pidfd_open(record.pid)
    except OSError as error:
        if error.errno not in _NO_PROCESS:
            raise
        yield None
        return
    try:
        ours = start_time_of(record.pid) == record.start_time and boot_id() == record.boot_id
        yield handle if ours else None
    finally:
        os.close(handle)


def send(record: ProcessRecord, number: signal.Signals) -> None:
    """Send a signal to the very process of `record`; nothing where it no longer runs."""
    with _pidfd(record) as handle:
        if handle is not None:
            with suppress(ProcessLookupError):  # it ended just now
                signal.pidfd_send_signal(handle, number)


def kill_group(record: ProcessRecord) -> None:
    """SIGKILL the process of `record` and its children, and wait until it is gone. Raises DeployError if it stays."""
    with _pidfd(record) as handle:
        if handle is not None:
            with suppress(ProcessLookupError):  # it ended just now
                os.killpg(record.pid, signal.SIGKILL)  # the children too: each process leads its own session
    if not wait_end(record, KILL_WAIT_S):
        raise DeployError(
            f"{record.name} (pid {record.pid}) does not end, not even by SIGKILL; see why, then try again"
        )


def wait_end(record: ProcessRecord, timeout_s: float) -> bool:
    """Wait until the process of `record` has ended; False when it still runs after `timeout_s` seconds."""
    with _pidfd(record) as handle:
        if handle is not None:
            poll = select.poll()
            poll.register(handle, select.POLLIN)
            if not poll.poll(max(0.0, timeout_s) * 1000):
                return False
    return True
