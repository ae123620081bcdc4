"""Compose the signed records of one screening, frame by frame, into a ledger.

There is no other composer: the embedded run, `van send`, `van simulate` and the van's gateway differ only in the
ledger. `sonovan.producers.spool.Spool.open_screening` gives a screening whose every step is durable when it returns.
"""

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TypeAlias

from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.limits import MAX_FRAMES, MAX_SEQUENCES, MAX_SET_ASIDE
from sonovan.contracts.van import Consent, ExcusedRegion, PlannedRegion, SetAside
from sonovan.producers.items import Ids, Item, Signer, Sink, Visit, mint_ids
from sonovan.producers.ledger import Addition, FrameNote, Ledger, MemoryLedger, SequenceNote
from sonovan.producers.plan import both_sides
from sonovan.producers.privacy import hold_reason
from sonovan.producers.signed_items import (
    CUT_SHORT,
    frame_item,
    in_runs,
    opening_items,
    screening_closing,
    sequence_closing,
    set_aside,
)
from sonovan.producers.sources import CapturedFrame, LostFrame, Source, refusal
from sonovan.producers.sources.origin import Origin

Clock: TypeAlias = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class ComposedSequence:
    """One sequence as it was composed.

    path: where it was read, for messages. frames: how many its closing counts. set_aside: those of them that are not
    sent, with the reason.
    """

    sequence_id: str
    path: Origin
    frames: int
    set_aside: tuple[SetAside, ...]


@dataclass(frozen=True, slots=True)
class Composed:
    """What became of a screening's sources.

    sequences: those with at least one readable frame; if there are none, nothing was handed on.
    refused: one error for each source that gave no frame, and one per reason for a source that lost some.
    """

    screening_id: str
    sequences: tuple[ComposedSequence, ...]
    refused: tuple[InvalidRecord, ...]


def utc_now() -> datetime:
    """The van's clock."""
    return datetime.now(UTC)


def compose(
    sources: Sequence[Source],
    visit: Visit,
    signer: Signer,
    put: Sink,
    *,
    ids: Ids | None = None,
    now: Clock = utc_now,
    progress: Callable[[int], None] = lambda _frames: None,
    leaves: bool = True,
) -> Composed:
    """Hand the items of a screening to the sink `put`, in one go; nothing of it is kept.

    The order is: the opening, the clinical record, for each source its frames and the sequence's closing, and last the
    screening's closing. One frame is in memory at a time. The opening is made with the first readable frame, so that
    inputs without one leave no trace. A frame that cannot be read or sent is set aside and counted, and the sequence
    goes on.
    ids: given, so that two runs have the same ids; None makes new ones. progress: called with the number of frames done
    since the last call. leaves: whether what is put leaves this machine; where it does not, frames with burned-in text
    are not held.
    Raises ValueError if `ids` do not fit the sources, InvalidRecord `consent_refused` where she did not agree. Whatever
    `put` raises ends the screening.
    """
    chosen = ids or mint_ids(len(sources))
    if len(chosen.sequence_ids) != len(sources):
        raise ValueError(f"{len(chosen.sequence_ids)} sequence ids for {len(sources)} sources")
    screening = Screening(
        MemoryLedger(put), signer, chosen.screening_id, visit.consent, planned(visit, sources), now=now, leaves=leaves
    )
    for source, sequence_id in zip(sources, chosen.sequence_ids, strict=True):
        compose_sequence(screening, source, sequence_id, progress)
    return screening.close()


def planned(visit: Visit, sources: Sequence[Source]) -> Visit:
    """The visit with a plan: its own, else both sides of each organ that the sources show. Nothing is read from them.

    Raises InvalidRecord `consent_refused` where she did not agree to the screening or to a machine's reading.
    """
    if not visit.consent.to_analysis:
        message = "nothing is sent of her: she must agree to the screening, and to a machine that reads the pictures"
        raise InvalidRecord("consent_refused", message)
    if visit.planned is not None:
        return visit
    return replace(visit, planned=both_sides([source.organ for source in sources]))


def compose_sequence(
    screening: "Screening",
    source: Source,
    sequence_id: str,
    progress: Callable[[int], None] = lambda _frames: None,
    origin: str | None = None,
    operator: str | None = None,
) -> None:
    """Read one source to its end, into the screening; a source that breaks off is cut short and counted.

    origin: what names the source within this screening; given again, the sequence goes on where it was left.
    operator: the code of who scanned.
    """
    sequence = screening.begin(source, sequence_id, origin, operator)
    try:
        for shot in source.read():
            progress(1)
            sequence.add(shot)
    except InvalidRecord as error:
        sequence.end(cut_short=error)
    else:
        sequence.end()


class Screening:
    """One screening in the making: `begin` sequences, `add` their frames, `end` them; then `close` the screening.

    Several sequences may be under way at once, in several threads, each in one at a time. A sequence or a screening
    that was ended may be added to and ended again: its next closing has a higher number.
    """

    def __init__(
        self,
        ledger: Ledger,
        signer: Signer,
        screening_id: str,
        consent: Consent,
        visit: Visit | None,
        *,
        now: Clock = utc_now,
        leaves: bool = True,
    ) -> None:
        """visit: with its plan (`planned`); None where the screening was opened before. leaves: as for `compose`."""
        self.screening_id, self._ledger, self._signer = screening_id, ledger, signer
        self._consent, self._visit, self._now, self._leaves = consent, visit, now, leaves
        self._done: dict[str, ComposedSequence] = {}
        self._refused: list[InvalidRecord] = []

    def begin(
        self, source: Source, sequence_id: str, origin: str | None = None, operator: str | None = None
    ) -> "OpenSequence":
        """The next sequence. source: what its frames have in common. origin, operator: as for `compose_sequence`; of a
        sequence that goes on it stays whoever began it.
        """
        note = SequenceNote(
            sequence_id, source.organ, source.laterality, source.view, source.position, operator=operator
        )
        return OpenSequence(self, source, self._ledger.begin(note, origin).sequence_id)

    def open(self) -> None:
        """Put the opening now; otherwise the first readable frame does."""
        if self._visit is not None:
            opened = self._visit
            self._ledger.open(lambda: opening_items(opened, self.screening_id, self._signer, self._now()))
            self._visit = None

    def close(
        self,
        covered: tuple[PlannedRegion, ...] | None = None,
        excused: tuple[ExcusedRegion, ...] = (),
        *,
        stays: bool = False,
        left_at: datetime | None = None,
    ) -> Composed:
        """Put the screening's closing, unless nothing changed since the last one; what this object composed.

        Sequences that were not ended are closed as they are, with a warning, and may go on afterwards. A screening
        without a readable frame leaves no trace. covered: what of the plan was scanned whole; None without a checklist.
        excused: what of it was not scanned, and why. stays: she stays on the couch. left_at: when she left it, None
        where nobody said so.
        """
        self._ledger.close(
            self._sequence_closing,
            lambda number, sequences: screening_closing(
                self.screening_id,
                number,
                sequences,
                covered,
                excused,
                self._signer,
                self._now(),
                stays=stays,
                left_at=left_at,
            ),
        )
        return Composed(self.screening_id, tuple(self._done.values()), tuple(self._refused))

    def check_room(self, source: Source, new_frames: int) -> None:
        """Raises InvalidRecord `too_large` where the screening holds no more, in frames or sequences.

        The centre would refuse it, so it is refused here, where somebody can send it as another screening.
        """
        sequences, frames = self._ledger.totals()
        if sequences > MAX_SEQUENCES:
            raise refusal("too_large", source.path, f"a screening holds at most {MAX_SEQUENCES} sequences")
        if frames + new_frames > MAX_FRAMES:
            raise refusal("too_large", source.path, f"a screening holds at most {MAX_FRAMES} frames")

    def frame(self, source: Source, sequence_id: str, shot: CapturedFrame) -> Item:
        """The signed message of one frame; nothing is put."""
        held = (hold_reason(source) or shot.held) if self._leaves else None
        return frame_item(source, shot, self.screening_id, sequence_id, self._consent, self._signer, self._now(), held)

    def put(self, sequence_id: str, additions: Sequence[Addition], warnings: frozenset[str]) -> list[FrameNote]:
        """Put frames, after the opening; what is now known of each."""
        if any(each.item is not None for each in additions):
            self.open()
        return self._ledger.add(sequence_id, additions, warnings)

    def end(self, sequence: "OpenSequence", warnings: frozenset[str]) -> list[FrameNote]:
        """Put the closing of a sequence; its frames. One without a readable frame leaves no trace."""
        frames = self._ledger.end(sequence.sequence_id, warnings, self._sequence_closing)
        if any(each.content_sha256 for each in frames):
            self._done[sequence.sequence_id] = ComposedSequence(
                sequence.sequence_id, sequence.source.path, frames[-1].frame_index + 1, tuple(set_aside(frames))
            )
        return frames

    def refuse(self, refused: Iterable[InvalidRecord]) -> None:
        """Tell what of a source could not be used."""
        self._refused += refused

    def _sequence_closing(self, sequence: SequenceNote, frames: Sequence[FrameNote]) -> Item | None:
        if not any(each.content_sha256 for each in frames):
            return None
        return sequence_closing(self.screening_id, sequence, frames, self._signer, self._now())


class OpenSequence:
    """One sequence in the making; `Screening.begin` makes it. frames: how many were added here, readable or not."""

    def __init__(self, screening: Screening, source: Source, sequence_id: str) -> None:
        self._screening, self.source, self.sequence_id = screening, source, sequence_id
        self.frames = 0
        self._troubles: list[InvalidRecord] = []
        self._warnings = {*source.notes, *(each.reason for each in source.warnings)}

    def add(self, shot: CapturedFrame | LostFrame, origin: str | None = None) -> InvalidRecord | None:
        """Put one frame, or set it aside, count it and return why. Frames come in the order of their index.

        origin: what names the frame within this screening, such as an instance's UID; given again, nothing changes.
        Raises InvalidRecord `too_large` where the screening is full: the sequence ends before this frame.
        """
        return self.add_all([(shot, origin)])[0]

    def add_all(self, shots: Sequence[tuple[CapturedFrame | LostFrame, str | None]]) -> list[InvalidRecord | None]:
        """Put several frames in one step, each with its origin or None; all are kept or none is. As `add`."""
        self._screening.check_room(self.source, len(shots))
        made = self._made_of(shots)
        additions = [addition for addition, _ in made]
        self._warnings.update(*(shot.notes for shot, _ in shots if isinstance(shot, CapturedFrame)))
        notes = self._screening.put(self.sequence_id, additions, frozenset(self._warnings))
        self.frames = max((self.frames, *(shot.frame_index + 1 for shot, _ in shots)))
        troubles = [self._trouble(note, told) for note, (_, told) in zip(notes, made, strict=True)]
        self._troubles += [each for each in troubles if each is not None]
        return troubles

    def end(self, cut_short: InvalidRecord | None = None) -> None:
        """Put the sequence's closing. cut_short: what ended it early, None where it is whole."""
        ended = [] if cut_short is None else [cut_short]
        frames = self._screening.end(self, frozenset(self._warnings | ({CUT_SHORT} if ended else set())))
        unlisted = len(in_runs(set_aside(frames))) - MAX_SET_ASIDE
        if unlisted > 0:
            detail = f"{unlisted} runs of frames that were not sent are too many to list; they stay missing"
            ended.append(refusal("too_large", self.source.path, detail))
        if any(each.content_sha256 for each in frames):
            self._screening.refuse([*_summed_up(self._troubles, self.frames), *ended])
        else:
            first = next(iter((*self._troubles, *ended)), None)
            self._screening.refuse([first or refusal("no_frames", self.source.path, "it gave no frame")])

    def _made_of(
        self, shots: Sequence[tuple[CapturedFrame | LostFrame, str | None]]
    ) -> list[tuple[Addition, InvalidRecord | None]]:
        """Several frames are coded at once, one on each core: coding one takes milliseconds, without Python's lock."""
        if len(shots) == 1:
            return [self._made(*shots[0])]
        with ThreadPoolExecutor(min(len(shots), os.cpu_count() or 1), "coder") as threads:
            return list(threads.map(lambda each: self._made(*each), shots))

    def _made(self, shot: CapturedFrame | LostFrame, origin: str | None) -> tuple[Addition, InvalidRecord | None]:
        index = shot.frame_index
        if isinstance(shot, LostFrame):
            lost = FrameNote(index, None, shot.reason, discarded=True)
            return Addition(lost, None, origin), InvalidRecord(shot.reason, shot.message)
        try:
            item = self._screening.frame(self.source, self.sequence_id, shot)
        except InvalidRecord as error:
            if error.reason not in ("record_too_large", "pixels_too_large"):
                raise
            trouble = refusal("too_large", self.source.path, f"frame {index + 1}: {error.message}")
            return Addition(FrameNote(index, None, "too_large", discarded=True), None, origin), trouble
        return Addition(FrameNote(index, item.content_sha256, item.held), item, origin), None

    def _trouble(self, note: FrameNote, told: InvalidRecord | None) -> InvalidRecord | None:
        if told is not None or note.reason is None or note.discarded:
            return told
        return refusal(note.reason, self.source.path, "held on this van")


def _summed_up(troubles: list[InvalidRecord], frames: int) -> list[InvalidRecord]:
    """One error per reason, with the number of frames that it concerns."""
    reasons = {trouble.reason: trouble for trouble in reversed(troubles)}
    counts = {reason: sum(trouble.reason == reason for trouble in troubles) for reason in reasons}
    return [
        InvalidRecord(reason, f"{first.message} ({counts[reason]} of {frames} frames set aside)")
        for reason, first in sorted(reasons.items())
    ]
