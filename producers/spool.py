"""The spool: signed messages that wait on the van, in one SQLite file that survives kill -9 and a pulled plug.

An item is kept until the centre's receipt names it together with the hash with which it was spooled. Then its bytes
are deleted; a row that says what became of it stays until the screening is purged.

The uploader sees a screening only once all of it is in the spool, so a half-composed screening is never sent, and the
closing of a sequence, which is composed after its frames, can be sent before them.

SQLite runs with a write-ahead log and `synchronous=FULL`. At most one process composes and at most one uploads, each
behind a file lock of its own; any number may read.
"""

import fcntl
import json
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import RLock
from types import TracebackType
from typing import Any, Final, Self

from sonovan.contracts.answers import VanAnswered
from sonovan.contracts.errors import Fatal, InvalidRecord, Transient
from sonovan.contracts.ids import level
from sonovan.contracts.topics import Topic
from sonovan.producers.items import Item, Sink
from sonovan.producers.spool_schema import SCHEMA

QUEUED, SENT, STORED, REJECTED, HELD = "queued", "sent", "stored", "rejected", "held"
STATES: Final = (QUEUED, SENT, STORED, REJECTED, HELD)

_STAGES: Final = {
    Topic.SCREENING_OPENED: 0,
    Topic.FEATURES_RECORDED: 1,
    Topic.SCREENING_AMENDED: 1,
    Topic.SEQUENCE_CLOSED: 2,
    Topic.FRAME_CAPTURED: 3,
    Topic.SCREENING_CLOSED: 4,
}


@dataclass(frozen=True, slots=True)
class Message:
    """One item as the producer gets it."""

    item_id: str
    topic: str
    key: bytes
    value: bytes
    headers: tuple[tuple[str, bytes], ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """An item that the centre rejected."""

    item_id: str
    reason: str
    retryable: bool


@dataclass(frozen=True, slots=True)
class SpoolStatus:
    """Items per state, bytes that still wait, and when the oldest of those was spooled (UNIX seconds, None: none)."""

    counts: Mapping[str, int]
    waiting_bytes: int
    oldest_at: float | None

    @property
    def waiting(self) -> int:
        """How many items are on their way to the centre: queued, or sent without a receipt yet. Held ones are not."""
        return self.counts[QUEUED] + self.counts[SENT]


class Spool:
    """The spool in one file; a context manager, safe for several threads and processes.

    Every method raises Transient, naming the folder, where the disk is full or does not answer, and Fatal where the
    file is damaged. clock: UNIX seconds.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self.path = path
        self._clock = clock
        self._turn = RLock()
        with self._translating():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._db = sqlite3.connect(path, timeout=60.0, isolation_level=None, check_same_thread=False)
            path.chmod(0o600)
            for pragma in ("auto_vacuum=INCREMENTAL", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
                self._db.execute(f"PRAGMA {pragma}")
            self._db.executescript(SCHEMA)

    @contextmanager
    def screening(self, waiting: Callable[[], None] = lambda: None) -> Iterator[Sink]:
        """A sink for the items of one screening.

        The uploader sees the items once the block has ended; if the block raises, they are deleted.

        waiting: called when another process composes into this spool and has to finish first. The sink raises
        InvalidRecord `item_contradicts_spool` for an item that is there with other content; the same again is harmless.
        """
        with self._lock("compose", waiting):
            self._drop_half_composed()  # left by a composer that was killed
            try:
                yield self._put
            except BaseException:
                self._drop_half_composed()
                raise
            with self._transaction():
                self._db.execute("UPDATE items SET composing = 0 WHERE composing = 1")

    @contextmanager
    def uploading(self, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
        """Hold the lock of the one process that may upload from this spool.

        waiting: called when another process holds it and has to finish first.
        """
        with self._lock("upload", waiting):
            yield

    def pending(self, limit: int, resend_before: float) -> list[str]:
        """The ids of the next items to send, in their order, at most `limit`.

        These are queued items, and items that were sent before `resend_before` (UNIX seconds) and have no receipt.
        """
        rows = self._read(
            "SELECT item_id FROM items WHERE composing = 0 AND (state = ? OR (state = ? AND sent_at < ?))"
            " ORDER BY rank, stage, level, number LIMIT ?",
            (QUEUED, SENT, resend_before, limit),
        )
        return [row[0] for row in rows]

    def load(self, item_id: str) -> Message | None:
        """The message of an item; None if its bytes were deleted or it was never there."""
        rows = self._read(
            "SELECT topic, key, value, headers FROM items JOIN bodies USING (number) WHERE item_id = ?", (item_id,)
        )
        if not rows:
            return None
        topic, key, value, headers = rows[0]
        pairs = tuple((name, bytes.fromhex(text)) for name, text in json.loads(headers))
        return Message(item_id, topic, key, value, pairs)

    def mark_sent(self, item_id: str) -> None:
        """Note that the broker acknowledged the item; it now waits for the centre's receipt."""
        with self._transaction():
            self._db.execute(
                "UPDATE items SET state = ?, sent_at = ? WHERE item_id = ? AND state IN (?, ?)",
                (SENT, self._clock(), item_id, QUEUED, SENT),
            )

    def mark_rejected(self, item_id: str, reason: str, *, retryable: bool) -> None:
        """Note that the centre or the broker cannot use the item; its bytes stay until it is retried or purged."""
        with self._transaction():
            self._db.execute(
                "UPDATE items SET state = ?, reason = ?, retryable = ? WHERE item_id = ? AND state != ?",
                (REJECTED, reason, retryable, item_id, STORED),
            )

    def take_answer(self, answer: VanAnswered, partition: int, next_offset: int) -> bool:
        """Act on one answer of the centre, and note up to where its topic was read.

        An item's bytes are deleted only on `stored` with the hash of the spooled item; a receipt for other content
        changes nothing. Returns whether the answer concerned an item or a report of this spool.
        """
        with self._transaction():
            known = self._settle(answer)
            self._db.execute(
                "INSERT INTO positions VALUES (?, ?) ON CONFLICT DO UPDATE SET next_offset = excluded.next_offset",
                (partition, next_offset),
            )
            return known

    def positions(self) -> dict[int, int]:
        """The next offset to read of each partition of the topic of answers."""
        return dict(self._read("SELECT partition, next_offset FROM positions"))

    def report(self, screening_id: str) -> VanAnswered | None:
        """The centre's newest message about a revision of this screening; None if there was none yet."""
        rows = self._read("SELECT answer FROM reports WHERE screening_id = ?", (screening_id,))
        return VanAnswered.decode(rows[0][0]) if rows else None

    def status(self, screening_id: str | None = None) -> SpoolStatus:
        """How many items the spool holds in each state, of one screening or with None of all."""
        where, values = ("AND screening_id = ?", (screening_id,)) if screening_id else ("", ())
        counts = dict.fromkeys(STATES, 0)
        counts |= dict(
            self._read(f"SELECT state, count(*) FROM items WHERE composing = 0 {where} GROUP BY state", values)  # noqa: S608
        )
        size, oldest = self._read(
            f"SELECT coalesce(sum(size), 0), min(added_at) FROM items"  # noqa: S608
            f" WHERE composing = 0 AND state IN (?, ?) {where}",
            (QUEUED, SENT, *values),
        )[0]
        return SpoolStatus(counts, size, oldest)

    def rejected(self, screening_id: str | None = None) -> list[Refused]:
        """The items that the centre rejected, of one screening or with None of all."""
        where, values = ("AND screening_id = ?", (screening_id,)) if screening_id else ("", ())
        rows = self._read(
            f"SELECT item_id, reason, retryable FROM items WHERE state = ? {where} ORDER BY number",  # noqa: S608
            (REJECTED, *values),
        )
        return [Refused(item_id, reason, bool(retryable)) for item_id, reason, retryable in rows]

    def retry(self, sign_again: Callable[[bytes], bytes] = lambda value: value) -> int:
        """Queue the items again that were rejected for a passing reason or sent without a receipt; how many they
        are.

        sign_again: gives the envelope of an item that was rejected as `van_revoked`, because an earlier key of the van
        signed it, with the van's signature of now.
        """
        with self._transaction():
            revoked = self._db.execute(
                "SELECT number FROM items WHERE state = ? AND reason = ?", (REJECTED, "van_revoked")
            ).fetchall()
            for (number,) in revoked:
                value = self._db.execute("SELECT value FROM bodies WHERE number = ?", (number,)).fetchone()[0]
                self._db.execute("UPDATE bodies SET value = ? WHERE number = ?", (sign_again(value), number))
            found = self._db.execute(
                "UPDATE items SET state = ?, reason = NULL, sent_at = NULL"
                " WHERE state = ? OR (state = ? AND retryable = 1)",
                (QUEUED, SENT, REJECTED),
            )
            return found.rowcount

    def purge(self) -> int:
        """Delete what was rejected for good, and all that is left of screenings that are stored whole; how many
        items.
        """
        with self._transaction():
            final = self._db.execute("DELETE FROM items WHERE state = ? AND retryable = 0", (REJECTED,)).rowcount
            ledger = self._db.execute(
                "DELETE FROM items WHERE state = ? AND composing = 0 AND screening_id NOT IN"
                " (SELECT screening_id FROM items WHERE state != ? OR composing = 1)",
                (STORED, STORED),
            ).rowcount
            self._db.execute("DELETE FROM reports WHERE screening_id NOT IN (SELECT screening_id FROM items)")
        with self._translating(), self._turn:
            self._db.execute("PRAGMA incremental_vacuum").fetchall()
        return final + ledger

    def features_number(self, screening_id: str) -> int | None:
        """The number of the screening's newest clinical record that was spooled, 0 where there was none.

        None for a screening that never was in this spool. Purging forgets neither.
        """
        rows = self._read("SELECT features FROM screenings WHERE screening_id = ?", (screening_id,))
        return int(rows[0][0]) if rows else None

    def amendment_number(self, screening_id: str) -> int | None:
        """The number of the screening's newest amendment that was spooled; otherwise as `features_number`."""
        rows = self._read("SELECT amendments FROM screenings WHERE screening_id = ?", (screening_id,))
        return int(rows[0][0]) if rows else None

    def sequence_ids(self, screening_id: str) -> tuple[str, ...]:
        """The ids of a screening's sequences, in their order; none where it was purged or never was here."""
        closings = "SELECT item_id FROM items WHERE screening_id = ? AND topic = ? ORDER BY number"
        rows = self._read(closings, (screening_id, Topic.SEQUENCE_CLOSED))
        return tuple(dict.fromkeys(row[0].partition("/")[0] for row in rows))

    def close(self) -> None:
        """End the connection."""
        with self._turn:
            self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _put(self, item: Item) -> None:
        with self._transaction():
            there = self._db.execute("SELECT content_sha256 FROM items WHERE item_id = ?", (item.item_id,)).fetchone()
            if there is not None:
                if there[0] != item.content_sha256:
                    message = f"{item.item_id} is in the spool with other content; give the new one an id of its own"
                    raise InvalidRecord("item_contradicts_spool", message)
                return
            self._db.execute("INSERT OR IGNORE INTO screenings (screening_id) VALUES (?)", (item.screening_id,))
            rank = self._db.execute(
                "SELECT rank FROM screenings WHERE screening_id = ?", (item.screening_id,)
            ).fetchone()[0]
            counted = (item.topic == Topic.FEATURES_RECORDED, item.topic == Topic.SCREENING_AMENDED, rank)
            self._db.execute(
                "UPDATE screenings SET features = features + ?, amendments = amendments + ? WHERE rank = ?", counted
            )
            number = self._db.execute(
                "INSERT INTO items (item_id, screening_id, rank, stage, level, topic, content_sha256, size,"
                " composing, state, reason, added_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?, ?)",
                (
                    item.item_id, item.screening_id, rank, _STAGES[item.topic],
                    0 if item.frame_index is None else level(item.frame_index), item.topic, item.content_sha256,
                    len(item.value), QUEUED if item.held is None else HELD, item.held, self._clock(),
                ),
            ).lastrowid  # fmt: skip
            headers = json.dumps([(name, value.hex()) for name, value in item.headers])
            self._db.execute("INSERT INTO bodies VALUES (?, ?, ?, ?)", (number, item.key, headers, item.value))

    def _settle(self, answer: VanAnswered) -> bool:
        if answer.kind == "report":
            self._db.execute(
                "INSERT INTO reports VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET revision_number ="
                " excluded.revision_number, answer = excluded.answer"
                " WHERE excluded.revision_number >= reports.revision_number",
                (answer.screening_id, answer.revision_number or 0, answer.encode()),
            )
            return True
        named = (answer.item_id, answer.content_sha256)
        if answer.kind == "stored":
            found = self._db.execute(
                "UPDATE items SET state = ?, reason = NULL WHERE item_id = ? AND content_sha256 = ?", (STORED, *named)
            )
            self._db.execute(
                "DELETE FROM bodies WHERE number IN"
                " (SELECT number FROM items WHERE item_id = ? AND content_sha256 = ?)", named
            )  # fmt: skip
        else:
            found = self._db.execute(
                "UPDATE items SET state = ?, reason = ?, retryable = ?"
                " WHERE item_id = ? AND content_sha256 = ? AND state != ?",
                (REJECTED, answer.reason or "unnamed", answer.retryable, *named, STORED),
            )
        return found.rowcount > 0

    def _drop_half_composed(self) -> None:
        with self._transaction():
            self._db.execute("DELETE FROM items WHERE composing = 1")

    def _read(self, statement: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        with self._translating(), self._turn:
            return self._db.execute(statement, values).fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._translating(), self._turn:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    @contextmanager
    def _lock(self, name: str, waiting: Callable[[], None]) -> Iterator[None]:
        with self._translating():
            handle = self.path.with_suffix(f".{name}.lock").open("w")
        with handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                waiting()
                fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    @contextmanager
    def _translating(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            raise Transient(
                f"the spool in {self.path.parent} cannot be used ({error}); make room and try again"
            ) from error
        except sqlite3.DatabaseError as error:
            raise Fatal(f"the spool {self.path} is damaged ({error}); move it away and keep it") from error
        except OSError as error:
            raise Transient(f"the spool in {self.path.parent} cannot be used ({error.strerror}); try again") from error
