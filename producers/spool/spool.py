"""The spool: everything that waits on the van, durable and encrypted item by item.

An item is kept until the centre's receipt names it together with the hash with which it was spooled. Its row, which
says what became of it, stays until the screening is purged.
"""

import fcntl
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from pydantic import TypeAdapter

from sonovan.contracts.answers import VanAnswered
from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.ids import STRIDES, mint_id
from sonovan.contracts.topics import Topic
from sonovan.contracts.van import Consent
from sonovan.producers.items import Item, Signer, Visit
from sonovan.producers.screening import Clock as DateClock
from sonovan.producers.screening import Screening, planned, utc_now
from sonovan.producers.sources import Pixels, Source
from sonovan.producers.spool.aging import AgingClock
from sonovan.producers.spool.answers import Answers
from sonovan.producers.spool.awaiting import Awaiting
from sonovan.producers.spool.bodies import LEAST_FREE_BYTES, Bodies
from sonovan.producers.spool.database import Database
from sonovan.producers.spool.disk import Disk
from sonovan.producers.spool.earlier import Earlier
from sonovan.producers.spool.holding import Holding
from sonovan.producers.spool.ledger import SpoolLedger
from sonovan.producers.spool.listing import screenings, sweeps
from sonovan.producers.spool.queue import Clock, Queue
from sonovan.producers.spool.sides import SweepSides
from sonovan.producers.spool.silenced import Silenced
from sonovan.producers.spool.states import (
    QUEUED,
    REJECTED,
    SENT,
    STATES,
    STORED,
    WITHHELD,
    HeldFrame,
    Message,
    Refused,
    SpooledScreening,
    SpoolStatus,
    Sweep,
)
from sonovan.producers.spool.withholding import Withholding
from sonovan.producers.vault import Vault

_VISIT: Final = TypeAdapter(Visit)


class Spool:
    """The spool in one folder; a context manager. Any number of threads and processes may compose and read at once.

    Every method raises Transient, naming the folder, where the disk does not answer (SpoolFull where it is full), and
    Fatal where something is damaged or was sealed by another vault.
    """

    def __init__(
        self,
        folder: Path,
        vault: Vault,
        *,
        keep_bytes: int = 0,
        earlier_bytes: int = 0,
        earlier_s: float = float("inf"),
        least_free_bytes: int = LEAST_FREE_BYTES,
        clock: Clock = time.time,
        disk: Disk | None = None,
    ) -> None:
        """keep_bytes: what the centre has stays while all bodies together are no larger; the oldest sent go first.

        earlier_bytes: of pictures kept for her next visit, and again of frames that wait for the report which says
        whether they are; 0 keeps none. earlier_s: for so long. least_free_bytes: what stays free on the disk, so that
        receipts can be noted. clock: UNIX seconds.
        """
        self.folder, self._vault, self._clock = folder, vault, clock
        effects = disk or Disk()
        self._db = Database(folder / "spool.sqlite", effects)
        with self._db.translating():
            self._bodies = Bodies(folder / "items", vault, effects, least_free_bytes)
        self.aging = AgingClock(self._db, clock)
        self._awaiting = Awaiting(self._db, earlier_bytes, self.aging)
        self._queue = Queue(self._db, self._bodies, self._awaiting, clock, keep_bytes)
        self.set_aside = self._queue.set_aside  # an item whose body is damaged
        with self._db.translating():
            self._bodies.sweep(self._queue.files)
        self.withholding = Withholding(self._db)  # what stays here because she withdrew her consent
        self.earlier = Earlier(  # what stays here for a woman's next visit
            self._db, vault, self._bodies, self._awaiting,
            most_bytes=earlier_bytes, longest_s=earlier_s, aging=self.aging,
        )  # fmt: skip
        self.answers = Answers(self._db, self._queue, self._bodies, vault, self.earlier)
        self.silenced = Silenced(self._db)  # screenings whose pictures no machine here may read any more
        self.sides = SweepSides(self._db)  # which side a sweep shows after an amendment
        self._holding = Holding(self._db, self._queue, self._bodies, self._ledger, utc_now)

    # Composing

    def open_screening(
        self,
        visit: Visit,
        signer: Signer,
        sources: Sequence[Source] = (),
        *,
        screening_id: str | None = None,
        now: DateClock = utc_now,
    ) -> Screening:
        """A new screening, from now on in the spool, into which sequences are composed. It is sent while it grows.

        sources: what tells the plan where the visit has none. screening_id: None mints one.
        Raises InvalidRecord `consent_refused` where she did not agree, `option_invalid` for an id that is taken.
        """
        whole, chosen = planned(visit, sources), screening_id or mint_id()
        sealed = self._vault.seal(_VISIT.dump_json(whole), chosen)
        with self._db.transaction():
            if self._rank(chosen) is not None:
                raise InvalidRecord("option_invalid", f"there is a screening {chosen} on this van already")
            self._db.write(
                "INSERT INTO screenings (screening_id, started_at, consent, visit) VALUES (?, ?, ?, ?)",
                chosen, self._clock(), visit.consent.model_dump_json(), sealed,
            )  # fmt: skip
            self.earlier.opened(chosen, visit.subject_key)
        return Screening(self._ledger(chosen), signer, chosen, visit.consent, whole, now=now)

    def resume_screening(self, screening_id: str, signer: Signer, *, now: DateClock = utc_now) -> Screening:
        """A screening of this spool, to go on with: after a kill, after lunch, after it was closed.

        Raises InvalidRecord `option_invalid` where the spool has no such screening.
        """
        rows = self._db.read("SELECT consent, visit FROM screenings WHERE screening_id = ?", screening_id)
        if not rows:
            raise InvalidRecord("option_invalid", f"this van has no screening {screening_id}")
        consent, sealed = Consent.model_validate_json(rows[0][0]), rows[0][1]
        visit = None if sealed is None else _VISIT.validate_json(self._vault.unseal(sealed, screening_id))
        return Screening(self._ledger(screening_id), signer, screening_id, consent, visit, now=now)

    def begun_screening(self, visit: Visit, signer: Signer, screening_id: str) -> Screening:
        """The screening with this id: opened with the visit by whoever comes first (a scanner's object, or the
        operator's mark), else to go on with."""
        if self._rank(screening_id) is None:
            try:
                return self.open_screening(visit, signer, screening_id=screening_id)
            except InvalidRecord as error:
                if error.reason != "option_invalid":
                    raise
        return self.resume_screening(screening_id, signer)

    def screenings(self) -> list[SpooledScreening]:
        """Every screening of this spool, the first one first."""
        return screenings(self._db)

    def put(self, item: Item) -> None:
        """Put a record of a screening of this spool. The same again is harmless.

        Raises InvalidRecord `item_contradicts_spool`, or `option_invalid` where the spool has no such screening.
        """
        self._must_have(item.screening_id)
        with self._queue.adding([item]):
            pass

    def put_next(self, screening_id: str, topic: Topic, make: Callable[[int], Item]) -> Item:
        """Put a record of which a screening has several, numbered from 1. make: gives the one of this number.

        Raises InvalidRecord `option_invalid` where the spool has no such screening.
        """
        self._must_have(screening_id)
        return self._ledger(screening_id).put_next(topic, make)

    # Held frames

    def held(self, screening_id: str | None = None) -> list[HeldFrame]:
        """The frames that stay on the van, of one screening or with None of all."""
        return self._holding.held(screening_id)

    def hold(self, frame_id: str, reason: str, signer: Signer) -> None:
        """Keep back a frame that waits. It may still leave where the uploader has it in hand already.

        reason: a note of `contracts.words`. Raises InvalidRecord `option_invalid` for a frame that does not wait.
        """
        self._holding.hold(frame_id, reason, signer)

    def release(self, frame_id: str, signer: Signer, pixels: Pixels | None = None, blackened_px: int = 0) -> None:
        """Send a held frame, as it is or with other pixels; its sequence is closed again where it was closed.

        pixels: those of the frame with something hidden, of the same shape; None leaves them. blackened_px: how many
        were cleared. Raises InvalidRecord `option_invalid` for a frame that is not held.
        """
        self._holding.release(frame_id, signer, pixels, blackened_px)

    def discard(self, frame_id: str, signer: Signer) -> None:
        """Never send a held frame, and delete it; its sequence is closed again where it was closed.

        Raises InvalidRecord `option_invalid` for a frame that is not held.
        """
        self._holding.discard(frame_id, signer)

    # Sending

    @contextmanager
    def uploading(self, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
        """Hold the lock of the one process that may upload from this spool.

        waiting: called when another process holds it and has to finish first.
        """
        with self._db.translating():
            handle = (self.folder / "upload.lock").open("w")
        with handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                waiting()
                fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    def pending(self, limit: int, resend_before: float, levels: int = len(STRIDES)) -> list[str]:
        """The ids of the next items to send, in their order, at most `limit`.

        These are queued items, and items that were sent before `resend_before` (UNIX seconds) and have no receipt.
        levels: frames of so many upload levels may go now, records without pixels always.
        The order (docs/decisions/0069): records without pixels; frames of the first levels, those of the woman who
        is still in the van and came last before all others; every other frame. Otherwise the first woman comes first.
        """
        return self._queue.pending(limit, resend_before, levels)

    def load(self, item_id: str) -> Message | None:
        """The message of an item; None if its bytes were deleted or it was never there. Raises ItemDamaged."""
        return self._queue.load(item_id)

    def mark_sent(self, item_id: str) -> None:
        """Note that the broker acknowledged the item; it now waits for the centre's receipt."""
        self._queue.mark_sent(item_id)

    def mark_rejected(self, item_id: str, reason: str, *, retryable: bool) -> None:
        """Note that the centre or the broker cannot use the item; its bytes stay until it is retried or purged."""
        self._queue.mark_rejected(item_id, None, reason, retryable)

    def mark_exported(self, item_ids: Sequence[str]) -> None:
        """Note that these items lie on a disk; they still wait for their receipts."""
        with self._db.transaction():
            for item_id in item_ids:
                self._db.write("UPDATE items SET exported = 1 WHERE item_id = ?", item_id)

    def take_answer(self, answer: VanAnswered, partition: int, next_offset: int) -> bool:
        """Act on one answer of the centre, and note up to where its topic was read.

        An item's bytes may go only on `stored` with the hash of the spooled item; a receipt for other content changes
        nothing, nor does one that no known key of the centre signed. Returns whether the answer concerned an item or a
        report of this spool, and was believed.
        """
        return self.answers.take(answer, (partition, next_offset))

    def positions(self) -> dict[int, int]:
        """The next offset to read of each partition of the topic of answers."""
        return self.answers.positions()

    def retry(self, sign_again: Callable[[bytes], bytes] = lambda value: value) -> int:
        """Queue the items again that were rejected for a passing reason or sent without a receipt; how many.

        sign_again: gives the envelope of an item that was rejected as `van_revoked`, because an earlier key of the van
        signed it, with the van's signature of now.
        """
        return self._queue.retry(sign_again)

    def resend(self) -> int:
        """Queue again what the centre had, as far as it is still here: it was restored from a backup; how many."""
        return self._queue.resend()

    # Looking, and letting go

    def report(self, screening_id: str) -> VanAnswered | None:
        """The centre's newest message about a revision of this screening; None if there was none yet."""
        return self.answers.report(screening_id)

    def status(self, screening_id: str | None = None) -> SpoolStatus:
        """How many items the spool holds in each state, of one screening or with None of all."""
        where, values = ("WHERE screening_id = ?", (screening_id,)) if screening_id else ("", ())
        rows = self._db.read(
            f"SELECT state, count(*), sum(size), min(added_at), sum(exported) FROM items {where} GROUP BY state",  # noqa: S608
            *values,
        )
        counts = dict.fromkeys(STATES, 0) | {row[0]: row[1] for row in rows}
        waiting = [row for row in rows if row[0] in (QUEUED, SENT)]
        oldest_at = min((row[3] for row in waiting), default=None)
        exported, doubted = sum(row[4] for row in waiting), self.answers.doubted(screening_id)
        return SpoolStatus(counts, sum(row[2] for row in waiting), oldest_at, exported, doubted)

    def rejected(self, screening_id: str | None = None) -> list[Refused]:
        """The items that the centre rejected, of one screening or with None of all."""
        return self._queue.rejected(screening_id)

    def purge(self) -> int:
        """Delete what was rejected for good, and what is left of closed screenings that are stored whole: so many.

        Of such a screening stays what closing it again needs: its ids, its consent and its numbers. It may get further
        sequences; those that it has cannot go on.
        """
        with self._db.transaction():
            final, files = self._queue.delete("state = ? AND retryable = 0", REJECTED)
            done = self._db.read(
                "SELECT screening_id FROM screenings WHERE changed = 0 AND screening_id NOT IN"
                " (SELECT screening_id FROM items WHERE state != ?)",
                STORED,
            )
            ledger = 0
            for (screening_id,) in done:
                count, more = self._queue.delete("screening_id = ?", screening_id)
                ledger, files = ledger + count, files + more + self._awaiting.release(screening_id)
                self._ledger(screening_id).forget_frames()
                self._db.write("DELETE FROM reports WHERE screening_id = ?", screening_id)
        self._bodies.remove(files)
        self._bodies.sweep(self._queue.files)
        return final + ledger

    def make_room(self) -> bool:
        """Let go of frames that the centre has and that only wait for their report; whether there were any."""
        return self._queue.make_room()

    def erase_withheld(self, screening_id: str) -> int:
        """Delete for good what is withheld of a screening because she withdrew her consent; how many items.

        Nothing brings it back: an amendment that takes the withdrawal back then queues nothing, and the screening stays
        incomplete. Of another screening, and of one whose withdrawal was taken back, nothing is withheld.
        """
        with self._db.transaction():
            count, files = self._queue.delete("screening_id = ? AND state = ?", screening_id, WITHHELD)
        self._bodies.remove(files)
        return count

    def forget_earlier(self, screening_id: str) -> None:
        """Delete for good what is kept of a screening for her next visit, and keep nothing of it any more."""
        self._bodies.remove(self.earlier.forget(screening_id))

    def newest(self, screening_id: str, topic: Topic) -> int | None:
        """The number of the screening's newest record of a topic that counts them, 0 where there was none.

        None for a screening that never was in this spool. Purging forgets neither.
        """
        return None if self._rank(screening_id) is None else self._ledger(screening_id).newest(topic)

    def newest_frame(self, screening_id: str) -> str | None:
        """The id of the frame that came into a screening last, held or not; None where none did, or all was purged."""
        asked = "SELECT item_id FROM items WHERE screening_id = ? AND topic = ? ORDER BY number DESC LIMIT 1"
        rows = self._db.read(asked, screening_id, Topic.FRAME_CAPTURED)
        return str(rows[0][0]) if rows else None

    def sweeps(self, screening_id: str) -> list[Sweep]:
        """The sequences of a screening, in their order."""
        return sweeps(self._db, screening_id)

    def reopen(self, screening_id: str) -> None:
        """Note that what its closing would say has changed, so that `Screening.close` puts another one."""
        with self._db.transaction():
            self._db.write("UPDATE screenings SET changed = 1 WHERE screening_id = ?", screening_id)

    def set_staying(self, screening_id: str, here: bool) -> None:
        """Note whether she is still in the van although her screening is closed: what is unsent of her goes first."""
        self._queue.set_staying(screening_id, here)

    def is_staying(self, screening_id: str) -> bool:
        """Whether it was noted that she stays, and not too long ago."""
        return self._queue.is_staying(screening_id)

    def sequence_ids(self, screening_id: str) -> tuple[str, ...]:
        """The ids of a screening's sequences, in their order."""
        rows = self._db.read("SELECT sequence_id FROM sequences WHERE screening_id = ? ORDER BY number", screening_id)
        return tuple(row[0] for row in rows)

    def close(self) -> None:
        """End the connection."""
        self._bodies.close()
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _ledger(self, screening_id: str) -> SpoolLedger:
        return SpoolLedger(screening_id, self._db, self._queue, self._vault.mac)

    def _rank(self, screening_id: str) -> int | None:
        rows = self._db.read("SELECT rank FROM screenings WHERE screening_id = ?", screening_id)
        return int(rows[0][0]) if rows else None

    def _must_have(self, screening_id: str) -> None:
        if self._rank(screening_id) is None:
            raise InvalidRecord("option_invalid", f"this van has no screening {screening_id}")
