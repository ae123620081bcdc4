"""What the van keeps for a woman's next visit: where something was found, and the frame that shows it, as it was sent.

It comes from the centre's report (`sonovan.contracts.answers.Pointed`), is found again by a keyed hash of her subject
key, and holds places alone, nothing of what they may be. Silence says nothing: she may have been scanned by another
van, or what was kept is gone.
"""

import logging
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

import msgpack
from pydantic import TypeAdapter

from sonovan.contracts.answers import Pointed, PointedPlace, VanAnswered
from sonovan.contracts.errors import Fatal, Transient
from sonovan.contracts.limits import MIB
from sonovan.producers.spool.aging import AgingClock
from sonovan.producers.spool.awaiting import IS_KEPT, Awaiting
from sonovan.producers.spool.bodies import Bodies
from sonovan.producers.spool.database import Database, Row
from sonovan.producers.vault import Vault

_LOG: Final = logging.getLogger(__name__)

LARGEST_PICTURE: Final = 4 * MIB
"""A frame whose message is larger is not kept; its place is."""
_AT_ONCE: Final = 8 * MIB
"""So much is deleted in one transaction where a lot is."""
_PLACE_BYTES: Final = 4096
"""What a place without its picture takes in the database: a page of SQLite at most."""
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS women (           -- whose a screening is: by its opening (0; without it nothing of the
                                             -- screening is kept), by amendments in force
    screening_id TEXT NOT NULL,
    amendment_number INTEGER NOT NULL,
    woman TEXT NOT NULL,                     -- keyed hash of her subject key
    PRIMARY KEY (screening_id, amendment_number)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS women_by_woman ON women (woman);
CREATE TABLE IF NOT EXISTS earlier (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    screening_id TEXT NOT NULL,
    revision INTEGER NOT NULL,               -- of the report that told it
    kept_at REAL NOT NULL,
    size INTEGER NOT NULL,                   -- of the picture, 0 without one
    about BLOB NOT NULL,                     -- sealed: the place, the frame, the outline, the day
    picture BLOB                             -- sealed: the frame's message
);
CREATE INDEX IF NOT EXISTS earlier_by_screening ON earlier (screening_id);
CREATE TABLE IF NOT EXISTS sides_amended (   -- places of a report that rests on fewer amendments may be of another side
    screening_id TEXT PRIMARY KEY,
    amendment_number INTEGER NOT NULL
) WITHOUT ROWID;
"""
_HERS: Final = (
    "SELECT screening_id FROM women AS hers WHERE woman = ? AND amendment_number ="
    " (SELECT max(amendment_number) FROM women WHERE women.screening_id = hers.screening_id)"
)


@dataclass(frozen=True, slots=True)
class _About:
    """What is sealed of one place.

    more: findings of that examination whose places this van was not told. revision_id: of the report that told it; None
    where an earlier version of this program kept it.
    """

    place: PointedPlace
    examined_on: date
    more: int
    revision_id: str | None = None


@dataclass(frozen=True, slots=True)
class EarlierPlace:
    """A place of an earlier examination. number: by which its picture is asked for. has_picture: whether it is here.

    more: findings of that examination whose places this van was not told.
    """

    number: int
    screening_id: str
    place: PointedPlace
    examined_on: date
    more: int
    has_picture: bool


_ABOUT: Final = TypeAdapter(_About)


class Earlier:
    """What is kept in the spool's database. Raises Transient and Fatal as `Database` and `Vault`."""

    def __init__(
        self,
        db: Database,
        vault: Vault,
        bodies: Bodies,
        awaiting: Awaiting,
        *,
        most_bytes: int,
        longest_s: float,
        aging: AgingClock,
    ) -> None:
        """most_bytes: of all pictures together; 0 keeps nothing. longest_s: so long a place is kept."""
        self._db, self._vault, self._bodies, self._awaiting = db, vault, bodies, awaiting
        self._most_bytes, self._longest_s, self._aging = most_bytes, longest_s, aging
        db.define(_SCHEMA)

    @property
    def keeps(self) -> bool:
        """Whether this van keeps anything for the next visit."""
        return self._most_bytes > 0

    # Whose a screening is; each to be called within the transaction that puts the record which says so

    def opened(self, screening_id: str, subject_key: str) -> None:
        """A screening was opened, of the woman with this key."""
        if self.keeps:
            self._db.write("INSERT OR REPLACE INTO women VALUES (?, 0, ?)", screening_id, self._hidden(subject_key))

    def is_of(self, screening_id: str, amendment_number: int, subject_key: str) -> None:
        """An amendment says that the screening is of the woman with this key: what is kept of it is hers.

        That is noted also where nothing is kept of this screening, for it says whose pictures are shown beside it.
        """
        woman = self._hidden(subject_key)
        self._db.write("INSERT OR REPLACE INTO women VALUES (?, ?, ?)", screening_id, amendment_number, woman)

    def side_changed(self, screening_id: str, number: int) -> None:
        """The amendment of this number says that sweeps are of another side: the places of a report that does not rest
        on it are not kept, also where it is under way and comes later.

        A report that does brings them again, of the right side.
        """
        self._db.write("INSERT OR REPLACE INTO sides_amended VALUES (?, ?)", screening_id, number)
        self._db.write("DELETE FROM earlier WHERE screening_id = ?", screening_id)

    def take_back(self, screening_id: str, amendment_number: int, number: int) -> None:
        """That amendment was a mistake, says the one of this number. Which kind it was is known of another woman alone;
        of all others it may have been the side, so that the places go as with `side_changed`.
        """
        asked = "DELETE FROM women WHERE screening_id = ? AND amendment_number = ? AND amendment_number > 0"
        if not self._db.write(asked, screening_id, amendment_number):
            self.side_changed(screening_id, number)

    # What the centre tells

    def note(self, answer: VanAnswered, pointed: Pointed | None, started_at: float | None) -> list[str]:
        """Keep what a report says; files that go once the transaction has ended. To be called within it.

        pointed: the places, where the van believes them; the report on their revision comes after them. started_at:
        UNIX seconds at which the screening began here, None where this spool never had it. A report that says nothing
        of her pictures any more has all of it forgotten.
        """
        screening_id = answer.screening_id
        if screening_id is None:
            return []
        if answer.findings is None:
            return self.forget(screening_id)
        known = pointed is not None and self._rests_on_sides(screening_id, pointed)
        if self.keeps and pointed is not None and known and started_at is not None and self._may_keep(screening_id):
            self._replace(screening_id, answer, pointed, started_at)
            self._trim(len(pointed.places) * LARGEST_PICTURE)
        if answer.status not in ("complete", "incomplete"):
            return []
        self._awaiting.reported(screening_id, answer.status == "complete")
        return self._awaiting.settled(screening_id)

    def _may_keep(self, screening_id: str) -> bool:
        silenced = self._db.read("SELECT 1 FROM silenced WHERE screening_id = ?", screening_id)
        return not silenced and bool(self._db.read(IS_KEPT, screening_id))

    def _rests_on_sides(self, screening_id: str, pointed: Pointed) -> bool:
        """Whether the centre knew every amendment of a side that this van made when it told these places."""
        asked = "SELECT 1 FROM sides_amended WHERE screening_id = ? AND amendment_number > ?"
        return not self._db.read(asked, screening_id, pointed.amended or 0)

    def _replace(self, screening_id: str, answer: VanAnswered, pointed: Pointed, started_at: float) -> None:
        """Have the places of this report stand in the place of those of an earlier one.

        Where the centre died before it published a revision, another one of its number takes its place as well.
        """
        revision = answer.revision_number or 0
        asked = "SELECT number, screening_id, about, picture, revision FROM earlier WHERE screening_id = ?"
        rows = self._db.read(asked, screening_id)
        opened = [(about, row) for row in rows if (about := self._opened(row)) is not None]
        same = any(row[4] == revision and about.revision_id == answer.revision_id for about, row in opened)
        if same or any(row[4] > revision for row in rows):
            return
        before = {about.place.finding_id: (about.place, row[3]) for about, row in opened}
        self._db.write("DELETE FROM earlier WHERE screening_id = ?", screening_id)
        day = pointed.examined_on or datetime.fromtimestamp(started_at, UTC).astimezone().date()
        for told in pointed.places:
            place, picture = told, self._picture_of(told.key_frame_id, screening_id)
            was = before.get(told.finding_id)
            if picture is None and was is not None and was[1] is not None:  # the frame of before still shows it
                shown, picture = was
                if told.key_frame_id != shown.key_frame_id:  # else what was told is drawn on this very frame
                    place = told.model_copy(update={"key_frame_id": shown.key_frame_id, "outline": shown.outline})
            kept = _ABOUT.dump_json(_About(place, day, pointed.more, answer.revision_id))
            self._db.write(
                "INSERT INTO earlier (screening_id, revision, kept_at, size, about, picture) VALUES (?, ?, ?, ?, ?, ?)",
                screening_id, revision, self._aging.latest(), len(picture or b""),
                self._vault.seal(kept, f"earlier {screening_id}"), picture,
            )  # fmt: skip

    def _picture_of(self, frame_id: str, screening_id: str) -> bytes | None:
        """The message of a frame, sealed to be kept; None where it is not here any more, or there is no room."""
        rows = self._db.read("SELECT file FROM items WHERE item_id = ? AND file IS NOT NULL", frame_id)
        file = rows[0][0] if rows else self._awaiting.file(frame_id)
        try:
            packed = None if file is None else self._bodies.read(file, frame_id)
            if packed is None or len(packed) > LARGEST_PICTURE or not self._bodies.has_room(2 * len(packed)):
                return None
        except (Fatal, Transient, OSError) as error:  # that stops whoever has to send it, not the receipts that come
            _LOG.warning("no picture is kept of a frame: %s", error)
            return None
        _, value, _ = msgpack.unpackb(packed)
        return self._vault.seal(value, _about_picture(screening_id, frame_id))

    # Looking

    def of(self, subject_key: str, today: str) -> list[EarlierPlace]:
        """What is kept of the woman with this key, the newest examination first, each by place.

        today: the screening that is under way, which is no earlier one. Where an amendment says that it is of another
        woman, what is kept of that one.
        """
        if not self.keeps:
            return []
        rows = self._db.read(
            "SELECT number, screening_id, about, picture IS NOT NULL FROM earlier"  # noqa: S608
            f" WHERE screening_id IN ({_HERS})"
            " AND screening_id != ? AND kept_at >= ? ORDER BY number",
            self._woman(subject_key, today), today, self._aging() - self._longest_s,
        )  # fmt: skip
        shown = []
        for row in rows:
            if (about := self._opened(row)) is not None:
                shown.append(EarlierPlace(row[0], row[1], about.place, about.examined_on, about.more, bool(row[3])))
        return sorted(shown, key=lambda each: (each.examined_on, each.screening_id), reverse=True)

    def picture(self, subject_key: str, today: str, number: int) -> tuple[EarlierPlace, bytes] | None:
        """One place of those in `of`, with its frame's message; None where it is none of them, or has none any more."""
        found = self.of(subject_key, today)
        place = next((each for each in found if each.number == number and each.has_picture), None)
        rows = place and self._db.read("SELECT picture FROM earlier WHERE number = ? AND picture IS NOT NULL", number)
        if not place or not rows:
            return None
        try:
            return place, self._vault.unseal(rows[0][0], _about_picture(place.screening_id, place.place.key_frame_id))
        except Fatal as error:
            _LOG.warning("a picture that was kept of screening %s cannot be read: %s", place.screening_id, error)
            return None

    def count(self, screening_id: str) -> int:
        """How many places are kept of a screening."""
        return int(self._db.read("SELECT count(*) FROM earlier WHERE screening_id = ?", screening_id)[0][0])

    # Letting go

    def forget(self, screening_id: str) -> list[str]:
        """Delete what is kept of a screening, and keep nothing of it any more; files that go once this has ended.

        Nothing brings it back, not even an amendment that takes back the one for which it went. What stays is the keyed
        hash of the woman to whom an amendment gave the screening: beside it nobody else's pictures are shown.
        """
        with self._db.transaction():
            self._db.write("DELETE FROM earlier WHERE screening_id = ?", screening_id)
            self._db.write("DELETE FROM women WHERE screening_id = ? AND amendment_number = 0", screening_id)
            return self._awaiting.release(screening_id)

    def expire(self) -> None:
        """Delete what was kept long enough, or all where this van keeps nothing, and frames that waited too long.

        Where the site lowers the limit that may be a GiB, and the disk short. What is deleted is overwritten and passes
        through SQLite's log on its way: so a little goes at a time, and the log is written over between.
        """
        with self._db.transaction():
            files = self._awaiting.expire()
        self._bodies.remove(files)
        more = True
        while more:
            with self._db.transaction():
                more = self._trim(_AT_ONCE)

    def _trim(self, room: int) -> bool:
        """Delete places that were kept long enough, and whose screenings of that time are; then pictures, the oldest
        first, while there are too many. Not much more than `room` bytes go; whether further ones have to.
        """
        now, over = self._aging.latest(), self._aging() - self._longest_s
        self._db.write("UPDATE earlier SET kept_at = ? WHERE kept_at > ?", now, now)  # the clock was set back
        for table in ("women", "sides_amended"):
            old = "SELECT screening_id FROM screenings WHERE started_at < ?"
            self._db.write(f"DELETE FROM {table} WHERE screening_id IN ({old})", self._aging.over(self._longest_s))  # noqa: S608
        too_old = "SELECT number, size FROM earlier WHERE kept_at < ? OR ? ORDER BY number"
        for number, size in self._db.read(too_old, over, not self.keeps):
            if room <= 0:
                return True
            self._db.write("DELETE FROM earlier WHERE number = ?", number)
            room -= size + _PLACE_BYTES
        excess = self._db.read("SELECT coalesce(sum(size), 0) FROM earlier")[0][0] - self._most_bytes
        while excess > 0:
            if room <= 0:
                return True
            oldest = "SELECT number, size FROM earlier WHERE size > 0 ORDER BY number LIMIT 1"
            number, size = self._db.read(oldest)[0]
            self._db.write("UPDATE earlier SET picture = NULL, size = 0 WHERE number = ?", number)
            room, excess = room - size, excess - size
        return False

    def _opened(self, row: Row) -> _About | None:
        """What is sealed in a row of number, screening, about …; None where it is damaged or another vault's, for one
        such row must neither end the receipts nor her whole page.
        """
        try:
            return _ABOUT.validate_json(self._vault.unseal(row[2], f"earlier {row[1]}"))
        except (Fatal, ValueError) as error:
            reason = error if isinstance(error, Fatal) else "it is of another version"
            _LOG.warning("a place that was kept of screening %s cannot be read: %s", row[1], reason)
            return None

    def _woman(self, subject_key: str, today: str) -> str:
        """The keyed hash by which the woman of a screening is found."""
        asked = "SELECT woman FROM women WHERE screening_id = ? AND amendment_number > 0 ORDER BY amendment_number DESC"
        amended = self._db.read(asked, today)
        return str(amended[0][0]) if amended else self._hidden(subject_key)

    def _hidden(self, subject_key: str) -> str:
        return self._vault.mac(f"subject {subject_key}")


def _about_picture(screening_id: str, frame_id: str) -> str:
    return f"earlier picture {screening_id} {frame_id}"
