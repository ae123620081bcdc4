"""Files that only their owner may read: written whole or not at all, and there after a pulled plug."""

import os
from pathlib import Path

from sonovan.contracts.errors import Transient


def write_private(path: Path, data: str | bytes) -> None:
    """Write a file of mode 0600 in a folder of mode 0700, replacing it in one durable step. Raises Transient."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.parent.chmod(0o700)
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as stream:
            stream.write(data.encode() if isinstance(data, str) else data)
            stream.flush()
            os.fsync(stream.fileno())
        beside.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise Transient(
            f"cannot write in {path.parent}: {error.strerror}; make room or name another --state"
        ) from error


def sync_folder(folder: Path) -> None:
    """Make the folder's own entries durable: what was created, renamed or removed in it. Raises OSError."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
