"""One screening in the spool, as the composer sees it: every step is one durable transaction."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace

from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.ids import frame_id
from sonovan.contracts.topics import Topic
from sonovan.producers.items import Item
from sonovan.producers.ledger import (
    Addition,
    CloseScreening,
    CloseSequence,
    FrameNote,
    SequenceNote,
    contradiction,
)
from sonovan.producers.signed_items import CUT_SHORT
from sonovan.producers.spool.database import Database, Row
from sonovan.producers.spool.queue import Queue

_SEQUENCE = "SELECT sequence_id, about, warnings, ended, closing_number, changed FROM sequences"


class SpoolLedger:
    """The ledger of a screening whose row exists. mac: hides what an origin says."""

    def __init__(self, screening_id: str, db: Database, queue: Queue, mac: Callable[[str], str]) -> None:
        self._id, self._db, self._queue, self._mac = screening_id, db, queue, mac

    def open(self, make: Callable[[], Sequence[Item]]) -> None:
        """As `Ledger.open`. The visit is no longer kept in its row, for all of it is in the opening."""
        with self._queue.transaction():
            if self._db.read("SELECT 1 FROM screenings WHERE screening_id = ? AND visit IS NULL", self._id):
                return
            items = make()
            with self._queue.adding(items):
                self._db.write("UPDATE screenings SET visit = NULL WHERE screening_id = ?", self._id)
                self.count(items)

    def count(self, items: Sequence[Item]) -> None:
        """Count clinical records in, within a transaction: the next one has the next number."""
        for item in items:
            if item.topic == Topic.FEATURES_RECORDED:
                self._db.write(
                    "INSERT INTO numbers VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET newest = newest + 1",
                    self._id, item.topic,
                )  # fmt: skip

    def put_next(self, topic: Topic, make: Callable[[int], Item]) -> Item:
        """Put a record of a topic that counts its records of a screening; make: gives the one of this number."""
        with self._queue.transaction():
            item = make(self.newest(topic) + 1)
            with self._queue.adding([item]):
                self._db.write(
                    "INSERT INTO numbers VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET newest = newest + 1",
                    self._id, topic,
                )  # fmt: skip
        return item

    def newest(self, topic: Topic) -> int:
        """The number of the newest record of this topic, 0 where there was none; purging forgets none."""
        rows = self._db.read("SELECT newest FROM numbers WHERE screening_id = ? AND topic = ?", self._id, topic)
        return int(rows[0][0]) if rows else 0

    def begin(self, note: SequenceNote, origin: str | None) -> SequenceNote:
        """As `Ledger.begin`."""
        hidden = None if origin is None else self._mac(origin)
        with self._queue.transaction():
            rows = self._db.read(
                f"{_SEQUENCE} WHERE screening_id = ? AND (origin = ? OR sequence_id = ?)",
                self._id,
                hidden,
                note.sequence_id,
            )
            if not rows:
                about = [note.organ, note.laterality, note.view, note.position]
                about += [] if note.operator is None else [note.operator]  # earlier programs read four of them alone
                self._db.write(
                    "INSERT INTO sequences (sequence_id, screening_id, origin, about) VALUES (?, ?, ?, ?)",
                    note.sequence_id, self._id, hidden, json.dumps(about),
                )  # fmt: skip
                self._touch(note.sequence_id)
        return _note(rows[0]) if rows else note

    def forget_frames(self) -> None:
        """Forget the frames of sequences that are closed and stored, and who scanned them, within a transaction."""
        self._db.write(
            "DELETE FROM frames WHERE sequence_id IN (SELECT sequence_id FROM sequences WHERE screening_id = ?)",
            self._id,
        )
        self._db.write(
            "UPDATE sequences SET purged = 1, about = json_remove(about, '$[4]') WHERE screening_id = ?", self._id
        )

    def totals(self) -> tuple[int, int]:
        """As `Ledger.totals`."""
        sequences = self._db.read("SELECT count(*) FROM sequences WHERE screening_id = ?", self._id)[0][0]
        rows = self._db.read("SELECT frames FROM screenings WHERE screening_id = ?", self._id)
        return int(sequences), int(rows[0][0])

    def add(self, sequence_id: str, additions: Sequence[Addition], warnings: frozenset[str]) -> list[FrameNote]:
        """As `Ledger.add`."""
        while True:
            known = [self._known(sequence_id, each) for each in additions]
            new = [each for each, before in zip(additions, known, strict=True) if before is None]
            try:
                self._add(sequence_id, new, warnings)
            except _AddedMeanwhile:
                continue
            return [before or each.note for each, before in zip(additions, known, strict=True)]

    def _add(self, sequence_id: str, new: Sequence[Addition], warnings: frozenset[str]) -> None:
        with self._queue.adding([each.item for each in new if each.item is not None]):
            if self._db.read("SELECT 1 FROM sequences WHERE sequence_id = ? AND purged = 1", sequence_id):
                message = f"sequence {sequence_id} is stored and purged: what is new needs a sequence of its own"
                raise InvalidRecord("option_invalid", message)
            for each in new:
                if self._known(sequence_id, each) is not None:
                    raise _AddedMeanwhile
                note, origin = each.note, None if each.origin is None else self._mac(each.origin)
                self._db.write(
                    "INSERT INTO frames VALUES (?, ?, ?, ?, ?, ?, ?)", sequence_id, note.frame_index,
                    note.content_sha256, note.content_sha256, note.reason, note.discarded, origin,
                )  # fmt: skip
            self._db.write("UPDATE screenings SET frames = frames + ? WHERE screening_id = ?", len(new), self._id)
            if new:
                self._touch(sequence_id)
            self._warn(sequence_id, warnings)

    def end(self, sequence_id: str, warnings: frozenset[str], make: CloseSequence) -> list[FrameNote]:
        """As `Ledger.end`."""
        with self._queue.transaction():
            self._warn(sequence_id, warnings, without=CUT_SHORT)
            if self._db.write("UPDATE sequences SET ended = 1 WHERE sequence_id = ? AND ended = 0", sequence_id):
                self._db.write("UPDATE screenings SET changed = 1 WHERE screening_id = ?", self._id)
            return self._close_sequence(sequence_id, make)

    def close(self, make_sequence: CloseSequence, make: CloseScreening) -> None:
        """As `Ledger.close`. Sequences that ended without anything to send are forgotten, and so is a screening of
        which nothing was ever put.
        """
        with self._queue.transaction():
            for row in self._sequences():
                frames = self._close_sequence(row[0], make_sequence)
                if row[3] and not any(each.content_sha256 for each in frames) and not row[4]:
                    self._forget(row[0], len(frames))
            number, changed, opened = self._db.read(
                "SELECT closing_number, changed, visit IS NULL FROM screenings WHERE screening_id = ?", self._id
            )[0]
            if not opened:
                for row in self._sequences():
                    self._forget(row[0], 0)
                self._db.write("DELETE FROM screenings WHERE screening_id = ?", self._id)
                self._db.write("DELETE FROM women WHERE screening_id = ?", self._id)
            elif changed:
                closed = [note for row in self._sequences() if (note := _note(row)).closing_number]
                with self._queue.adding([make(number + 1, closed)]):
                    self._db.write(
                        "UPDATE screenings SET closing_number = ?, changed = 0 WHERE screening_id = ?",
                        number + 1, self._id,
                    )  # fmt: skip

    def _sequences(self) -> list[Row]:
        return self._db.read(f"{_SEQUENCE} WHERE screening_id = ? ORDER BY number", self._id)

    def close_again(self, sequence_id: str, make: CloseSequence) -> None:
        """Put another closing of a sequence whose frames changed, if it was closed before. Within a transaction."""
        self._db.write("UPDATE sequences SET changed = 1 WHERE sequence_id = ?", sequence_id)
        if self._db.read("SELECT 1 FROM sequences WHERE sequence_id = ? AND closing_number > 0", sequence_id):
            self._close_sequence(sequence_id, make)

    def _close_sequence(self, sequence_id: str, make: CloseSequence) -> list[FrameNote]:
        row = self._db.read(f"{_SEQUENCE} WHERE sequence_id = ?", sequence_id)[0]
        rows = self._db.read(
            "SELECT frame_index, content_sha256, reason, discarded FROM frames WHERE sequence_id = ?"
            " ORDER BY frame_index",
            sequence_id,
        )
        frames = [_frame(each) for each in rows]
        if not row[5]:
            return frames
        note = _note(row)
        item = make(replace(note, closing_number=note.closing_number + 1), frames)
        if item is None:
            return frames
        with self._queue.adding([item]):
            self._db.write(
                "UPDATE sequences SET closing_number = closing_number + 1, changed = 0 WHERE sequence_id = ?",
                sequence_id,
            )
        return frames

    def _known(self, sequence_id: str, addition: Addition) -> FrameNote | None:
        """The frame as it stands already: of this origin anywhere in the screening, or of this index."""
        note = addition.note
        columns = "frame_index, content_sha256, reason, discarded, made_sha256 FROM frames"
        if addition.origin is not None:
            found = self._db.read(
                f"SELECT {columns} JOIN sequences USING (sequence_id) WHERE frames.origin = ? AND screening_id = ?",
                self._mac(addition.origin), self._id,
            )  # fmt: skip
            if found:
                return _frame(found[0])
        found = self._db.read(
            f"SELECT {columns} WHERE sequence_id = ? AND frame_index = ?", sequence_id, note.frame_index
        )
        if not found:
            return None
        if note.content_sha256 not in (found[0][1], found[0][4]):
            raise contradiction(frame_id(sequence_id, note.frame_index))
        return _frame(found[0])

    def _touch(self, sequence_id: str) -> None:
        self._db.write("UPDATE sequences SET changed = 1, ended = 0 WHERE sequence_id = ?", sequence_id)
        self._db.write("UPDATE screenings SET changed = 1 WHERE screening_id = ?", self._id)

    def _warn(self, sequence_id: str, warnings: frozenset[str], without: str = "") -> None:
        before = set(
            json.loads(self._db.read("SELECT warnings FROM sequences WHERE sequence_id = ?", sequence_id)[0][0])
        )
        after = (before - {without}) | warnings
        if after != before:
            self._db.write(
                "UPDATE sequences SET warnings = ?, changed = 1 WHERE sequence_id = ?",
                json.dumps(sorted(after)), sequence_id,
            )  # fmt: skip
            self._db.write("UPDATE screenings SET changed = 1 WHERE screening_id = ?", self._id)

    def _forget(self, sequence_id: str, frames: int) -> None:
        self._db.write("DELETE FROM frames WHERE sequence_id = ?", sequence_id)
        self._db.write("DELETE FROM sequences WHERE sequence_id = ?", sequence_id)
        self._db.write("UPDATE screenings SET frames = frames - ? WHERE screening_id = ?", frames, self._id)


class _AddedMeanwhile(Exception):
    """Another thread or process added one of the frames between the look and the transaction."""


def _frame(row: Row) -> FrameNote:
    return FrameNote(row[0], row[1], row[2], bool(row[3]))


def _note(row: Row) -> SequenceNote:
    sequence_id, about, warnings, ended, closing_number, _ = row
    organ, laterality, view, position, *more = json.loads(about)
    operator = more[0] if more else None  # nobody said so, an earlier version wrote it, or it was forgotten
    warned = frozenset(json.loads(warnings))
    return SequenceNote(sequence_id, organ, laterality, view, position, warned, bool(ended), closing_number, operator)
