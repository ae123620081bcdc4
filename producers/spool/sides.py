"""Which side sweeps show by amendments, for lights and lists: what was sent of them still says the side of before."""

from collections.abc import Sequence
from typing import Final

from sonovan.contracts.lexicon import Side
from sonovan.producers.spool.database import Database

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS sweep_sides (     -- by amendments in force; the newest counts
    sequence_id TEXT NOT NULL, amendment_number INTEGER NOT NULL, screening_id TEXT NOT NULL,
    side TEXT,                               -- NULL: the one as which it was taken
    PRIMARY KEY (sequence_id, amendment_number)
) WITHOUT ROWID;
"""


class SweepSides:
    """The sides in the spool's database. Methods are called within the transaction that puts the amendment."""

    def __init__(self, db: Database) -> None:
        self._db = db
        db.define(_SCHEMA)

    def amended(self, screening_id: str, number: int, sequence_ids: Sequence[str], side: Side | None) -> None:
        """The amendment of this number says that sweeps show this side; None: the one as which they were taken."""
        for sequence_id in sequence_ids:
            self._db.write(
                "INSERT OR REPLACE INTO sweep_sides VALUES (?, ?, ?, ?)", sequence_id, number, screening_id, side
            )

    def take_back(self, screening_id: str, number: int) -> None:
        """The amendment of this number was a mistake; nothing where it was of something else."""
        self._db.write("DELETE FROM sweep_sides WHERE screening_id = ? AND amendment_number = ?", screening_id, number)
