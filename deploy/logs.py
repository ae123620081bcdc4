"""Logs of detached processes: the last few of each, none longer than its bound, also while the process runs."""

import os
from pathlib import Path
from typing import Final

LOGS_KEPT: Final = 3
LOG_BYTES: Final = 16 * 1024 * 1024


def rotate(log: Path) -> None:
    """Begin a new log for a process that does not run; harmless where there is none."""
    _make_room(log)
    if log.exists():
        os.replace(log, log.with_name(f"{log.name}.1"))


def is_long(log: Path) -> bool:
    """Whether the log is longer than a process may write before it is put aside."""
    return log.exists() and log.stat().st_size > LOG_BYTES


def put_aside(log: Path) -> None:
    """Copy the log of a running process and empty it, for the process keeps its file open and appends to it.

    Lines that are written between the two are lost. The copy holds the log's newest LOG_BYTES.
    """
    _make_room(log)
    copy = log.with_name(f"{log.name}.1")
    with log.open("rb") as read, open(copy, "wb", opener=_privately) as written:
        read.seek(max(0, log.stat().st_size - LOG_BYTES))
        written.write(read.read(LOG_BYTES))
    os.truncate(log, 0)


def _make_room(log: Path) -> None:
    for number in range(LOGS_KEPT - 1, 0, -1):
        older = log.with_name(f"{log.name}.{number}")
        if older.exists():
            os.replace(older, log.with_name(f"{log.name}.{number + 1}"))


def _privately(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
