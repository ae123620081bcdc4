"""Logs of detached processes: the last few of each, none longer or older than its bound, while they run as well."""

import os
from pathlib import Path
from typing import Final

LOGS_KEPT: Final = 3
LOG_BYTES: Final = 16 * 1024 * 1024
LOG_DAYS: Final = 7
"""A log is put aside once it was begun so many days ago, long or not."""
KEPT_DAYS: Final = 30
"""An older log is deleted so many days after its last line, so that no line is older than these and LOG_DAYS."""

_DAY_S: Final = 86_400


def rotate(log: Path) -> None:
    """Begin a new log for a process that does not run; harmless where there is none."""
    _make_room(log)
    _begun(log).unlink(missing_ok=True)
    if log.exists():
        os.replace(log, log.with_name(f"{log.name}.1"))


def is_full(log: Path, now_s: float) -> bool:
    """Whether the log is longer or older than it may be before it is put aside. now_s: seconds since the epoch.

    Since when it is written into stands in a file beside it, for the log itself shows only when it was last.
    """
    if not log.exists():
        return False
    begun = _begun(log)
    if not begun.exists():
        begun.touch(mode=0o600)
    aged = now_s - begun.stat().st_mtime > LOG_DAYS * _DAY_S and log.stat().st_size > 0
    return aged or log.stat().st_size > LOG_BYTES


def delete_old(log: Path, now_s: float) -> None:
    """Delete the older logs of a process whose last line is KEPT_DAYS old. now_s: seconds since the epoch."""
    for number in range(1, LOGS_KEPT + 1):
        older = log.with_name(f"{log.name}.{number}")
        if older.exists() and now_s - older.stat().st_mtime > KEPT_DAYS * _DAY_S:
            older.unlink()


def put_aside(log: Path) -> None:
    """Copy the log of a running process and empty it, for the process keeps its file open and appends to it.

    Lines that are written between the two are lost. The copy holds the log's newest LOG_BYTES.
    """
    _make_room(log)
    copy = log.with_name(f"{log.name}.1")
    with log.open("rb") as read, open(copy, "wb", opener=_privately) as written:
        read.seek(max(0, log.stat().st_size - LOG_BYTES))
        written.write(read.read(LOG_BYTES))
    os.utime(copy, (log.stat().st_mtime,) * 2)
    os.truncate(log, 0)
    _begun(log).unlink(missing_ok=True)


def _begun(log: Path) -> Path:
    return log.with_name(f".{log.name}.begun")


def _make_room(log: Path) -> None:
    for number in range(LOGS_KEPT - 1, 0, -1):
        older = log.with_name(f"{log.name}.{number}")
        if older.exists():
            os.replace(older, log.with_name(f"{log.name}.{number + 1}"))


def _privately(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
