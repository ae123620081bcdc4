"""What a reader drew and chose on one frame, beside what the machine had drawn there."""

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from sonovan.contracts.frames import Region
from sonovan.contracts.ids import frame_id
from sonovan.contracts.lexicon import Organ
from sonovan.contracts.limits import MAX_REGIONS
from sonovan.contracts.record import (
    Fingerprint,
    Id,
    Index,
    Moment,
    ObjectKey,
    Part,
    Record,
    Sha256,
    Share,
    Token,
    VanId,
)
from sonovan.contracts.words import ModelName, OperatorCode

Verdict = Literal["agreed", "corrected", "drawn"]
"""agreed: the machine's mask as it is. corrected: that mask, changed. drawn: the reader's own, from nothing."""


class ReadWord(Part):
    """One word of the lexicon that the reader chose for what the mask outlines: `margin` = `spiculated`."""

    term: Token
    word: Token


class Compared(Part):
    """The machine's result on the frame that was reviewed: which network, and its mask.

    The mask is None where the network outlined nothing. predicted_dice: the lowest of its regions, None where no region
    has one.
    """

    model_id: ModelName
    weights_sha256: Sha256
    fingerprint: Fingerprint
    mask_key: ObjectKey | None
    mask_sha256: Sha256 | None
    predicted_dice: Share | None = None
    assessable: bool


class FrameReviewed(Record):
    """A reader's mask of one frame. Several readers may review one frame, and one reader may do it twice.

    Of the reviews of one frame by one reader that are equally blind, the one with the highest `review_id` counts: ids
    are minted in the order of time. reader: the reader's code, never a name. blind: the reader had not seen what the
    machine outlines there; these reviews alone measure the machine. mask_key: a label mask as `segment` stores them
    (8-bit grey PNG of the stored frame's rows and columns, 0 is no lesion), None where the reader outlines nothing.
    image_sha256: of the stored frame that was drawn on. origin: where the mask was drawn. regions: what whoever had the
    pixels measured within the mask (`sonovan.clinical.drawn`), numbered as the mask is; a review without them changes
    no revision. Nothing that a network says of a lesion's look is in them.
    """

    schema_name: ClassVar[str] = "frame.reviewed"
    schema_version: ClassVar[str] = "1.1"

    review_id: Id
    screening_id: Id
    sequence_id: Id
    frame_index: Index
    van_id: VanId
    organ: Organ
    image_key: ObjectKey
    image_sha256: Sha256
    reader: OperatorCode
    blind: bool
    verdict: Verdict
    mask_key: ObjectKey | None
    mask_sha256: Sha256 | None
    compared: Compared | None = Field(description="None where no network's result of the frame was there")
    words: tuple[ReadWord, ...] = Field(default=(), max_length=32)
    origin: Literal["console", "file"]
    reviewed_at: Moment
    regions: tuple[Region, ...] | None = Field(
        default=None, max_length=MAX_REGIONS, description="what was measured within the mask; None where nobody did"
    )

    @model_validator(mode="after")
    def _is_blind_only_when_drawn(self) -> Self:
        if self.blind and self.verdict != "drawn":
            raise ValueError("whoever agreed with a mask, or corrected it, had seen it")
        if (self.mask_key is None) != (self.mask_sha256 is None):
            raise ValueError("a mask has a key and a sha256, or neither")
        if self.compared is None and self.verdict != "drawn":
            raise ValueError("where no network outlined anything there is nothing to agree with or to correct")
        return self

    @model_validator(mode="after")
    def _measures_what_was_drawn(self) -> Self:
        if self.regions is None:
            return self
        if bool(self.regions) != (self.mask_key is not None):
            raise ValueError("a mask has regions, and without one there are none")
        if len({each.ordinal for each in self.regions}) < len(self.regions):
            raise ValueError("two regions have one ordinal")
        if any(each.malignant is not None or each.descriptors for each in self.regions):
            raise ValueError("a reader's region has nothing in it that a network says")
        return self

    @property
    def frame_id(self) -> str:
        """`{sequence_id}/{frame_index:06d}`."""
        return frame_id(self.sequence_id, self.frame_index)
