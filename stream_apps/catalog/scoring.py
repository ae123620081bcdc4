"""How far a reader's mask and the machine's agree, read off the stored masks."""

from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.reviews import FrameReviewed
from sonovan.storage.keys import Bucket
from sonovan.storage.stores import ObjectStore, get_named

Scores = tuple[float | None, float | None]
"""Dice and IoU of both masks, all regions of each together."""

UNKNOWN: Scores = (None, None)


def scores_of(review: FrameReviewed, store: ObjectStore) -> Scores:
    """Dice and IoU; unknown where nothing was compared, where both masks are empty, and where one is gone or replaced.

    0 where one of the masks is empty. Raises Transient and Fatal as ObjectStore.get.
    """
    beside = review.compared
    if beside is None or (review.mask_key is None and beside.mask_key is None):
        return UNKNOWN
    if review.mask_key is None or beside.mask_key is None:
        return 0.0, 0.0
    try:
        drawn = get_named(store, Bucket.MASKS, review.mask_key, str(review.mask_sha256))
        outlined = get_named(store, Bucket.MASKS, beside.mask_key, str(beside.mask_sha256))
    except (KeyError, InvalidRecord):
        return UNKNOWN
    return _overlap(drawn, outlined)


def _overlap(one: bytes, other: bytes) -> Scores:
    # Imported here: few messages are reviews, and a worker starts faster without them.
    import imagecodecs
    import numpy as np

    from sonovan.models.evaluation.measures import overlap

    masks = [np.asarray(imagecodecs.png_decode(each)) > 0 for each in (one, other)]
    if masks[0].shape != masks[1].shape or not (masks[0].any() or masks[1].any()):
        return UNKNOWN
    return overlap(masks[0], masks[1])
