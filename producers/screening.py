"""Compose the signed records of one screening from its sources, frame by frame, and hand each to a sink.

There is no other composer: the embedded run, `van send` and `van simulate` differ only in the sink.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TypeAlias

from sonovan.contracts.clinical_record import FeaturesRecorded
from sonovan.contracts.digests import frames_digest
from sonovan.contracts.envelope import header_sha256, seal_header
from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.frame_codec import DEFAULT_CODEC, encode_pixels, pixels_sha256
from sonovan.contracts.limits import MAX_FRAMES, MAX_SEQUENCES, MAX_SET_ASIDE
from sonovan.contracts.topics import Topic
from sonovan.contracts.van import (
    Consent,
    FrameCaptured,
    ScreeningClosed,
    ScreeningOpened,
    SequenceClosed,
    SetAside,
)
from sonovan.producers.features import features_recorded
from sonovan.producers.items import Ids, Item, Signer, Sink, Visit, mint_ids
from sonovan.producers.plan import both_sides
from sonovan.producers.privacy import black_out, hold_reason
from sonovan.producers.sources import CapturedFrame, LostFrame, Source, refusal

_CLOSING_NUMBER: Final = 1

Clock: TypeAlias = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class ComposedSequence:
    """One sequence as it was composed.

    path: where it was read, for messages. frames: how many its closing counts. set_aside: those of them that are not
    sent, with the reason.
    """

    sequence_id: str
    path: Path
    frames: int
    set_aside: tuple[SetAside, ...]


@dataclass(frozen=True, slots=True)
class Composed:
    """What became of a screening's sources.

    sequences: those with at least one readable frame; if there are none, nothing was handed to the sink.
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
    """Hand the items of a screening to the sink `put`.

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
    composer = Composer(sources, visit, signer, put, screening_id=chosen.screening_id, now=now, leaves=leaves)
    for source, sequence_id in zip(sources, chosen.sequence_ids, strict=True):
        compose_sequence(composer, source, sequence_id, progress)
    return composer.close()


def compose_sequence(
    composer: "Composer", source: Source, sequence_id: str, progress: Callable[[int], None] = lambda _frames: None
) -> None:
    """Read one source to its end, into the composer's sink; a source that breaks off is cut short and counted."""
    sequence = composer.begin(source, sequence_id)
    try:
        for shot in source.read():
            progress(1)
            sequence.add(shot)
    except InvalidRecord as error:
        sequence.end(cut_short=error)
    else:
        sequence.end()


class Composer:
    """One screening in the making: `begin` a sequence, `add` its frames, `end` it; then `close` the screening."""

    def __init__(
        self,
        sources: Sequence[Source],
        visit: Visit,
        signer: Signer,
        put: Sink,
        *,
        screening_id: str,
        now: Clock = utc_now,
        leaves: bool = True,
    ) -> None:
        """sources: what the opening plans where the visit has no plan of its own; nothing is read from them.

        leaves: whether what is put leaves this machine.
        Raises InvalidRecord `consent_refused` where she did not agree to the screening or to a machine's reading.
        """
        if not visit.consent.to_analysis:
            message = (
                "nothing is sent of her: she must agree to the screening, and to a machine that reads the pictures"
            )
            raise InvalidRecord("consent_refused", message)
        self._leaves = leaves
        self._sources, self._visit, self._signer, self._put = sources, visit, signer, put
        self.screening_id, self._now = screening_id, now
        self._opened = False
        self._warnings: set[str] = set()
        self._frames = 0
        self._done: list[ComposedSequence] = []
        self._refused: list[InvalidRecord] = []

    def begin(self, source: Source, sequence_id: str) -> "OpenSequence":
        """The next sequence, to be ended before another one begins. source: what its frames have in common."""
        return OpenSequence(self, source, sequence_id)

    def close(self) -> Composed:
        """Put the screening's closing, unless no sequence had a readable frame; what was composed."""
        if self._done:
            closing = ScreeningClosed(
                screening_id=self.screening_id,
                van_id=self._signer.van_id,
                closing_number=_CLOSING_NUMBER,
                sequence_ids=tuple(each.sequence_id for each in self._done),
                quality_warnings=tuple(sorted(self._warnings)),
                closed_at=self._now(),
            )
            self._control(Topic.SCREENING_CLOSED, closing, None)
        return Composed(self.screening_id, tuple(self._done), tuple(self._refused))

    def frame(self, source: Source, sequence_id: str, shot: CapturedFrame) -> Item:
        """The signed message of one frame; nothing is put."""
        held = hold_reason(source) if self._leaves else None
        return _frame_item(
            source, shot, self.screening_id, sequence_id, self._visit.consent, self._signer, self._now(), held
        )

    def count(self, source: Source) -> None:
        """Count a frame in. Raises InvalidRecord `too_large` where the screening holds no more, in frames or sequences.

        The centre would refuse it, so it is refused here, where somebody can send it as another screening.
        """
        if len(self._done) >= MAX_SEQUENCES:
            raise refusal("too_large", source.path, f"a screening holds at most {MAX_SEQUENCES} sequences")
        if self._frames >= MAX_FRAMES:
            raise refusal("too_large", source.path, f"a screening holds at most {MAX_FRAMES} frames")
        self._frames += 1

    def put(self, item: Item) -> None:
        """Put a frame, after the opening."""
        self._open()
        self._put(item)

    def end(
        self,
        sequence: "OpenSequence",
        hashes: Sequence[str],
        aside: Sequence[SetAside],
        warnings: set[str],
        refused: Sequence[InvalidRecord],
    ) -> None:
        """Put the closing of a sequence; one without a readable frame leaves no trace but its refusal."""
        self._refused += refused
        if not hashes:
            return
        self._warnings |= warnings
        closing = self._closing(sequence.source, sequence.sequence_id, sequence.frames, hashes, aside)
        self._control(Topic.SEQUENCE_CLOSED, closing, sequence.sequence_id)
        done = ComposedSequence(sequence.sequence_id, sequence.source.path, sequence.frames, tuple(aside))
        self._done.append(done)

    def _open(self) -> None:
        if self._opened:
            return
        self._opened = True
        visit, van_id, moment = self._visit, self._signer.van_id, self._now()
        opening = ScreeningOpened(
            screening_id=self.screening_id,
            van_id=van_id,
            subject_key=visit.subject_key,
            slip_number=visit.slip_number,
            site_code=visit.site_code,
            opened_at=moment,
            planned=both_sides([source.organ for source in self._sources]) if visit.planned is None else visit.planned,
            consent=visit.consent,
        )
        self._control(Topic.SCREENING_OPENED, opening, None)
        if visit.features is not None:
            features = features_recorded(
                visit.features, screening_id=self.screening_id, van_id=van_id, recorded_at=moment
            )
            self._control(Topic.FEATURES_RECORDED, features, None)

    def _closing(
        self, source: Source, sequence_id: str, frames: int, hashes: Sequence[str], aside: Sequence[SetAside]
    ) -> SequenceClosed:
        return SequenceClosed(
            screening_id=self.screening_id,
            sequence_id=sequence_id,
            van_id=self._signer.van_id,
            closing_number=_CLOSING_NUMBER,
            frame_count=frames,
            frames_digest=frames_digest(hashes),
            organ=source.organ,
            laterality=source.laterality,
            view=source.view,
            position=source.position,
            set_aside=in_runs(aside)[:MAX_SET_ASIDE],
            closed_at=self._now(),
        )

    def _control(
        self,
        topic: Topic,
        record: ScreeningOpened | FeaturesRecorded | SequenceClosed | ScreeningClosed,
        sequence_id: str | None,
    ) -> None:
        header = record.encode()
        value, key = seal_header(header, self._signer.private_key), self.screening_id.encode()
        self._put(Item(record.item_id, topic, key, value, header_sha256(header), self.screening_id, sequence_id))


class OpenSequence:
    """One sequence in the making; `Composer.begin` makes it. frames: how many were added, readable or not."""

    def __init__(self, composer: Composer, source: Source, sequence_id: str) -> None:
        self._composer, self.source, self.sequence_id = composer, source, sequence_id
        self.frames = 0
        self._hashes: list[str] = []
        self._aside: list[SetAside] = []
        self._troubles: list[InvalidRecord] = []
        self._warnings = {*source.notes, *(each.reason for each in source.warnings)}

    def add(self, shot: CapturedFrame | LostFrame) -> InvalidRecord | None:
        """Put one frame, or set it aside, count it and return why. Frames come in the order of their index.

        Raises InvalidRecord `too_large` where the screening is full: the sequence ends before this frame.
        """
        self._composer.count(self.source)
        self.frames = shot.frame_index + 1
        if isinstance(shot, CapturedFrame):
            trouble = self._put(shot)
            self._warnings |= set(shot.notes)
        else:
            self._aside.append(SetAside(frame_index=shot.frame_index, reason=shot.reason, discarded=True))
            trouble = InvalidRecord(shot.reason, shot.message)
        if trouble is not None:
            self._troubles.append(trouble)
        return trouble

    def end(self, cut_short: InvalidRecord | None = None) -> None:
        """Put the sequence's closing. cut_short: what ended it early, None where it is whole."""
        ended = [] if cut_short is None else [cut_short]
        warnings = self._warnings | ({"sequence_cut_short"} if ended else set())
        unlisted = len(in_runs(self._aside)) - MAX_SET_ASIDE
        if unlisted > 0:
            detail = f"{unlisted} runs of frames that were not sent are too many to list; they stay missing"
            ended.append(refusal("too_large", self.source.path, detail))
        if self._hashes:
            refused = [*_summed_up(self._troubles, self.frames), *ended]
        else:
            first = next(iter((*self._troubles, *ended)), None)
            refused = [first or refusal("no_frames", self.source.path, "it gave no frame")]
        self._composer.end(self, self._hashes, self._aside, warnings, refused)

    def _put(self, shot: CapturedFrame) -> InvalidRecord | None:
        try:
            item = self._composer.frame(self.source, self.sequence_id, shot)
        except InvalidRecord as error:
            if error.reason not in ("record_too_large", "pixels_too_large"):
                raise
            self._aside.append(SetAside(frame_index=shot.frame_index, reason="too_large", discarded=True))
            return refusal("too_large", self.source.path, f"frame {shot.frame_index + 1}: {error.message}")
        self._hashes.append(item.content_sha256)
        if item.held is not None:
            self._aside.append(SetAside(frame_index=shot.frame_index, reason=item.held))
        self._composer.put(item)
        return refusal(item.held, self.source.path, "held on this van") if item.held is not None else None


def _frame_item(
    source: Source,
    shot: CapturedFrame,
    screening_id: str,
    sequence_id: str,
    consent: Consent,
    signer: Signer,
    moment: datetime,
    held: str | None,
) -> Item:
    """Blacken, hash, code and sign a frame, in this order, so that hash and signature are those of what travels."""
    cleaned = black_out(shot.pixels, source.declared)
    pixels = cleaned.pixels
    payload = encode_pixels(pixels, DEFAULT_CODEC)  # first, for it says of a frame that is too large what is wrong
    header = FrameCaptured(
        screening_id=screening_id,
        sequence_id=sequence_id,
        frame_index=shot.frame_index,
        van_id=signer.van_id,
        organ=source.organ,
        laterality=source.laterality,
        view=source.view,
        position=source.position,
        nipple_distance_mm=source.nipple_distance_mm,
        consent=consent,
        captured_at=moment,
        acquired_on=source.acquired_on,
        time_ms=shot.time_ms,
        rows=pixels.shape[0],
        columns=pixels.shape[1],
        channels=1 if pixels.ndim == 2 else 3,
        bits=8 if pixels.dtype.itemsize == 1 else 16,
        codec=DEFAULT_CODEC,
        pixels_sha256=pixels_sha256(pixels),
        panels=shot.panels,
        blackened_px=cleaned.blackened_px,
        manufacturer=source.manufacturer,
        model=source.model,
    )
    value = seal_header(header.encode(), signer.private_key, payload)
    headers = (("screening_id", screening_id.encode()), ("frame_id", header.frame_id.encode()))
    return Item(
        header.item_id, Topic.FRAME_CAPTURED, sequence_id.encode(), value, header.pixels_sha256,
        screening_id, sequence_id, shot.frame_index, headers, held,
    )  # fmt: skip


def in_runs(aside: Sequence[SetAside]) -> tuple[SetAside, ...]:
    """The same frames, in the order of their index, neighbours with one reason as one run."""
    runs: list[SetAside] = []
    for each in aside:
        last = runs[-1] if runs else None
        same = last is not None and (last.reason, last.discarded) == (each.reason, each.discarded)
        if last is not None and same and last.indices.stop == each.frame_index:
            runs[-1] = last.model_copy(update={"frames": last.frames + each.frames})
        else:
            runs.append(each)
    return tuple(runs)


def _summed_up(troubles: list[InvalidRecord], frames: int) -> list[InvalidRecord]:
    """One error per reason, with the number of frames that it concerns."""
    reasons = {trouble.reason: trouble for trouble in reversed(troubles)}
    counts = {reason: sum(trouble.reason == reason for trouble in troubles) for reason in reasons}
    return [
        InvalidRecord(reason, f"{first.message} ({counts[reason]} of {frames} frames set aside)")
        for reason, first in sorted(reasons.items())
    ]
