"""By which clock the van forgets: its own, but never later than the centre's was when it last took something.

A laptop's clock may be off by years. Ahead, what is deleted because it is old would go at the next start, although
nobody is through with it; behind, what comes now would look old once the clock is right. A van that is without a link
for weeks forgets later.
"""

from collections.abc import Callable
from typing import Final

from sonovan.producers.spool.database import Database

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS centre_time (one INTEGER PRIMARY KEY CHECK (one = 1), at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS clock_behind (one INTEGER PRIMARY KEY CHECK (one = 1), at REAL NOT NULL);
"""
_NOTED_EVERY_S: Final = 600.0
_BEHIND_S: Final = 3600.0
"""A clock that is behind the centre's last word by more than this was set back, or lost its battery."""
_NOT_OVER: Final = 1e12
"""Stands for the end of a time that has not ended: the clock is behind."""


class AgingClock:
    """The time that counts for what is old, from the spool's database. Methods raise Transient and Fatal as it does."""

    def __init__(self, db: Database, clock: Callable[[], float]) -> None:
        """clock: the van's own, UNIX seconds."""
        self._db, self._clock, self._noted = db, clock, 0.0
        db.define(_SCHEMA)

    def __call__(self) -> float:
        """UNIX seconds. A van that never reached the centre goes by its own clock."""
        centre, own = self._at("centre_time"), self._clock()
        return own if centre is None else min(own, centre)

    def latest(self) -> float:
        """UNIX seconds before which everything here came, as far as anybody knows: the later one of both clocks."""
        return max(self._clock(), self._at("centre_time") or 0.0)

    def over(self, kept_s: float) -> float:
        """What came before this time, in UNIX seconds, was kept for so long; minus infinity while it is in doubt.

        It is from when the clock was found behind until the centre's first word after it was right, and for as long
        again as things are kept: what came while it was behind bears a date that is too early.
        """
        behind_until, now = self._at("clock_behind"), self()
        return float("-inf") if behind_until is not None and now - kept_s < behind_until else now - kept_s

    @property
    def behind_s(self) -> float:
        """By how many seconds at least the van's clock is behind, which needs no link; 0 for less than an hour."""
        behind_s = self.latest() - self._clock()
        return behind_s if behind_s > _BEHIND_S else 0.0

    def look(self) -> None:
        """Remember it where the clock is behind now; to be asked at each start, before anything is forgotten."""
        if self.behind_s:
            with self._db.transaction():
                self._behind(_NOT_OVER)

    def note(self, at: float) -> None:
        """The centre's clock says this, in UNIX seconds: the newest word counts, also where it is an earlier time."""
        if abs(at - self._noted) >= _NOTED_EVERY_S:
            with self._db.transaction():
                self._db.write("INSERT OR REPLACE INTO centre_time VALUES (1, ?)", at)
                behind_until = self._at("clock_behind")
                if at - self._clock() > _BEHIND_S:
                    self._behind(_NOT_OVER)
                elif behind_until is not None and behind_until > at:
                    self._behind(at)
            self._noted = at

    def _behind(self, until: float) -> None:
        self._db.write("INSERT OR REPLACE INTO clock_behind VALUES (1, ?)", until)

    def _at(self, table: str) -> float | None:
        rows = self._db.read(f"SELECT at FROM {table}")  # noqa: S608
        return float(rows[0][0]) if rows else None
