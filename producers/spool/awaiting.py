"""Frames that the centre has and that stay, sealed, until the report on their screening says which of them are needed.

A van deletes a frame on the centre's receipt, and the report that names the frames with findings comes after all
receipts. So the file of a frame waits here, for that report alone: never longer than `LONGEST_S`, never more than the
site allows, and not at all once the disk is short.
"""

from typing import Final

from sonovan.contracts.topics import Topic
from sonovan.producers.spool.aging import AgingClock
from sonovan.producers.spool.database import Database
from sonovan.producers.spool.states import HELD, QUEUED, REJECTED, SENT

LONGEST_S: Final = 14 * 86_400.0
"""So long a frame waits for a report at most; where none comes, nobody closed the screening."""
IS_KEPT: Final = "SELECT 1 FROM women WHERE screening_id = ? AND amendment_number = 0"
"""Whether anything is kept of a screening: not where it was forgotten, or opened by a van that keeps nothing."""
_SCHEMA: Final = f"""
CREATE TABLE IF NOT EXISTS awaiting (        -- frames that are stored at the centre, and their encrypted bodies
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    item_id TEXT NOT NULL UNIQUE,
    screening_id TEXT NOT NULL,
    file TEXT NOT NULL,
    size INTEGER NOT NULL,
    since REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS awaiting_by_screening ON awaiting (screening_id);
CREATE TABLE IF NOT EXISTS reported (        -- screenings whose report came, and no frame since that goes to the centre
    screening_id TEXT PRIMARY KEY
) WITHOUT ROWID;
CREATE TRIGGER IF NOT EXISTS reported_before AFTER INSERT ON items
    WHEN NEW.topic = '{Topic.FRAME_CAPTURED}'
    BEGIN DELETE FROM reported WHERE screening_id = NEW.screening_id; END;
CREATE TRIGGER IF NOT EXISTS reported_before_release AFTER UPDATE OF state ON items
    WHEN NEW.topic = '{Topic.FRAME_CAPTURED}' AND NEW.state = '{QUEUED}' AND OLD.state IN ('{HELD}', '{REJECTED}')
    BEGIN DELETE FROM reported WHERE screening_id = NEW.screening_id; END;
"""  # noqa: S608


class Awaiting:
    """The files of such frames. Every method is to be called within a transaction, and names files that go once it has
    ended. Raises Transient and Fatal as `Database`.
    """

    def __init__(self, db: Database, most_bytes: int, aging: AgingClock) -> None:
        """most_bytes: of all files together; 0 has nothing wait."""
        self._db, self._most_bytes, self._aging = db, most_bytes, aging
        db.define(_SCHEMA)

    def take(self, item_id: str, screening_id: str, file: str, size: int) -> list[str]:
        """Have the file of a stored frame wait; the oldest ones go where there are too many, or this one does.

        It goes at once where nothing is kept of its screening: it is void, or was opened by a van that keeps nothing.
        """
        if size > self._most_bytes or not self._db.read(IS_KEPT, screening_id):
            return [file]
        if not self._db.write(
            "INSERT OR IGNORE INTO awaiting (item_id, screening_id, file, size, since) VALUES (?, ?, ?, ?, ?)",
            item_id, screening_id, file, size, self._aging.latest(),
        ):  # fmt: skip
            return [file]
        gone = self.expire()
        excess = self._db.read("SELECT coalesce(sum(size), 0) FROM awaiting")[0][0] - self._most_bytes
        while excess > 0:
            number, oldest = self._db.read("SELECT number, size FROM awaiting ORDER BY number LIMIT 1")[0]
            gone += self._released("number = ?", number)
            excess -= oldest
        return gone

    def file(self, item_id: str) -> str | None:
        """The file of a frame that waits."""
        rows = self._db.read("SELECT file FROM awaiting WHERE item_id = ?", item_id)
        return rows[0][0] if rows else None

    def reported(self, screening_id: str, complete: bool) -> None:
        """Note that a report came that is no preliminary one.

        One that is not complete counts only where nothing is on its way to the centre: on a slow link it is made before
        the last frames are there, and another one follows.
        """
        if complete or not self._under_way(screening_id):
            self._db.write("INSERT OR IGNORE INTO reported VALUES (?)", screening_id)

    def settled(self, screening_id: str) -> list[str]:
        """Let go of a screening's frames if the report came and nothing of it is on its way to the centre any more.

        The last receipts may come after the report, for other workers write them.
        """
        if not self._db.read("SELECT 1 FROM reported WHERE screening_id = ?", screening_id):
            return []
        return [] if self._under_way(screening_id) else self.release(screening_id)

    def _under_way(self, screening_id: str) -> bool:
        asked = "SELECT 1 FROM items WHERE screening_id = ? AND state IN (?, ?) LIMIT 1"
        return bool(self._db.read(asked, screening_id, QUEUED, SENT))

    def release(self, screening_id: str | None = None) -> list[str]:
        """Let go of the frames of a screening, or with None of all."""
        return self._released("screening_id = coalesce(?, screening_id)", screening_id)

    def expire(self) -> list[str]:
        """Let go of frames that waited too long, or by a clock that was ahead; of all where nothing may wait."""
        over, now = self._aging() - LONGEST_S, self._aging.latest()
        return self._released("NOT since BETWEEN ? AND ? OR ? = 0", over, now, self._most_bytes)

    def files(self) -> list[str]:
        """Every file that waits."""
        return [row[0] for row in self._db.read("SELECT file FROM awaiting")]

    def _released(self, where: str, *values: object) -> list[str]:
        files = [row[0] for row in self._db.read(f"SELECT file FROM awaiting WHERE {where}", *values)]  # noqa: S608
        if files:
            self._db.write(f"DELETE FROM awaiting WHERE {where}", *values)  # noqa: S608
        return files
