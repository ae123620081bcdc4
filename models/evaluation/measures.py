"""Measures of one picture: how masks overlap, how far borders lie apart, which region found which lesion."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]

MATCH_IOU: Final = 0.1
"""A region found a lesion when they overlap this much. Low on purpose: a hit says where, Dice says how well."""
MIN_LESION_PX: Final = 16
"""Smaller parts of a true mask are specks of the drawing tool (BUSI has fourteen, of 1 to 7 pixels), not lesions."""


@dataclass(frozen=True)
class Matched:
    """lesions: in the truth. found: lesions that a region was matched with. extra: regions matched with none."""

    lesions: int
    found: int
    extra: int


def overlap(one: Mask, other: Mask) -> tuple[float, float]:
    """Dice and IoU of two masks of one shape, of which at least one is not empty.

    Source: Dice, Ecology 26:297 (1945); Jaccard, New Phytologist 11:37 (1912).
    """
    both, either = int(np.count_nonzero(one & other)), int(np.count_nonzero(one | other))
    return 2 * both / (both + either), both / either


def hd95(one: Mask, other: Mask) -> float | None:
    """The 95th percentile of the distances between two borders, in pixels; None where a mask is empty.

    From each border pixel (one that has a neighbour outside the mask, or lies at the picture's edge) the distance to
    the other border, between pixel centres; the 95th percentile of each direction, and the larger of both.
    Source: Huttenlocher et al., IEEE TPAMI 15:850 (1993), with a percentile in place of the maximum.
    """
    if not one.any() or not other.any():
        return None
    borders = (_border(one), _border(other))
    directed = [
        float(np.percentile(_distance_to(goal)[start], 95)) for start, goal in (borders, (borders[1], borders[0]))
    ]
    return max(directed)


def match(labels: NDArray[np.uint8], truth: Mask) -> Matched:
    """Regions against lesions, one to one.

    labels: (rows, columns) uint8, ordinal + 1 where a region lies. truth: (rows, columns) bool; its lesions are its
    connected components (8-neighbourhood) of at least MIN_LESION_PX pixels, or its largest where all are smaller.
    Pairs are taken greedily by falling IoU, down to MATCH_IOU.
    """
    lesions = _lesions(truth)
    regions = int(labels.max()) if labels.size else 0
    joint = np.bincount(lesions.astype(np.int64).ravel() * (regions + 1) + labels.ravel(), minlength=regions + 1)
    joint = np.pad(joint, (0, -len(joint) % (regions + 1))).reshape(-1, regions + 1)
    both = joint[1:, 1:]
    either = joint[1:].sum(1)[:, None] + joint[:, 1:].sum(0)[None] - both
    iou = both / np.maximum(either, 1)
    found = 0
    while iou.size and iou.max() >= MATCH_IOU:
        lesion, region = np.unravel_index(int(iou.argmax()), iou.shape)
        iou[lesion, :] = 0
        iou[:, region] = 0
        found += 1
    present = int(np.count_nonzero(joint[:, 1:].sum(0)))  # a region that another covers whole is in no pixel
    return Matched(both.shape[0], found, present - found)


def _lesions(truth: Mask) -> NDArray[np.int32]:
    count, labels, stats, _ = cv2.connectedComponentsWithStats(truth.astype(np.uint8), connectivity=8)
    areas = stats[1:count, cv2.CC_STAT_AREA]
    if areas.size == 0:
        return np.zeros(truth.shape, np.int32)
    large = np.flatnonzero(areas >= min(MIN_LESION_PX, int(areas.max())))
    numbers = np.zeros(count, np.int32)
    numbers[large + 1] = np.arange(1, large.size + 1)
    return np.asarray(numbers[labels], np.int32)


def _border(mask: Mask) -> Mask:
    inside = cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=0)
    return np.asarray(mask & (inside == 0), np.bool_)


def _distance_to(border: Mask) -> NDArray[np.float32]:
    away = cv2.distanceTransform((~border).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(away, np.float32)
