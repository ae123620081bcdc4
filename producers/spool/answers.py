"""What the centre's answers do to the spool: nothing, unless the van believes that the centre gave them."""

from sonovan.contracts.answers import VanAnswered
from sonovan.producers.receipts import ReceiptTrust
from sonovan.producers.spool.bodies import Bodies
from sonovan.producers.spool.database import Database
from sonovan.producers.spool.earlier import Earlier
from sonovan.producers.spool.queue import Queue
from sonovan.producers.vault import Vault


class Answers:
    """Takes answers in, by link or from a disk. doubts: how many this object did not believe so far."""

    def __init__(self, db: Database, queue: Queue, bodies: Bodies, vault: Vault, earlier: Earlier) -> None:
        self._db, self._queue, self._bodies, self._vault, self._earlier = db, queue, bodies, vault, earlier
        self._trust = ReceiptTrust(vault)
        self.doubts = 0

    def take(self, answer: VanAnswered, at: tuple[int, int] | None) -> bool:
        """As `Spool.take_answer`. at: partition and next offset; None for one that came on a disk, which nothing but
        the centre's signature vouches for.
        """
        if not self._trust.believes(answer) or (at is None and not self._trust.pinned):
            self._doubt(answer, at)
            return False
        gone: list[str] = []
        with self._db.transaction():
            if answer.kind == "report":
                found, gone = self._take_report(answer)
            elif answer.kind == "stored":
                found, gone = self._queue.mark_stored(answer.item_id, answer.content_sha256)
            else:
                found = self._queue.mark_rejected(
                    answer.item_id, answer.content_sha256, answer.reason or "unnamed", answer.retryable
                )
            self._db.write("DELETE FROM doubted WHERE item_id = ?", answer.item_id)
            self._note(at)
        self._bodies.remove(gone)
        return found > 0

    def _doubt(self, answer: VanAnswered, at: tuple[int, int] | None) -> None:
        """Note that somebody answered for an item of this spool; what is not in it takes no room here."""
        self.doubts += 1
        with self._db.transaction():
            self._db.write("INSERT OR IGNORE INTO doubted SELECT item_id FROM items WHERE item_id = ?", answer.item_id)
            self._note(at)

    def _note(self, at: tuple[int, int] | None) -> None:
        if at is not None:
            self._db.write(
                "INSERT INTO positions VALUES (?, ?) ON CONFLICT DO UPDATE SET next_offset = excluded.next_offset", *at
            )

    def doubted(self, screening_id: str | None) -> int:
        """How many items wait for which somebody but the centre answered, of one screening or with None of all."""
        where, values = ("AND screening_id = ?", (screening_id,)) if screening_id else ("", ())
        asked = f"SELECT count(*) FROM doubted JOIN items USING (item_id) WHERE state IN ('queued', 'sent') {where}"  # noqa: S608
        return int(self._db.read(asked, *values)[0][0])

    def positions(self) -> dict[int, int]:
        """As `Spool.positions`."""
        return dict(self._db.read("SELECT partition, next_offset FROM positions"))

    def report(self, screening_id: str) -> VanAnswered | None:
        """As `Spool.report`."""
        rows = self._db.read("SELECT answer FROM reports WHERE screening_id = ?", screening_id)
        return VanAnswered.decode(self._vault.unseal(rows[0][0], screening_id)) if rows else None

    def _take_report(self, answer: VanAnswered) -> tuple[int, list[str]]:
        """How many reports it is, and files to remove once the transaction has ended."""
        if answer.screening_id is None:
            return 0, []
        number = answer.revision_number or 0
        asked = "SELECT 1 FROM reports WHERE screening_id = ? AND revision_number > ?"
        older = bool(self._db.read(asked, answer.screening_id, number))
        if older and answer.findings is not None:
            return 1, []
        if answer.status is not None and not older:
            self._db.write(
                "INSERT OR REPLACE INTO reports VALUES (?, ?, ?)",
                answer.screening_id, number, self._vault.seal(answer.encode(), answer.screening_id),
            )  # fmt: skip
        began = self._db.read("SELECT started_at FROM screenings WHERE screening_id = ?", answer.screening_id)
        return 1, self._earlier.note(answer, self._trust.places(answer), began[0][0] if began else None)
