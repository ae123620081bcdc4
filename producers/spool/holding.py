"""Frames that wait for somebody's eye: hold, release, discard. The sequence's closing follows where there is one."""

from collections.abc import Callable

from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.ids import split_frame_id
from sonovan.producers.items import Signer
from sonovan.producers.ledger import CloseSequence
from sonovan.producers.screening import Clock
from sonovan.producers.signed_items import sequence_closing, with_pixels
from sonovan.producers.sources import Pixels
from sonovan.producers.spool.bodies import Bodies
from sonovan.producers.spool.database import Database
from sonovan.producers.spool.ledger import SpoolLedger
from sonovan.producers.spool.queue import Queue
from sonovan.producers.spool.states import HELD, QUEUED, HeldFrame


class Holding:
    """The held frames of a spool. ledger_of: the ledger of a screening."""

    def __init__(
        self, db: Database, queue: Queue, bodies: Bodies, ledger_of: Callable[[str], SpoolLedger], now: Clock
    ) -> None:
        self._db, self._queue, self._bodies, self._ledger_of, self._now = db, queue, bodies, ledger_of, now

    def held(self, screening_id: str | None) -> list[HeldFrame]:
        """As `Spool.held`."""
        where, values = ("AND screening_id = ?", (screening_id,)) if screening_id else ("", ())
        rows = self._db.read(
            f"SELECT item_id, reason FROM items WHERE state = ? {where} ORDER BY rank, number",  # noqa: S608
            HELD,
            *values,
        )
        return [HeldFrame(frame_id, reason) for frame_id, reason in rows]

    def hold(self, frame_id: str, reason: str, signer: Signer) -> None:
        """As `Spool.hold`."""
        with self._queue.transaction():
            screening_id = self._screening_of(frame_id, QUEUED)
            self._db.write("UPDATE items SET state = ?, reason = ? WHERE item_id = ?", HELD, reason, frame_id)
            self._db.write(
                "UPDATE frames SET reason = ? WHERE sequence_id = ? AND frame_index = ?",
                reason,
                *split_frame_id(frame_id),
            )
            self._close_again(screening_id, frame_id, signer)

    def release(self, frame_id: str, signer: Signer, pixels: Pixels | None, blackened_px: int) -> None:
        """As `Spool.release`."""
        item = None
        if pixels is not None:
            message = self._queue.load(frame_id)
            if message is None:
                raise _not_held(frame_id)
            item = with_pixels(message.value, pixels, blackened_px, signer)
        with self._queue.transaction() if item is None else self._queue.replacing(item):
            screening_id = self._screening_of(frame_id, HELD)
            self._db.write("UPDATE items SET state = ?, reason = NULL WHERE item_id = ?", QUEUED, frame_id)
            self._db.write(
                "UPDATE frames SET reason = NULL, content_sha256 = coalesce(?, content_sha256)"
                " WHERE sequence_id = ? AND frame_index = ?",
                None if item is None else item.content_sha256,
                *split_frame_id(frame_id),
            )
            self._close_again(screening_id, frame_id, signer)

    def discard(self, frame_id: str, signer: Signer) -> None:
        """As `Spool.discard`."""
        with self._queue.transaction():
            screening_id = self._screening_of(frame_id, HELD)
            _, files = self._queue.delete("item_id = ?", frame_id)
            self._db.write(
                "UPDATE frames SET discarded = 1 WHERE sequence_id = ? AND frame_index = ?", *split_frame_id(frame_id)
            )
            self._close_again(screening_id, frame_id, signer)
        self._bodies.remove(files)

    def _screening_of(self, frame_id: str, state: str) -> str:
        rows = self._db.read("SELECT screening_id FROM items WHERE item_id = ? AND state = ?", frame_id, state)
        if not rows:
            raise _not_held(frame_id) if state == HELD else _gone(frame_id)
        return str(rows[0][0])

    def _close_again(self, screening_id: str, frame_id: str, signer: Signer) -> None:
        make: CloseSequence = lambda sequence, frames: sequence_closing(  # noqa: E731
            screening_id, sequence, frames, signer, self._now()
        )
        self._ledger_of(screening_id).close_again(split_frame_id(frame_id)[0], make)


def _not_held(frame_id: str) -> InvalidRecord:
    return InvalidRecord("option_invalid", f"{frame_id} is not held on this van")


def _gone(frame_id: str) -> InvalidRecord:
    return InvalidRecord("option_invalid", f"{frame_id} does not wait on this van: it may have left")
