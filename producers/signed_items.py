"""The signed messages of a screening: pure functions from what is known to an item."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sonovan.contracts.amendments import ScreeningAmended
from sonovan.contracts.clinical_record import FeaturesRecorded
from sonovan.contracts.digests import frames_digest
from sonovan.contracts.envelope import header_sha256, open_envelope, seal_header
from sonovan.contracts.frame_codec import DEFAULT_CODEC, encode_pixels, pixels_sha256
from sonovan.contracts.limits import MAX_SET_ASIDE
from sonovan.contracts.topics import Topic
from sonovan.contracts.tracing import capture_of
from sonovan.contracts.van import (
    Consent,
    ExcusedRegion,
    FrameCaptured,
    PlannedRegion,
    ScreeningClosed,
    ScreeningOpened,
    SequenceClosed,
    SetAside,
)
from sonovan.producers.features import features_recorded
from sonovan.producers.items import Item, Signer, Visit
from sonovan.producers.ledger import FrameNote, SequenceNote
from sonovan.producers.privacy import as_grey, black_out
from sonovan.producers.sources import CapturedFrame, Pixels, Source

CUT_SHORT: Final = "sequence_cut_short"


def control_item(
    topic: Topic,
    record: ScreeningOpened | FeaturesRecorded | SequenceClosed | ScreeningClosed | ScreeningAmended,
    signer: Signer,
) -> Item:
    """The message of a record without pixels."""
    header = record.encode()
    value, key = seal_header(header, signer.private_key), record.screening_id.encode()
    headers = (capture_of(record.screening_id, record.item_id).header,)
    return Item(record.item_id, topic, key, value, header_sha256(header), record.screening_id, headers=headers)


def opening_items(visit: Visit, screening_id: str, signer: Signer, moment: datetime) -> list[Item]:
    """The opening, and the clinical record where there is one. visit: with its plan."""
    opening = ScreeningOpened(
        screening_id=screening_id,
        van_id=signer.van_id,
        subject_key=visit.subject_key,
        slip_number=visit.slip_number,
        site_code=visit.site_code,
        opened_at=moment,
        planned=visit.planned or (),
        consent=visit.consent,
        consent_text=visit.consent_text,
    )
    items = [control_item(Topic.SCREENING_OPENED, opening, signer)]
    if visit.features is not None:
        record = features_recorded(visit.features, screening_id=screening_id, van_id=signer.van_id, recorded_at=moment)
        items.append(control_item(Topic.FEATURES_RECORDED, record, signer))
    return items


def frame_item(
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
        blackened_px=max(cleaned.blackened_px, shot.blackened_px),
        manufacturer=source.manufacturer,
        model=source.model,
    )
    return _item_of(header, payload, signer, held)


def with_pixels(value: bytes, pixels: Pixels, blackened_px: int, signer: Signer) -> Item:
    """The message of the same frame with other pixels, such as those of which a text was hidden.

    value: the frame's envelope. pixels: as many rows and columns. blackened_px: how many were cleared in addition.
    Raises ValueError for pixels of another shape.
    """
    header, shown = FrameCaptured.decode(open_envelope(value).header), as_grey(pixels)
    if shown.shape[:2] != (header.rows, header.columns):
        raise ValueError(f"the frame has {header.rows} by {header.columns} pixels, not {shown.shape[:2]}")
    changes = {
        "channels": 1 if shown.ndim == 2 else 3,
        "bits": 8 if shown.dtype.itemsize == 1 else 16,
        "codec": DEFAULT_CODEC,
        "pixels_sha256": pixels_sha256(shown),
        "blackened_px": min(header.blackened_px + blackened_px, header.rows * header.columns),
    }
    changed = FrameCaptured.model_validate(header.model_dump() | changes)
    return _item_of(changed, encode_pixels(shown, DEFAULT_CODEC), signer, None)


def _item_of(header: FrameCaptured, payload: bytes, signer: Signer, held: str | None) -> Item:
    value = seal_header(header.encode(), signer.private_key, payload)
    headers = (
        ("screening_id", header.screening_id.encode()),
        ("frame_id", header.frame_id.encode()),
        capture_of(header.screening_id, header.item_id).header,
    )
    return Item(
        header.item_id, Topic.FRAME_CAPTURED, header.sequence_id.encode(), value, header.pixels_sha256,
        header.screening_id, header.sequence_id, header.frame_index, headers, held,
    )  # fmt: skip


def sequence_closing(
    screening_id: str, sequence: SequenceNote, frames: Sequence[FrameNote], signer: Signer, moment: datetime
) -> Item:
    """The closing of a sequence with the number in its note. frames: in the order of their index."""
    closing = SequenceClosed(
        screening_id=screening_id,
        sequence_id=sequence.sequence_id,
        van_id=signer.van_id,
        closing_number=sequence.closing_number,
        frame_count=frames[-1].frame_index + 1 if frames else 0,
        frames_digest=frames_digest([f.content_sha256 for f in frames if f.content_sha256 and not f.discarded]),
        organ=sequence.organ,
        laterality=sequence.laterality,
        view=sequence.view,
        position=sequence.position,
        set_aside=in_runs(set_aside(frames))[:MAX_SET_ASIDE],
        operator=sequence.operator,
        closed_at=moment,
    )
    return control_item(Topic.SEQUENCE_CLOSED, closing, signer)


def screening_closing(
    screening_id: str,
    number: int,
    sequences: Sequence[SequenceNote],
    covered: tuple[PlannedRegion, ...] | None,
    excused: tuple[ExcusedRegion, ...],
    signer: Signer,
    moment: datetime,
    *,
    stays: bool = False,
    left_at: datetime | None = None,
) -> Item:
    """The closing of a screening. What was ticked off, and whether she is still there, is as
    `sonovan.producers.screening.Screening.close` has it.
    """
    warnings = set[str]().union(*(each.warnings | (set() if each.ended else {CUT_SHORT}) for each in sequences))
    closing = ScreeningClosed(
        screening_id=screening_id,
        van_id=signer.van_id,
        closing_number=number,
        sequence_ids=tuple(each.sequence_id for each in sequences),
        quality_warnings=tuple(sorted(warnings)),
        covered=covered,
        excused=excused,
        stays=stays,
        left_at=left_at,
        closed_at=moment,
    )
    return control_item(Topic.SCREENING_CLOSED, closing, signer)


def set_aside(frames: Sequence[FrameNote]) -> list[SetAside]:
    """The frames that count and are not sent, each with its reason."""
    return [
        SetAside(frame_index=each.frame_index, reason=each.reason, discarded=each.discarded)
        for each in frames
        if each.reason is not None
    ]


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
