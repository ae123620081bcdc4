"""What the spool does to the disk, one method for each effect, in an order that survives a pulled plug.

A test gives a `Disk` of its own, which stops before any of the effects, or forgets what was not made durable.
"""

import os
import sqlite3
from pathlib import Path

from sonovan.producers.private_files import sync_folder


class Disk:
    """The effects on a real disk. Each raises OSError, `commit` sqlite3.Error."""

    def write(self, path: Path, data: bytes) -> None:
        """Make a new file of mode 0600 with these bytes; it is not durable yet."""
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)

    def sync(self, path: Path) -> None:
        """Make the file's bytes durable."""
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def sync_folder(self, folder: Path) -> None:
        """Make the names in the folder durable."""
        sync_folder(folder)

    def remove(self, path: Path) -> None:
        """Remove a file; one that is gone already is no error."""
        path.unlink(missing_ok=True)

    def commit(self, connection: sqlite3.Connection) -> None:
        """End a transaction; it is durable when this returns, for SQLite runs with `synchronous=FULL`."""
        connection.execute("COMMIT")

    def free_bytes(self, folder: Path) -> int:
        """How much this account may still write on the folder's disk."""
        found = os.statvfs(folder)
        return found.f_bavail * found.f_frsize
