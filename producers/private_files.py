"""Files that only their owner may read: written whole or not at all."""

import os
from pathlib import Path

from sonovan.contracts.errors import Transient


def write_private(path: Path, text: str) -> None:
    """Write a file of mode 0600 in a folder of mode 0700, replacing it in one step. Raises Transient."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.parent.chmod(0o700)
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise Transient(
            f"cannot write in {path.parent}: {error.strerror}; make room or name another --state"
        ) from error
