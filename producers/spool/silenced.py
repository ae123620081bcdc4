"""Screenings whose pictures no machine of the van may read any more."""

from sonovan.producers.spool.database import Database


class Silenced:
    """What was noted of a spool's screenings, by this process or another. Raises Transient and Fatal as `Database`."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def add(self, screening_id: str) -> None:
        """Note that nothing reads the pictures of a screening any more. Nothing takes it back."""
        with self._db.transaction():
            self._db.write("INSERT OR IGNORE INTO silenced VALUES (?)", screening_id)

    def __contains__(self, screening_id: str) -> bool:
        return bool(self._db.read("SELECT 1 FROM silenced WHERE screening_id = ?", screening_id))
