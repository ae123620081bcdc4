"""The items of the spool: put them durably, give them in the order of sending, note what became of them."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Final

import msgpack

from sonovan.contracts.errors import Fatal, SonovanError
from sonovan.contracts.ids import STRIDES, level
from sonovan.contracts.topics import Topic
from sonovan.producers.items import Item
from sonovan.producers.ledger import contradiction
from sonovan.producers.spool.awaiting import Awaiting
from sonovan.producers.spool.bodies import Bodies, ItemDamaged, SpoolFull
from sonovan.producers.spool.database import Database, Row
from sonovan.producers.spool.states import (
    CONTROL,
    EARLY,
    EARLY_LEVELS,
    HELD,
    ITEM_DAMAGED,
    LATE,
    QUEUED,
    REJECTED,
    SENT,
    STAGES,
    STORED,
    Message,
    Refused,
    urgency,
)
from sonovan.producers.spool.withholding import IS_WITHDRAWN

Clock = Callable[[], float]

_PLACE: Final = "SELECT urgency, rank, stage, level, number, item_id FROM items"
_IN_ORDER: Final = "AND level < ? ORDER BY rank, stage, level, number LIMIT ?"
QUEUED_IN_ORDER: Final = f"{_PLACE} WHERE state = ? AND urgency = ? {_IN_ORDER}"
QUEUED_OF_ONE: Final = f"{_PLACE} WHERE state = ? AND urgency = ? AND rank = ? {_IN_ORDER}"
SENT_BEFORE: Final = (
    f"{_PLACE} WHERE state = ? AND sent_at < ? AND NOT {IS_WITHDRAWN}"
    f" UNION {_PLACE} WHERE state = ? AND sent_at > ? AND NOT {IS_WITHDRAWN}"
)
STILL_HERE: Final = "SELECT rank FROM screenings WHERE changed = 1 ORDER BY rank DESC LIMIT ?"
STAYING: Final = (
    "SELECT rank FROM couch JOIN screenings USING (screening_id)"
    " WHERE since BETWEEN ? AND ? AND changed = 0 ORDER BY rank DESC LIMIT ?"
)
MOST_HERE: Final = 8
"""So many women at most count as still in the van, those who came last: others' screenings were never closed."""
STAYS_AT_MOST_S: Final = 2 * 3600.0
"""So long after her closing at most a woman counts as still in the van, unless somebody says before that she left: as
long as the centre keeps her in the queue `couch` of its worklist by default, where people wait for her pictures."""
_INSERT: Final = (
    "INSERT INTO items (item_id, screening_id, rank, urgency, stage, level, topic, content_sha256, size, file, state,"
    " reason, added_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


class Queue:
    """Items in files and rows. awaiting: frames that are stored. clock: UNIX seconds. keep_bytes: as for `Spool`."""

    def __init__(
        self, db: Database, bodies: Bodies, awaiting: Awaiting, clock: Clock = time.time, keep_bytes: int = 0
    ) -> None:
        self._db, self._bodies, self._awaiting = db, bodies, awaiting
        self._clock, self._keep_bytes = clock, keep_bytes

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """A transaction within which items may be put: no file is swept before its row is there."""
        with self._bodies.writing(), self._db.transaction():
            yield

    @contextmanager
    def adding(self, items: Sequence[Item]) -> Iterator[None]:
        """Put items in one step with what the block writes; all of it is durable when the block has ended.

        An item that is there with the same content stays as it is, whatever became of it.
        Raises InvalidRecord `item_contradicts_spool` where other content stands under an id, SpoolFull.
        """
        new = [item for item in items if self._sha256(item.item_id) != item.content_sha256]
        with self._bodies.writing():
            files = self._written([(item.item_id, _packed(item)) for item in new])
            used: set[str] = set()
            try:
                with self._db.transaction():
                    for item, file in zip(new, files, strict=True):
                        if self._insert(item, file):
                            used.add(file)
                    yield
            except BaseException:
                self._give_up({item.item_id: file for item, file in zip(new, files, strict=True)})
                raise
            self._bodies.remove(set(files) - used)

    def _written(self, bodies: Sequence[tuple[str, bytes]]) -> list[str]:
        """As `Bodies.write`; where there is no room, frames that the centre has make some."""
        try:
            return self._bodies.write(bodies)
        except SpoolFull:
            if not self.make_room():
                raise
            return self._bodies.write(bodies)

    def make_room(self) -> bool:
        """As `Spool.make_room`."""
        with self._db.transaction():
            files = self._awaiting.release()
        self._bodies.remove(files)
        return bool(files)

    def _give_up(self, files: Mapping[str, str]) -> None:
        """Remove the files, by item id, that no row names. An interrupt may come when all is committed already."""
        with suppress(SonovanError):  # what cannot be asked now is swept later
            for item_id, file in files.items():
                if not self._db.read("SELECT 1 FROM items WHERE item_id = ? AND file = ?", item_id, file):
                    self._bodies.remove([file])

    def _insert(self, item: Item, file: str) -> bool:
        there = self._sha256(item.item_id)
        if there is not None:
            if there != item.content_sha256:
                raise contradiction(item.item_id)
            return False
        found = self._db.read("SELECT rank FROM screenings WHERE screening_id = ?", item.screening_id)
        if not found:
            raise Fatal(f"{item.item_id} belongs to no screening of this spool: this is a defect")
        self._db.write(
            _INSERT, item.item_id, item.screening_id, found[0][0], urgency(item.frame_index), STAGES[item.topic],
            0 if item.frame_index is None else level(item.frame_index), item.topic, item.content_sha256,
            len(item.value), file, QUEUED if item.held is None else HELD, item.held, self._clock(),
        )  # fmt: skip
        return True

    def _sha256(self, item_id: str) -> str | None:
        rows = self._db.read("SELECT content_sha256 FROM items WHERE item_id = ?", item_id)
        return rows[0][0] if rows else None

    def pending(self, limit: int, resend_before: float, levels: int = len(STRIDES)) -> list[str]:
        """As `Spool.pending`. What was sent at a time that is still to come was sent before the clock was set back."""
        here = self._here()
        again = self._db.read(SENT_BEFORE, SENT, resend_before, SENT, self._clock())
        found = [row for row in again if row[0] == CONTROL or row[3] < levels]
        found += self._queued(limit, levels, here)
        order = {rank: place for place, rank in enumerate(here, start=-len(here))}
        placed = sorted((row[0], order.get(row[1], 0) if row[0] == EARLY else 0, *row[1:]) for row in found)
        return [row[-1] for row in placed[:limit]]

    def _here(self) -> list[int]:
        """The ranks of women who are in the van: first who is being scanned, then who was closed and stays; within
        both whoever came last first. At most `MOST_HERE`."""
        scanned = self._db.read(STILL_HERE, MOST_HERE)
        staying = self._db.read(STAYING, *self._lately(), MOST_HERE - len(scanned))
        return [rank for (rank,) in (*scanned, *staying)]

    def set_staying(self, screening_id: str, here: bool) -> None:
        """As `Spool.set_staying`. Who was forgotten is no longer kept."""
        with self._db.transaction():
            self._db.write(
                "DELETE FROM couch WHERE screening_id = ? OR NOT since BETWEEN ? AND ?", screening_id, *self._lately()
            )
            if here:
                self._db.write("INSERT INTO couch VALUES (?, ?)", screening_id, self._clock())

    def is_staying(self, screening_id: str) -> bool:
        """As `Spool.is_staying`."""
        asked = "SELECT 1 FROM couch WHERE screening_id = ? AND since BETWEEN ? AND ?"
        return bool(self._db.read(asked, screening_id, *self._lately()))

    def _lately(self) -> tuple[float, float]:
        """From when to when somebody was closed who may still be in the van; a clock that was set back tells later
        times, which count as well."""
        return self._clock() - STAYS_AT_MOST_S, self._clock() + STAYS_AT_MOST_S

    def _queued(self, limit: int, levels: int, here: Sequence[int]) -> list[Row]:
        """At least the first `limit` of what is queued, each once. here: the ranks of women who are in the van."""
        rows = self._db.read(QUEUED_IN_ORDER, QUEUED, CONTROL, len(STRIDES), limit)
        for rank in here:
            if len(rows) < limit:
                rows += self._db.read(QUEUED_OF_ONE, QUEUED, EARLY, rank, levels, limit - len(rows))
        for urgent in (EARLY, LATE):
            if len(rows) < limit and (urgent == EARLY or levels > EARLY_LEVELS):
                more = self._db.read(QUEUED_IN_ORDER, QUEUED, urgent, levels, limit)
                rows = list(dict.fromkeys([*rows, *more]))  # of women who are here some are there already
        return rows

    def load(self, item_id: str) -> Message | None:
        """As `Spool.load`."""
        while rows := self._db.read("SELECT topic, file FROM items WHERE item_id = ?", item_id):
            topic, file = rows[0]
            if file is None:
                return None
            try:
                packed = self._bodies.read(file, item_id)
            except Fatal as error:
                raise ItemDamaged(f"{item_id}: {error}") from error
            if packed is not None:
                key, value, headers = msgpack.unpackb(packed)
                return Message(item_id, topic, key, value, tuple((name, data) for name, data in headers))
            if self._db.read("SELECT 1 FROM items WHERE item_id = ? AND file = ?", item_id, file):
                message = f"the file {file} of {item_id} is gone from {self._bodies.folder}"
                raise ItemDamaged(f"{message}: put a copy of the folder back, and type: sonovan van spool retry")
        return None

    def mark_sent(self, item_id: str) -> None:
        """As `Spool.mark_sent`."""
        with self._db.transaction():
            self._db.write(
                "UPDATE items SET state = ?, sent_at = ? WHERE item_id = ? AND state IN (?, ?)",
                SENT, self._clock(), item_id, QUEUED, SENT,
            )  # fmt: skip

    def mark_rejected(self, item_id: str, content_sha256: str | None, reason: str, retryable: bool) -> int:
        """Note a rejection, unless the centre has the item already; how many items it concerned."""
        with self._db.transaction():
            return self._db.write(
                "UPDATE items SET state = ?, reason = ?, retryable = ?"
                " WHERE item_id = ? AND content_sha256 = coalesce(?, content_sha256) AND state != ?",
                REJECTED, reason, retryable, item_id, content_sha256, STORED,
            )  # fmt: skip

    def set_aside(self, item_id: str) -> None:
        """Note that the body of an item that waits is damaged (`ITEM_DAMAGED`): only `retry` has it sent again.

        Not of what is held or withheld meanwhile: it is not to be sent.
        """
        with self._db.transaction():
            self._db.write(
                "UPDATE items SET state = ?, reason = ?, retryable = 1 WHERE item_id = ? AND state IN (?, ?)",
                REJECTED, ITEM_DAMAGED, item_id, QUEUED, SENT,
            )  # fmt: skip

    def mark_stored(self, item_id: str, content_sha256: str) -> tuple[int, list[str]]:
        """Note a receipt, within a transaction: how many items it concerned, and files to remove once it has ended."""
        found = self._db.write(
            "UPDATE items SET state = ?, reason = NULL WHERE item_id = ? AND content_sha256 = ?",
            STORED, item_id, content_sha256,
        )  # fmt: skip
        gone = self._no_longer_kept()
        for (screening_id,) in self._db.read("SELECT screening_id FROM items WHERE item_id = ?", item_id):
            gone += self._awaiting.settled(screening_id)
        return found, gone

    def _no_longer_kept(self) -> list[str]:
        """The files of what the centre has, beyond `keep_bytes` of all that lies here; the oldest sent first."""
        excess = float("inf")
        if self._keep_bytes:
            size = self._db.read("SELECT coalesce(sum(size), 0) FROM items WHERE file IS NOT NULL")[0][0]
            excess = size - self._keep_bytes
        if excess <= 0:
            return []
        gone: list[str] = []
        for number, item_id, screening_id, topic, file, size in self._db.read(
            "SELECT number, item_id, screening_id, topic, file, size FROM items"
            " WHERE file IS NOT NULL AND state = ? ORDER BY sent_at, number", STORED
        ):  # fmt: skip
            if excess <= 0:
                break
            self._db.write("UPDATE items SET file = NULL WHERE number = ?", number)
            frame = topic == Topic.FRAME_CAPTURED
            gone += self._awaiting.take(item_id, screening_id, file, size) if frame else [file]
            excess -= size
        return gone

    def rejected(self, screening_id: str | None) -> list[Refused]:
        """As `Spool.rejected`."""
        where, values = ("AND screening_id = ?", (screening_id,)) if screening_id else ("", ())
        rows = self._db.read(
            f"SELECT item_id, reason, retryable FROM items WHERE state = ? {where} ORDER BY number",  # noqa: S608
            REJECTED, *values,
        )  # fmt: skip
        return [Refused(item_id, reason, bool(retryable)) for item_id, reason, retryable in rows]

    def files(self) -> list[str]:
        """The files that rows name, of items and of frames that wait for a report."""
        of_items = [row[0] for row in self._db.read("SELECT file FROM items WHERE file IS NOT NULL")]
        return of_items + self._awaiting.files()

    def retry(self, sign_again: Callable[[bytes], bytes]) -> int:
        """As `Spool.retry`."""
        revoked = self._db.read("SELECT item_id FROM items WHERE state = ? AND reason = ?", REJECTED, "van_revoked")
        for (item_id,) in revoked:
            with suppress(ItemDamaged):  # it is set aside when it is to be sent
                self._sign_again(item_id, sign_again)
        with self._db.transaction():
            return self._db.write(
                "UPDATE items SET state = ?, reason = NULL, sent_at = NULL"
                " WHERE state = ? OR (state = ? AND retryable = 1)",
                QUEUED, SENT, REJECTED,
            )  # fmt: skip

    def resend(self) -> int:
        """As `Spool.resend`. The centre takes what it has for the same, and lacks what came since its backup."""
        with self._db.transaction():
            return self._db.write(
                "UPDATE items SET state = ?, sent_at = NULL WHERE state = ? AND file IS NOT NULL", QUEUED, STORED
            )

    def _sign_again(self, item_id: str, sign_again: Callable[[bytes], bytes]) -> None:
        message, sha256 = self.load(item_id), self._sha256(item_id)
        if message is not None and sha256 is not None:
            value = sign_again(message.value)
            again = Item(item_id, Topic(message.topic), message.key, value, sha256, "", headers=message.headers)
            with self.replacing(again):
                pass

    @contextmanager
    def replacing(self, item: Item) -> Iterator[None]:
        """Put an item in the place of the one of its id, in one step with what the block writes.

        Its state stays. The block may look, and raise, before anything is changed.
        """
        with self._bodies.writing():
            (file,) = self._written([(item.item_id, _packed(item))])
            try:
                with self._db.transaction():
                    yield
                    before = self._db.read("SELECT file FROM items WHERE item_id = ?", item.item_id)[0][0]
                    self._db.write(
                        "UPDATE items SET file = ?, content_sha256 = ?, size = ? WHERE item_id = ?",
                        file, item.content_sha256, len(item.value), item.item_id,
                    )  # fmt: skip
            except BaseException:
                self._give_up({item.item_id: file})
                raise
            self._bodies.remove([before] if before else [])

    def delete(self, where: str, *values: object) -> tuple[int, list[str]]:
        """Forget items, within a transaction: how many, and files to remove once it has ended."""
        rows = self._db.read(f"SELECT number, file FROM items WHERE {where}", *values)  # noqa: S608
        for number, _ in rows:
            self._db.write("DELETE FROM items WHERE number = ?", number)
        return len(rows), [file for _, file in rows if file is not None]


def _packed(item: Item) -> bytes:
    packed: bytes = msgpack.packb([item.key, item.value, item.headers])
    return packed
