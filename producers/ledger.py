"""What is remembered of a screening while it is composed: the seam between composing and keeping.

The van's ledger is its spool (`sonovan.producers.spool`), where every step is durable. Where nothing leaves the machine
(`sonovan screen`, `analyse`) it is `MemoryLedger`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeAlias

from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.lexicon import Organ, Side
from sonovan.producers.items import Item, Sink


@dataclass(frozen=True, slots=True)
class FrameNote:
    """What is known of one frame.

    content_sha256: of its pixels; None where nothing of it can be sent. reason: why it is set aside, None where it is
    sent. discarded: it counts and never comes; otherwise a frame with a reason is held on the van.
    """

    frame_index: int
    content_sha256: str | None
    reason: str | None = None
    discarded: bool = False


@dataclass(frozen=True, slots=True)
class SequenceNote:
    """What is known of one sequence. ended: its composer said that it is whole. closing_number: 0 before the first.

    operator: the code of who scanned, None where nobody said so.
    """

    sequence_id: str
    organ: Organ
    laterality: Side | None
    view: str | None
    position: str | None
    warnings: frozenset[str] = frozenset()
    ended: bool = False
    closing_number: int = 0
    operator: str | None = None


@dataclass(frozen=True, slots=True)
class Addition:
    """One frame to be added. item: its message, None where nothing can be sent. origin: what it was made from."""

    note: FrameNote
    item: Item | None
    origin: str | None = None


CloseSequence: TypeAlias = Callable[[SequenceNote, Sequence[FrameNote]], Item | None]
"""The closing of a sequence with that number and those frames; None where nothing of it can be sent."""
CloseScreening: TypeAlias = Callable[[int, Sequence[SequenceNote]], Item]
"""The closing of the screening with that number and those sequences."""


class Ledger(Protocol):
    """One screening. What a method was given is kept when it returns, all of it or nothing."""

    def open(self, make: Callable[[], Sequence[Item]]) -> None:
        """Put the items that `make` gives, unless the screening was opened before."""

    def begin(self, note: SequenceNote, origin: str | None) -> SequenceNote:
        """Remember a sequence. Returns the one of this id or origin where there is one already, which then goes on."""

    def totals(self) -> tuple[int, int]:
        """How many sequences and frames the screening has."""

    def add(self, sequence_id: str, additions: Sequence[Addition], warnings: frozenset[str]) -> list[FrameNote]:
        """Remember frames and put their items; what is now known of each.

        The same frame again, by its origin or by its index, changes nothing.
        Raises InvalidRecord `item_contradicts_spool` where other pixels stand under its index.
        """

    def end(self, sequence_id: str, warnings: frozenset[str], make: CloseSequence) -> list[FrameNote]:
        """Put the sequence's closing unless it stands already; the frames that it counts. It may be added to again."""

    def close(self, make_sequence: CloseSequence, make: CloseScreening) -> None:
        """Put the closings of sequences that changed, then the screening's, unless nothing changed since the last.

        Sequences of which nothing can be sent are left out.
        """


def contradiction(item_id: str) -> InvalidRecord:
    """The refusal of an item under whose id something else stands."""
    message = f"{item_id} is in the spool with other content; give the new one an id of its own"
    return InvalidRecord("item_contradicts_spool", message)


@dataclass
class _Open:
    note: SequenceNote
    frames: list[FrameNote] = field(default_factory=list)


class MemoryLedger:
    """A screening that this process composes in one go: a sink for its items, and what its closings must say."""

    def __init__(self, put: Sink) -> None:
        """put: takes each item; whatever it raises ends the screening."""
        self._put, self._opened, self._frames = put, False, 0
        self._sequences: dict[str, _Open] = {}

    def open(self, make: Callable[[], Sequence[Item]]) -> None:
        """As `Ledger.open`."""
        if not self._opened:
            self._opened = True
            for item in make():
                self._put(item)

    def begin(self, note: SequenceNote, origin: str | None) -> SequenceNote:
        """As `Ledger.begin`; origins are not looked at."""
        return self._sequences.setdefault(note.sequence_id, _Open(note)).note

    def totals(self) -> tuple[int, int]:
        """As `Ledger.totals`."""
        return len(self._sequences), self._frames

    def add(self, sequence_id: str, additions: Sequence[Addition], warnings: frozenset[str]) -> list[FrameNote]:
        """As `Ledger.add`; frames come once, in the order of their index."""
        sequence = self._sequences[sequence_id]
        for each in additions:
            sequence.frames.append(each.note)
            self._frames += 1
            if each.item is not None:
                self._put(each.item)
        return [each.note for each in additions]

    def end(self, sequence_id: str, warnings: frozenset[str], make: CloseSequence) -> list[FrameNote]:
        """As `Ledger.end`."""
        sequence = self._sequences[sequence_id]
        closed = replace(sequence.note, warnings=warnings, ended=True, closing_number=1)
        item = None if sequence.note.closing_number else make(closed, sequence.frames)
        if item is not None:
            self._put(item)
            sequence.note = closed
        return sequence.frames

    def close(self, make_sequence: CloseSequence, make: CloseScreening) -> None:
        """As `Ledger.close`; every sequence was ended before."""
        closed = [each.note for each in self._sequences.values() if each.note.closing_number]
        if closed:
            self._put(make(1, closed))
