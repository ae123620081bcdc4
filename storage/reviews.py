"""A reader's mask of a stored frame becomes a record and an object: the same wherever it was drawn."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, Protocol

from sonovan.contracts.frames import Region
from sonovan.contracts.lexicon import Organ
from sonovan.contracts.reviews import Compared, FrameReviewed, ReadWord, Verdict
from sonovan.contracts.words import OperatorCode
from sonovan.storage.keys import Bucket, review_mask_key
from sonovan.storage.stores import ObjectStore

PNG: Final = "image/png"


class Result(Protocol):
    """What is known of a frame and of the machine's result on it: a `FrameSegmented`, or a row of the catalogue."""

    @property
    def screening_id(self) -> str: ...
    @property
    def sequence_id(self) -> str: ...
    @property
    def frame_index(self) -> int: ...
    @property
    def van_id(self) -> str: ...
    @property
    def organ(self) -> Organ: ...
    @property
    def image_key(self) -> str: ...
    @property
    def image_sha256(self) -> str: ...
    @property
    def mask_key(self) -> str | None: ...
    @property
    def mask_sha256(self) -> str | None: ...
    @property
    def model_id(self) -> str: ...
    @property
    def fingerprint(self) -> str: ...
    @property
    def assessable(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Drawn:
    """What a reader did. mask: the PNG of the label mask, None where nothing is outlined. regions: what was measured
    within it, numbered as it is (`sonovan.console.drawn.measured`); without them the review changes no revision.
    Otherwise as in `FrameReviewed`.
    """

    reader: OperatorCode
    blind: bool
    verdict: Verdict
    mask: bytes | None
    origin: Literal["console", "file"]
    words: tuple[ReadWord, ...] = ()
    regions: tuple[Region, ...] | None = None


def review_of(
    frame: Result,
    drawn: Drawn,
    *,
    weights_sha256: str | None,
    predicted_dice: float | None,
    review_id: str,
    at: datetime,
) -> FrameReviewed:
    """The record of a review.

    weights_sha256: of the machine's network; None where it is not known, and then nothing is compared. predicted_dice:
    the lowest of the machine's regions.
    """
    sha256 = None if drawn.mask is None else hashlib.sha256(drawn.mask).hexdigest()
    compared = None if weights_sha256 is None else Compared(
        model_id=frame.model_id,
        weights_sha256=weights_sha256,
        fingerprint=frame.fingerprint,
        mask_key=frame.mask_key,
        mask_sha256=frame.mask_sha256,
        predicted_dice=predicted_dice,
        assessable=frame.assessable,
    )  # fmt: skip
    return FrameReviewed(
        review_id=review_id,
        screening_id=frame.screening_id,
        sequence_id=frame.sequence_id,
        frame_index=frame.frame_index,
        van_id=frame.van_id,
        organ=frame.organ,
        image_key=frame.image_key,
        image_sha256=frame.image_sha256,
        reader=drawn.reader,
        blind=drawn.blind,
        verdict=drawn.verdict,
        mask_key=None if sha256 is None else review_mask_key(frame.sequence_id, frame.frame_index, review_id),
        mask_sha256=sha256,
        compared=compared,
        words=drawn.words,
        regions=drawn.regions,
        origin=drawn.origin,
        reviewed_at=at,
    )


def store_mask(store: ObjectStore, record: FrameReviewed, mask: bytes | None) -> None:
    """Store the mask of a review, before the review is published. Raises as ObjectStore.put."""
    if mask is not None and record.mask_key is not None:
        store.put(Bucket.MASKS, record.mask_key, mask, PNG)
