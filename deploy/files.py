"""Private files that are either whole or absent, and locks between processes."""

import fcntl
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sonovan.deploy.errors import DeployError

LOCK_POLL_S = 0.1


def write_private(path: Path, text: str) -> None:
    """Write `text` (UTF-8) to `path` with mode 0600; a power cut leaves either the old file or the new one."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mkstemp creates with 0600
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make renames inside `folder` survive a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def locked(path: Path, *, waiting: Callable[[], None], deadline_s: float) -> Iterator[None]:
    """Hold an exclusive lock on `path` between processes; the kernel drops it when its holder dies.

    waiting: called once when somebody else holds the lock.
    Raises DeployError when the lock is not free within `deadline_s` seconds.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        give_up_at = time.monotonic() + deadline_s
        told = False
        while not _try_lock(handle):
            if not told:
                waiting()
                told = True
            if time.monotonic() > give_up_at:
                raise DeployError(f"another process has held {path} for {deadline_s:.0f} s; wait for it or end it")
            time.sleep(LOCK_POLL_S)
        yield
    finally:
        os.close(handle)


def _try_lock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
