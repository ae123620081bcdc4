"""Compose the signed records of one screening from its sources, frame by frame, and hand each to a sink.

There is no other composer: the embedded run, `van send` and `van simulate` differ only in the sink.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TypeAlias

from sonovan.contracts.digests import frames_digest
from sonovan.contracts.envelope import header_sha256, seal, seal_header
from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.frame_codec import DEFAULT_CODEC, encode_pixels, pixels_sha256
from sonovan.contracts.lexicon import Organ, Side
from sonovan.contracts.topics import MAX_MESSAGE_BYTES, Topic
from sonovan.contracts.van import (
    FeaturesRecorded,
    FrameCaptured,
    PlannedRegion,
    ScreeningClosed,
    ScreeningOpened,
    SequenceClosed,
    SetAside,
)
from sonovan.producers.features import features_recorded
from sonovan.producers.items import Ids, Item, Signer, Sink, Visit, mint_ids
from sonovan.producers.privacy import black_out, hold_reason
from sonovan.producers.sources import CapturedFrame, LostFrame, Source, refusal

_ENVELOPE_LIMIT: Final = MAX_MESSAGE_BYTES - 64 * 1024  # Kafka's own fields around the value
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
) -> Composed:
    """Hand the items of a screening to the sink `put`.

    The order is: the opening, the clinical record, for each source its frames and the sequence's closing, and last the
    screening's closing. One frame is in memory at a time. The opening is made with the first readable frame, so that
    inputs without one leave no trace. A frame that cannot be read or sent is set aside and counted, and the sequence
    goes on.
    ids: given, so that two runs have the same ids; None makes new ones. progress: called with the number of frames done
    since the last call.
    Raises ValueError if `ids` do not fit the sources. Whatever `put` raises ends the screening.
    """
    chosen = ids or mint_ids(len(sources))
    if len(chosen.sequence_ids) != len(sources):
        raise ValueError(f"{len(chosen.sequence_ids)} sequence ids for {len(sources)} sources")
    screening = _Screening(sources, visit, signer, put, chosen.screening_id, now, progress)
    pairs = zip(sources, chosen.sequence_ids, strict=True)
    done = [composed for source, name in pairs if (composed := screening.sequence(source, name)) is not None]
    if done:
        screening.close([composed.sequence_id for composed in done])
    return Composed(chosen.screening_id, tuple(done), tuple(screening.refused))


class _Screening:
    """The state of composing one screening: whether it is opened, what was refused, the quality warnings so far."""

    def __init__(
        self,
        sources: Sequence[Source],
        visit: Visit,
        signer: Signer,
        put: Sink,
        screening_id: str,
        now: Clock,
        progress: Callable[[int], None],
    ) -> None:
        self._sources, self._visit, self._signer, self._put = sources, visit, signer, put
        self._screening_id, self._now, self._progress = screening_id, now, progress
        self._opened = False
        self._warnings: set[str] = set()
        self.refused: list[InvalidRecord] = []

    def sequence(self, source: Source, sequence_id: str) -> ComposedSequence | None:
        """Hand over the frames and the closing of one source; None if no frame of it could be read."""
        hashes: list[str] = []
        aside: list[SetAside] = []
        troubles: list[InvalidRecord] = []
        ended: list[InvalidRecord] = []
        warnings = set(source.notes)
        frames = 0
        try:
            for shot in source.read():
                frames = shot.frame_index + 1
                self._progress(1)
                trouble = self._frame(source, sequence_id, shot, hashes, aside)
                warnings |= set(shot.notes) if isinstance(shot, CapturedFrame) else set()
                troubles += [trouble] if trouble else []
        except InvalidRecord as error:
            ended.append(error)
            warnings.add("sequence_cut_short")
        if not hashes:
            first = next(iter((*troubles, *ended)), None)
            self.refused.append(first or refusal("no_frames", source.path, "it gave no frame"))
            return None
        self.refused += [*_summed_up(troubles, frames), *ended]
        self._warnings |= warnings
        self._control(Topic.SEQUENCE_CLOSED, self._closing(source, sequence_id, frames, hashes, aside), sequence_id)
        return ComposedSequence(sequence_id, source.path, frames, tuple(aside))

    def close(self, sequence_ids: Sequence[str]) -> None:
        """Hand over the screening's closing."""
        closing = ScreeningClosed(
            screening_id=self._screening_id,
            van_id=self._signer.van_id,
            closing_number=_CLOSING_NUMBER,
            sequence_ids=tuple(sequence_ids),
            quality_warnings=tuple(sorted(self._warnings)),
            closed_at=self._now(),
        )
        self._control(Topic.SCREENING_CLOSED, closing, None)

    def _frame(
        self,
        source: Source,
        sequence_id: str,
        shot: CapturedFrame | LostFrame,
        hashes: list[str],
        aside: list[SetAside],
    ) -> InvalidRecord | None:
        """Hand over one frame, or set it aside and return the reason as an error."""
        if isinstance(shot, LostFrame):
            aside.append(SetAside(frame_index=shot.frame_index, reason=shot.reason, discarded=True))
            return InvalidRecord(shot.reason, shot.message)
        item = _frame_item(source, shot, self._screening_id, sequence_id, self._signer, self._now())
        if len(item.value) > _ENVELOPE_LIMIT:
            aside.append(SetAside(frame_index=shot.frame_index, reason="too_large", discarded=True))
            detail = f"frame {shot.frame_index} is {len(item.value) >> 20} MiB once coded, above what a message holds"
            return refusal("too_large", source.path, detail)
        self._open()
        hashes.append(item.content_sha256)
        if item.held is not None:
            aside.append(SetAside(frame_index=shot.frame_index, reason=item.held))
        self._put(item)
        return refusal(item.held, source.path, "held on this van") if item.held is not None else None

    def _open(self) -> None:
        if self._opened:
            return
        self._opened = True
        visit, van_id, moment = self._visit, self._signer.van_id, self._now()
        opening = ScreeningOpened(
            screening_id=self._screening_id,
            van_id=van_id,
            subject_key=visit.subject_key,
            slip_number=visit.slip_number,
            site_code=visit.site_code,
            opened_at=moment,
            planned=_planned(self._sources) if visit.planned is None else visit.planned,
            consent=visit.consent,
        )
        self._control(Topic.SCREENING_OPENED, opening, None)
        if visit.features is not None:
            features = features_recorded(
                visit.features, screening_id=self._screening_id, van_id=van_id, recorded_at=moment
            )
            self._control(Topic.FEATURES_RECORDED, features, None)

    def _closing(
        self, source: Source, sequence_id: str, frames: int, hashes: list[str], aside: list[SetAside]
    ) -> SequenceClosed:
        return SequenceClosed(
            screening_id=self._screening_id,
            sequence_id=sequence_id,
            van_id=self._signer.van_id,
            closing_number=_CLOSING_NUMBER,
            frame_count=frames,
            frames_digest=frames_digest(hashes),
            organ=source.organ,
            laterality=source.laterality,
            view=source.view,
            position=source.position,
            set_aside=tuple(aside),
            closed_at=self._now(),
        )

    def _control(
        self,
        topic: Topic,
        record: ScreeningOpened | FeaturesRecorded | SequenceClosed | ScreeningClosed,
        sequence_id: str | None,
    ) -> None:
        header = record.encode()
        value, key = seal_header(header, self._signer.private_key), self._screening_id.encode()
        self._put(Item(record.item_id, topic, key, value, header_sha256(header), self._screening_id, sequence_id))


def _frame_item(
    source: Source, shot: CapturedFrame, screening_id: str, sequence_id: str, signer: Signer, moment: datetime
) -> Item:
    """Blacken, hash, code and sign a frame, in this order, so that hash and signature are those of what travels."""
    cleaned = black_out(shot.pixels, source.declared)
    pixels = cleaned.pixels
    header = FrameCaptured(
        screening_id=screening_id,
        sequence_id=sequence_id,
        frame_index=shot.frame_index,
        van_id=signer.van_id,
        organ=source.organ,
        laterality=source.laterality,
        view=source.view,
        position=source.position,
        captured_at=moment,
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
    value = seal(header, signer.private_key, encode_pixels(pixels, DEFAULT_CODEC))
    headers = (("screening_id", screening_id.encode()), ("frame_id", header.frame_id.encode()))
    return Item(
        header.item_id, Topic.FRAME_CAPTURED, sequence_id.encode(), value, header.pixels_sha256,
        screening_id, sequence_id, shot.frame_index, headers, hold_reason(source),
    )  # fmt: skip


def _planned(sources: Sequence[Source]) -> tuple[PlannedRegion, ...]:
    """The checklist of a visit that has none: each organ and side that is sent, once, in order."""
    pairs: dict[tuple[Organ, Side | None], None] = {(source.organ, source.laterality): None for source in sources}
    return tuple(PlannedRegion(organ=organ, side=side) for organ, side in pairs)


def _summed_up(troubles: list[InvalidRecord], frames: int) -> list[InvalidRecord]:
    """One error per reason, with the number of frames that it concerns."""
    reasons = {trouble.reason: trouble for trouble in reversed(troubles)}
    counts = {reason: sum(trouble.reason == reason for trouble in troubles) for reason in reasons}
    return [
        InvalidRecord(reason, f"{first.message} ({counts[reason]} of {frames} frames set aside)")
        for reason, first in sorted(reasons.items())
    ]
