"""The spool's SQLite file: one connection, short transactions that are durable when they end, three errors.

What stands in the clear: random ids, topics, counts, sizes, times, hashes, organ and side of a sequence, and until its
screening is purged the code of who scanned it. What could name a woman or tell what was found is sealed by the vault,
as are the bodies, which lie in files of their own.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import Any, Final, TypeAlias

from sonovan.contracts.errors import Fatal, Transient
from sonovan.producers.spool.disk import Disk

Row: TypeAlias = tuple[Any, ...]

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS screenings (
    rank INTEGER PRIMARY KEY AUTOINCREMENT,  -- the order in which they began
    screening_id TEXT NOT NULL UNIQUE,
    started_at REAL NOT NULL,
    consent TEXT NOT NULL,
    visit BLOB,                              -- sealed; NULL once the opening is among the items
    frames INTEGER NOT NULL DEFAULT 0,
    closing_number INTEGER NOT NULL DEFAULT 0,
    changed INTEGER NOT NULL DEFAULT 1       -- whether something came since the newest closing
);
CREATE INDEX IF NOT EXISTS still_here ON screenings (changed, rank);
CREATE TABLE IF NOT EXISTS numbers (         -- how many records of a topic that counts them were made, purged ones too
    screening_id TEXT NOT NULL, topic TEXT NOT NULL, newest INTEGER NOT NULL, PRIMARY KEY (screening_id, topic)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sequences (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    sequence_id TEXT NOT NULL UNIQUE,
    screening_id TEXT NOT NULL,
    origin TEXT,                             -- keyed hash of what it was made from
    about TEXT NOT NULL,                     -- JSON: organ, laterality, view, position, operator where somebody said so
    warnings TEXT NOT NULL DEFAULT '[]',
    ended INTEGER NOT NULL DEFAULT 0,
    closing_number INTEGER NOT NULL DEFAULT 0,
    changed INTEGER NOT NULL DEFAULT 1,
    purged INTEGER NOT NULL DEFAULT 0,       -- its frames are no longer known, so that it cannot go on
    UNIQUE (screening_id, origin)
);
CREATE TABLE IF NOT EXISTS frames (
    sequence_id TEXT NOT NULL,
    frame_index INTEGER NOT NULL,
    content_sha256 TEXT,                     -- NULL: nothing of it can be sent
    made_sha256 TEXT,                        -- as it was made, before the operator hid something
    reason TEXT,                             -- why it is set aside; NULL: it is sent
    discarded INTEGER NOT NULL DEFAULT 0,
    origin TEXT,
    PRIMARY KEY (sequence_id, frame_index)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS frames_by_origin ON frames (origin) WHERE origin IS NOT NULL;
CREATE TABLE IF NOT EXISTS items (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    item_id TEXT NOT NULL UNIQUE,
    screening_id TEXT NOT NULL,
    rank INTEGER NOT NULL,
    urgency INTEGER NOT NULL,                -- states.urgency
    stage INTEGER NOT NULL,
    level INTEGER NOT NULL,
    topic TEXT NOT NULL,
    content_sha256 TEXT NOT NULL,
    size INTEGER NOT NULL,
    file TEXT,                               -- the encrypted body; NULL once the centre has it
    state TEXT NOT NULL,
    reason TEXT,
    retryable INTEGER NOT NULL DEFAULT 0,
    added_at REAL NOT NULL,
    sent_at REAL,
    exported INTEGER NOT NULL DEFAULT 0      -- whether it lies on a disk that was taken along
);
CREATE INDEX IF NOT EXISTS upload_order ON items (state, urgency, rank, stage, level, number);
CREATE INDEX IF NOT EXISTS sent_order ON items (state, sent_at);
CREATE INDEX IF NOT EXISTS kept ON items (state, sent_at, number, size) WHERE file IS NOT NULL;
CREATE INDEX IF NOT EXISTS items_of_screening ON items (screening_id, state, size, added_at, exported);
CREATE INDEX IF NOT EXISTS items_by_state ON items (state, size, added_at, exported);
CREATE TABLE IF NOT EXISTS reports (screening_id TEXT PRIMARY KEY, revision_number INTEGER NOT NULL, answer BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS couch (           -- her screening is closed, and since then she is still in the van
    screening_id TEXT PRIMARY KEY, since REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS silenced (screening_id TEXT PRIMARY KEY);  -- no machine reads their pictures; never forgotten
CREATE TABLE IF NOT EXISTS doubted (item_id TEXT PRIMARY KEY);  -- answered under a name that is not the centre's key
CREATE TABLE IF NOT EXISTS positions (partition INTEGER PRIMARY KEY, next_offset INTEGER NOT NULL);
"""  # noqa: E501


class SpoolDamaged(Fatal):
    """The spool's own file is damaged: nothing can be kept in it any more."""


class Database:
    """One connection for all threads of this process, which take turns; other processes wait up to a minute.

    Every method raises Transient, naming the folder, where the disk is full or does not answer, and Fatal where the
    file is damaged.
    """

    def __init__(self, path: Path, disk: Disk, schema: str = _SCHEMA) -> None:
        """schema: statements that make the tables where there are none; those of the spool."""
        self.path, self._disk = path, disk
        self._turn = RLock()
        with self.translating():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._db = sqlite3.connect(path, timeout=60.0, isolation_level=None, check_same_thread=False)
            path.chmod(0o600)
            for pragma in (
                "journal_mode=WAL",
                "synchronous=FULL",
                "secure_delete=ON",
                "wal_autocheckpoint=500",  # pages of 4 KiB: the log stays far below what is left free for it
                "journal_size_limit=4194304",
            ):
                self._db.execute(f"PRAGMA {pragma}").fetchall()
            self._db.executescript(schema)

    def define(self, schema: str) -> None:
        """Make further tables and triggers where there are none."""
        with self.translating(), self._turn:
            self._db.executescript(schema)

    def read(self, statement: str, *values: object) -> list[Row]:
        """The rows of a query, within the transaction of this thread where one is open."""
        with self.translating(), self._turn:
            return self._db.execute(statement, values).fetchall()

    def write(self, statement: str, *values: object) -> int:
        """Change rows; how many. To be called within `transaction`."""
        with self.translating(), self._turn:
            return self._db.execute(statement, values).rowcount

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of the block or nothing; it is durable when the block has ended. The block may stand in another one."""
        with self.translating(), self._turn:
            if self._db.in_transaction:
                yield
                return
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._disk.commit(self._db)
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    @property
    def synchronous(self) -> int:
        """2: every transaction is fsynced."""
        return int(self.read("PRAGMA synchronous")[0][0])

    def close(self) -> None:
        """End the connection."""
        with self._turn:
            self._db.close()

    @contextmanager
    def translating(self) -> Iterator[None]:
        """Errors of SQLite and of the disk as the project's own."""
        folder = self.path.parent
        try:
            yield
        except sqlite3.OperationalError as error:
            raise Transient(f"the spool in {folder} cannot be used ({error}); make room and try again") from error
        except sqlite3.DatabaseError as error:
            raise SpoolDamaged(f"the spool {self.path} is damaged ({error}); move it away and keep it") from error
        except OSError as error:
            raise Transient(f"the spool in {folder} cannot be used ({error.strerror}); try again") from error
