"""The gateway's SQLite file, beside the spool's: objects that arrived, and women who are expected.

In the clear stand random names, sizes, times, keyed hashes, states and codes of reasons; all else is sealed.
"""

from pathlib import Path
from typing import Final

from sonovan.producers.spool.database import Database
from sonovan.producers.spool.disk import Disk

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS objects (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    instance TEXT NOT NULL,            -- keyed hash of the SOPInstanceUID
    content TEXT NOT NULL,             -- keyed hash of the object's SHA-256
    file TEXT,                         -- the encrypted object; NULL once composed or discarded
    size INTEGER NOT NULL,
    arrived_at REAL NOT NULL,
    state TEXT NOT NULL,
    reason TEXT,                       -- why it waits in the tray or the quarantine, or was discarded
    about BLOB NOT NULL,               -- sealed: its UIDs, who sent it, what it says of the woman
    assigned BLOB,                     -- sealed: what the operator said of it
    screening_id TEXT,
    UNIQUE (instance, content)
);
CREATE INDEX IF NOT EXISTS objects_by_state ON objects (state, number);
CREATE TABLE IF NOT EXISTS expected (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    slip TEXT NOT NULL UNIQUE,         -- keyed hashes
    accession TEXT NOT NULL UNIQUE,
    study TEXT NOT NULL UNIQUE,
    screening_id TEXT NOT NULL UNIQUE,
    day TEXT NOT NULL,                 -- on which she is expected
    entry BLOB NOT NULL                -- sealed
);
CREATE TABLE IF NOT EXISTS steps (
    instance TEXT PRIMARY KEY,         -- keyed hash of the step's UID
    about BLOB NOT NULL,               -- sealed
    settled INTEGER NOT NULL DEFAULT 0 -- whether all that it made came, or the operator gave up the rest
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS taken_files (
    folder TEXT NOT NULL,              -- keyed hashes of the watched folder and of the file's name in it
    name TEXT NOT NULL,
    was BLOB NOT NULL,                 -- sealed: its name, its place on the disk, size and time when it was taken
    PRIMARY KEY (folder, name)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS watched (
    folder TEXT PRIMARY KEY,           -- keyed hash
    waiting INTEGER NOT NULL           -- files that are not taken yet
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS said (
    number INTEGER PRIMARY KEY,        -- the object's
    screening_id TEXT NOT NULL,
    about BLOB NOT NULL                -- sealed: measurements of a report, fields of the clinical record
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS said_by_screening ON said (screening_id, number);
CREATE TABLE IF NOT EXISTS duty (
    since REAL PRIMARY KEY,
    operator BLOB NOT NULL             -- sealed: the code of who scans from then on
);
CREATE TABLE IF NOT EXISTS checklists (
    screening_id TEXT PRIMARY KEY,
    about BLOB NOT NULL                -- sealed: what was ticked off, what was excused and why, whether she left
) WITHOUT ROWID;
"""


def open_tables(folder: Path, disk: Disk | None = None) -> Database:
    """The tables in a van's folder, made where there are none. Raises Transient, Fatal."""
    return Database(folder / "gateway.sqlite", disk or Disk(), _SCHEMA)
