"""Masks that were drawn elsewhere become reviews of stored frames: which fit, which are known already, which are
refused.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sonovan.console.drawn import Measured, measured
from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.frames import FrameSegmented, Region
from sonovan.contracts.reviews import FrameReviewed
from sonovan.contracts.words import OperatorCode
from sonovan.models.masks import encode_mask
from sonovan.review_files import DrawnMask, Labels, Refused
from sonovan.storage.frames import stored_frame
from sonovan.storage.reviews import Drawn, review_of
from sonovan.storage.stores import ObjectStore

Measure = Callable[[FrameSegmented, Labels], Measured]
"""Measures what was drawn on the frame of a result; raises InvalidRecord, KeyError where the frame is not stored."""


@dataclass(frozen=True)
class Reader:
    """Who drew, and whether without having seen what the machine outlines."""

    code: OperatorCode
    blind: bool


@dataclass(frozen=True)
class Review:
    """A review to publish. mask: the bytes to store under its `mask_key` first; None where nothing is outlined."""

    record: FrameReviewed
    mask: bytes | None


@dataclass(frozen=True)
class Sorted:
    """What becomes of drawn masks. known: the frames of which this reader's newest review says the same already."""

    reviews: tuple[Review, ...]
    known: tuple[str, ...]
    refused: tuple[Refused, ...]


def sort_drawn(
    drawn: Iterable[DrawnMask | Refused],
    frames: Mapping[str, FrameSegmented],
    reviewed: Iterable[FrameReviewed],
    reader: Reader,
    now: datetime,
    mint: Callable[[], str],
    measure: Measure | None = None,
) -> Sorted:
    """Check each mask against the frame that it names, and make a review of what is new.

    frames: the results that count, by frame id; what is not among them is refused. reviewed: all reviews so far.
    A mask is refused that has another size than its frame, was drawn on another picture, or is the second of its
    frame. The same mask of the same reader, as blind as the newest, is known: importing twice publishes nothing new.
    measure: measures each mask on its frame, whose numbers of regions the mask then has; None where a review is to
    change no revision.
    """
    newest = _newest(reviewed, reader)
    reviews: list[Review] = []
    known: list[str] = []
    refused: list[Refused] = []
    seen: set[str] = set()
    for each in drawn:
        if isinstance(each, Refused):
            refused.append(each)
            continue
        told = _refusal(each, frames.get(each.frame), seen)
        if told is not None:
            refused.append(Refused(each.source, told))
            continue
        seen.add(each.frame)
        try:
            mask, regions = _measured(each, frames[each.frame], measure)
        except (InvalidRecord, KeyError) as error:
            why = "its frame is not stored any more" if isinstance(error, KeyError) else error.message
            refused.append(Refused(each.source, f"it cannot be measured: {why}"))
            continue
        sha256 = None if mask is None else hashlib.sha256(mask).hexdigest()
        last = newest.get(each.frame)
        if last is not None and last.mask_sha256 == sha256 and (last.regions is None) == (regions is None):
            known.append(each.frame)
        else:
            read = Drawn(reader.code, reader.blind, "drawn", mask, "file", regions=regions)
            reviews.append(Review(_record(frames[each.frame], read, now, mint()), mask))
    return Sorted(tuple(reviews), tuple(known), tuple(refused))


def measure_on(store: ObjectStore) -> Measure:
    """Measures masks on the frames that are stored there. Raises as the store, KeyError where a frame is gone."""

    def measure(frame: FrameSegmented, labels: Labels) -> Measured:
        stored = stored_frame(store, frame)
        machine = stored.labels() if frame.mask_key is not None else None
        return measured(labels, machine, stored.pixels(), frame.panels)

    return measure


def _measured(
    drawn: DrawnMask, frame: FrameSegmented, measure: Measure | None
) -> tuple[bytes | None, tuple[Region, ...] | None]:
    """The mask to store, and what was measured within it."""
    if measure is None:
        return (encode_mask(drawn.labels) if drawn.labels.any() else None), None
    found = measure(frame, drawn.labels)
    return found.mask, found.regions


def _newest(reviewed: Iterable[FrameReviewed], reader: Reader) -> dict[str, FrameReviewed]:
    newest: dict[str, FrameReviewed] = {}
    for review in reviewed:
        if (review.reader, review.blind) == (reader.code, reader.blind):
            before = newest.get(review.frame_id)
            if before is None or before.review_id < review.review_id:
                newest[review.frame_id] = review
    return newest


def _refusal(drawn: DrawnMask, frame: FrameSegmented | None, seen: set[str]) -> str | None:
    if frame is None:
        return f"no stored frame of these screenings is called {drawn.frame}"
    if drawn.frame in seen:
        return f"another mask of {drawn.frame} was given before it"
    rows, columns = drawn.labels.shape
    if (rows, columns) != (frame.rows, frame.columns):
        return f"the mask has {columns}×{rows} pixels, frame {drawn.frame} {frame.columns}×{frame.rows}"
    if drawn.image_sha256 is not None and drawn.image_sha256 not in (frame.image_sha256, frame.pixels_sha256):
        return f"it was drawn on another picture than the one that is stored as {drawn.frame}"
    return None


def _record(frame: FrameSegmented, drawn: Drawn, now: datetime, review_id: str) -> FrameReviewed:
    predicted = [region.predicted_dice for region in frame.regions if region.predicted_dice is not None]
    return review_of(
        frame,
        drawn,
        weights_sha256=frame.weights_sha256,
        predicted_dice=min(predicted, default=None),
        review_id=review_id,
        at=now,
    )
