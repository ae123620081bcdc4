"""How far a reader's mask and the machine's agree, read off the stored masks: the same for every stage that says it."""

from typing import TYPE_CHECKING

from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.reviews import FrameReviewed
from sonovan.storage.keys import Bucket
from sonovan.storage.stores import REPLACED, ObjectStore, get_named

if TYPE_CHECKING:
    from sonovan.clinical.quality.overlap import Labels, Overlap


def overlap_of_review(review: FrameReviewed, store: ObjectStore) -> "Overlap":
    """Both masks of a review, all regions of each together; one that is not named outlines nothing.

    Raises KeyError where a mask is not stored, InvalidRecord `object_contradicts_record` where it is not the one that
    was named, or both are of no one picture; Transient and Fatal as ObjectStore.get.
    """
    # Imported here: few messages are reviews, and a worker starts faster without OpenCV.
    from sonovan.clinical.quality.overlap import overlap_of

    beside = review.compared
    reader = _labels(store, review.mask_key, review.mask_sha256)
    machine = None if beside is None else _labels(store, beside.mask_key, beside.mask_sha256)
    try:
        return overlap_of(reader, machine)
    except ValueError as error:
        raise InvalidRecord(REPLACED, f"the masks of a review do not fit: {error}") from None


def _labels(store: ObjectStore, key: str | None, sha256: str | None) -> "Labels | None":
    from sonovan.models.errors import UnusablePicture
    from sonovan.models.masks import decode_mask

    if key is None or sha256 is None:
        return None
    try:
        return decode_mask(get_named(store, Bucket.MASKS, key, sha256))
    except UnusablePicture as error:
        raise InvalidRecord(REPLACED, f"the masks of a review do not fit: {error}") from None
