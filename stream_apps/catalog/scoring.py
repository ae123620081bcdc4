"""How far a reader's mask and the machine's agree, as the catalogue says it."""

from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.reviews import FrameReviewed
from sonovan.storage.stores import ObjectStore
from sonovan.stream_apps.reviewed_masks import overlap_of_review

Scores = tuple[float | None, float | None]
"""Dice and IoU of both masks, all regions of each together."""

UNKNOWN: Scores = (None, None)


def scores_of(review: FrameReviewed, store: ObjectStore) -> Scores:
    """Dice and IoU as the stage `quality` counts them: unknown where the reader outlined nothing, 0 where the machine
    alone did not.

    Unknown, too, where nothing was compared, and where a mask is gone or replaced. Raises Transient and Fatal as
    ObjectStore.get.
    """
    if review.compared is None:
        return UNKNOWN
    try:
        overlap = overlap_of_review(review, store)
    except (KeyError, InvalidRecord):
        return UNKNOWN
    return overlap.dice, overlap.iou
