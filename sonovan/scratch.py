"""What an embedded run keeps while it lasts: rows, results and label masks, in one temporary file of SQLite.

The file has no name and goes with the process. Its pages beyond CACHE_KIB lie on disk, so that memory does not grow
with the frames. Pixels are not kept: whoever wants frames and a report stored runs over a `FolderStore`.
"""

import sqlite3
from collections.abc import Iterator
from threading import Lock
from typing import Any, Final

from sonovan.contracts.errors import Transient
from sonovan.storage.keys import Bucket
from sonovan.storage.stores import contradiction
from sonovan.stream_apps.assess.rows import Table

CACHE_KIB: Final = 4096
_OBJECTS: Final = "objects"


class Scratch:
    """Rows by table and key, and an ObjectStore of everything but frames and what was rejected.

    Safe to use from several threads. Every method raises Transient where the disk is full or away.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._database = sqlite3.connect("", check_same_thread=False, isolation_level=None)
        self._run(f"PRAGMA cache_size = -{CACHE_KIB}")
        self._run("CREATE TABLE kept (place TEXT, key TEXT, data BLOB, PRIMARY KEY (place, key)) WITHOUT ROWID")

    def row(self, table: str, key: str) -> bytes | None:
        """The row's bytes, None where there is none."""
        return self._find(table, key)

    def write(self, table: str, key: str, data: bytes | None) -> None:
        """Set a row; None deletes it."""
        if data is None:
            self._run("DELETE FROM kept WHERE place = ? AND key = ?", table, key)
        else:
            self._run("INSERT OR REPLACE INTO kept VALUES (?, ?, ?)", table, key, data)

    def keys(self, table: Table) -> tuple[str, ...]:
        """The keys of a table's rows, in order."""
        return tuple(str(key) for (key,) in self._run("SELECT key FROM kept WHERE place = ? ORDER BY key", table))

    def kept_bytes(self) -> int:
        """Bytes of everything that is kept, without what SQLite needs to find it."""
        ((kept,),) = self._run("SELECT COALESCE(SUM(LENGTH(data)), 0) FROM kept")
        return int(kept)

    def put(self, bucket: str, key: str, data: bytes, content_type: str) -> None:
        """See ObjectStore.put; a frame's pixels are let go, those in the bytes of a rejected one too."""
        if bucket in (Bucket.FRAMES, Bucket.QUARANTINE):
            return
        stored = self._find(f"{_OBJECTS}/{bucket}", key)
        if stored is None:
            self._run("INSERT INTO kept VALUES (?, ?, ?)", f"{_OBJECTS}/{bucket}", key, data)
        elif stored != data:
            raise contradiction(bucket, key)

    def get(self, bucket: str, key: str) -> bytes:
        """See ObjectStore.get."""
        data = self._find(f"{_OBJECTS}/{bucket}", key)
        if data is None:
            raise KeyError(f"{bucket}/{key}")
        return data

    def exists(self, bucket: str, key: str) -> bool:
        """See ObjectStore.exists."""
        return self._find(f"{_OBJECTS}/{bucket}", key) is not None

    def delete(self, bucket: str, key: str) -> None:
        """See ObjectStore.delete."""
        self._run("DELETE FROM kept WHERE place = ? AND key = ?", f"{_OBJECTS}/{bucket}", key)

    def below(self, bucket: str, folder: str) -> list[str]:
        """See ObjectStore.below."""
        named = "SELECT key FROM kept WHERE place = ? AND key GLOB ? LIMIT 1000"
        return [str(row[0]) for row in self._run(named, f"{_OBJECTS}/{bucket}", f"{folder}*")]

    def url(self, bucket: str, key: str, expires_s: int) -> str:
        """A name for messages: nobody else can read this file."""
        return f"scratch:{bucket}/{key}"

    def _find(self, place: str, key: str) -> bytes | None:
        found = next(self._run("SELECT data FROM kept WHERE place = ? AND key = ?", place, key), None)
        return None if found is None else bytes(found[0])

    def _run(self, statement: str, *values: str | bytes) -> Iterator[tuple[Any, ...]]:
        with self._lock:
            try:
                return iter(self._database.execute(statement, values).fetchall())
            except sqlite3.OperationalError as error:
                raise Transient(f"the temporary file cannot be used ({error}); free the disk, then try again") from None
