"""By which clock the van forgets: its own, but never later than the centre's was when it last took something.

A laptop's clock may be ahead by years. What is deleted because it is old would then go at the next start, although
nobody is through with it. A clock that was set back, and a van that is without a link for weeks, forget later.
"""

from collections.abc import Callable
from typing import Final

from sonovan.producers.spool.database import Database

_SCHEMA: Final = "CREATE TABLE IF NOT EXISTS centre_time (one INTEGER PRIMARY KEY CHECK (one = 1), at REAL NOT NULL);"
_NOTED_EVERY_S: Final = 600.0


class AgingClock:
    """The time that counts for what is old, from the spool's database. Methods raise Transient and Fatal as it does."""

    def __init__(self, db: Database, clock: Callable[[], float]) -> None:
        """clock: the van's own, UNIX seconds."""
        self._db, self._clock, self._noted = db, clock, 0.0
        db.define(_SCHEMA)

    def __call__(self) -> float:
        """UNIX seconds. A van that never reached the centre goes by its own clock."""
        rows = self._db.read("SELECT at FROM centre_time")
        return min(self._clock(), float(rows[0][0])) if rows else self._clock()

    def note(self, at: float) -> None:
        """The centre's clock says this, in UNIX seconds: the newest word counts, also where it is an earlier time."""
        if abs(at - self._noted) >= _NOTED_EVERY_S:
            with self._db.transaction():
                self._db.write("INSERT OR REPLACE INTO centre_time VALUES (1, ?)", at)
            self._noted = at
