"""A disk that is pulled out before, or within, any of its effects, and a child process to die on it."""

import os
import signal
import sqlite3
from collections.abc import Callable
from pathlib import Path

from sonovan.producers.spool import Disk


class DyingDisk(Disk):
    """Ends the process with SIGKILL at its effect number `die_at`, counted from 0; None counts them only.

    forgetful: whether the plug is pulled as well: bytes that were not fsynced are cut off, names whose folder was not
    fsynced are gone. What SQLite committed is taken to be durable, which `synchronous=FULL` promises.
    """

    def __init__(self, die_at: int | None, *, forgetful: bool = False) -> None:
        self.effects = 0
        self._die_at, self._forgetful = die_at, forgetful
        self._unsynced: set[Path] = set()
        self._unnamed: set[Path] = set()

    def write(self, path: Path, data: bytes) -> None:
        self._effect()
        if self.effects == self._die_at:
            super().write(path, data[: len(data) // 2])
        self._effect()
        super().write(path, data)
        self._unsynced.add(path)
        self._unnamed.add(path)

    def sync(self, path: Path) -> None:
        self._effect()
        super().sync(path)
        self._unsynced.discard(path)

    def sync_folder(self, folder: Path) -> None:
        self._effect()
        super().sync_folder(folder)
        self._unnamed = {path for path in self._unnamed if path.parent != folder}

    def remove(self, path: Path) -> None:
        self._effect()
        super().remove(path)

    def commit(self, connection: sqlite3.Connection) -> None:
        self._effect()
        super().commit(connection)

    def _effect(self) -> None:
        if self.effects == self._die_at:
            if self._forgetful:
                for path in self._unsynced:
                    os.truncate(path, path.stat().st_size // 2)
                for path in self._unnamed:
                    path.unlink()
            os.kill(os.getpid(), signal.SIGKILL)
        self.effects += 1


def in_a_child(live: Callable[[Callable[[str], None]], None]) -> tuple[list[str], int]:
    """Run `live` in a forked process. Returns what it told, line by line, and the status that waitpid gives."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            live(lambda line: (os.write(writing, f"{line}\n".encode()), None)[1])
            code = 0
        finally:
            os._exit(code)
    os.close(writing)
    with os.fdopen(reading) as stream:
        told = [line.rstrip("\n") for line in stream]
    return told, os.waitpid(child, 0)[1]
