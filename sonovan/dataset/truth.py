"""Which mask stands for the truth of a picture: what its readers agree on, or what the machine drew, marked as such."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sonovan.models.labels.staple import consensus
from sonovan.models.masks import decode_mask
from sonovan.storage.dataset_rows import FrameRow, ReviewRow
from sonovan.storage.keys import Bucket
from sonovan.storage.stores import ObjectStore, get_named

Mask = NDArray[np.bool_]
DrawnBy = Literal["readers", "machine"]


@dataclass(frozen=True)
class Truth:
    """mask: (rows, columns) bool. by: `readers` where at least one drew, else `machine`. readers: their codes."""

    mask: Mask
    by: DrawnBy
    readers: tuple[str, ...]


def counting(reviews: Iterable[ReviewRow]) -> dict[tuple[str, int], list[ReviewRow]]:
    """The reviews that count of each frame, sorted by reader: of each reader the newest.

    Where anybody drew blind, only blind reviews count: whoever saw the machine's outline first is no independent
    reader.
    """
    newest: dict[tuple[str, int, str, bool], ReviewRow] = {}
    for review in reviews:
        place = (review.sequence_id, review.frame_index, review.reader, review.blind)
        if place not in newest or newest[place].review_id < review.review_id:
            newest[place] = review
    frames: dict[tuple[str, int], list[ReviewRow]] = {}
    for review in sorted(newest.values(), key=lambda each: (each.reader, not each.blind)):
        frames.setdefault((review.sequence_id, review.frame_index), []).append(review)
    return {place: _independent(each) for place, each in frames.items()}


def _independent(reviews: Sequence[ReviewRow]) -> list[ReviewRow]:
    blind = [review for review in reviews if review.blind]
    return blind or list(reviews)


def truth_of(frame: FrameRow, reviews: Sequence[ReviewRow], store: ObjectStore) -> Truth:
    """The mask of a frame. reviews: those that count; one that was drawn on another picture does not.

    Raises KeyError where a mask is not stored any more, InvalidRecord where it is another, Transient and Fatal as
    ObjectStore.get.
    """
    size = (frame.rows, frame.columns)
    own = [review for review in reviews if review.image_sha256 == frame.image_sha256]
    if own:
        masks = [_mask(store, review.mask_key, review.mask_sha256, size) for review in own]
        return Truth(consensus(masks), "readers", tuple(review.reader for review in own))
    return Truth(machine_mask(frame, store), "machine", ())


def machine_mask(frame: FrameRow, store: ObjectStore) -> Mask:
    """What the machine outlined; all False where it outlined nothing. Raises as `truth_of`."""
    return _mask(store, frame.mask_key, frame.mask_sha256, (frame.rows, frame.columns))


def _mask(store: ObjectStore, key: str | None, sha256: str | None, size: tuple[int, int]) -> Mask:
    if key is None or sha256 is None:
        return np.zeros(size, np.bool_)
    return np.asarray(decode_mask(get_named(store, Bucket.MASKS, key, sha256)) > 0, np.bool_)
