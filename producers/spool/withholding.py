"""What stays on the van because she withdrew her consent: unsent frames, and her answers where she withdrew all of it.

Nothing is deleted. What would be queued is `withheld` instead, by triggers of the database, so that no way into the
queue leads past them: a new frame, one that is released, one that is tried again. An amendment that is taken back
queues it.
"""

from typing import Final

from sonovan.contracts.topics import Topic
from sonovan.producers.spool.database import Database
from sonovan.producers.spool.states import QUEUED, WITHHELD

_ITS: Final = f"'{Topic.FRAME_CAPTURED}' OR (told = 1 AND {{item}}.topic = '{Topic.FEATURES_RECORDED}')"
_ABOUT: Final = (
    "EXISTS (SELECT 1 FROM withdrawn"  # noqa: S608 - constants of this project alone are put together here
    " WHERE withdrawn.screening_id = {item}.screening_id AND ({item}.topic = " + _ITS + "))"
)
IS_WITHDRAWN: Final = _ABOUT.format(item="items")
"""Whether an item is of what she withdrew, as a condition of SQL."""
_SCHEMA: Final = f"""
CREATE TABLE IF NOT EXISTS withdrawn (       -- by which amendments in force; never forgotten
    screening_id TEXT NOT NULL, amendment_number INTEGER NOT NULL,
    told INTEGER NOT NULL,                   -- whether her answers are meant as well
    PRIMARY KEY (screening_id, amendment_number)
) WITHOUT ROWID;
CREATE TRIGGER IF NOT EXISTS withhold_new AFTER INSERT ON items
    WHEN NEW.state = '{QUEUED}' AND {_ABOUT.format(item="NEW")}
    BEGIN UPDATE items SET state = '{WITHHELD}' WHERE number = NEW.number; END;
CREATE TRIGGER IF NOT EXISTS withhold_again AFTER UPDATE OF state ON items
    WHEN NEW.state = '{QUEUED}' AND {_ABOUT.format(item="NEW")}
    BEGIN UPDATE items SET state = '{WITHHELD}' WHERE number = NEW.number; END;
"""  # noqa: S608


class Withholding:
    """The withdrawals of a spool's screenings. Raises Transient and Fatal as `Database`."""

    def __init__(self, db: Database) -> None:
        self._db = db
        db.define(_SCHEMA)

    def withdraw(self, screening_id: str, amendment_number: int, *, told: bool) -> None:
        """Withhold what is unsent of a screening: its frames, and with `told` her answers. To be called within the
        transaction that puts the amendment.
        """
        with self._db.transaction():
            self._db.write("INSERT OR IGNORE INTO withdrawn VALUES (?, ?, ?)", screening_id, amendment_number, told)
            self._queue_again(screening_id, QUEUED)

    def take_back(self, screening_id: str, amendment_number: int) -> None:
        """This amendment was a mistake: queue what it alone withheld. To be called as `withdraw`."""
        with self._db.transaction():
            self._db.write(
                "DELETE FROM withdrawn WHERE screening_id = ? AND amendment_number = ?", screening_id, amendment_number
            )
            self._queue_again(screening_id, WITHHELD)

    def _queue_again(self, screening_id: str, state: str) -> None:
        """Queue what is in this state; the triggers withhold what has to be."""
        self._db.write("UPDATE items SET state = ? WHERE screening_id = ? AND state = ?", QUEUED, screening_id, state)
