"""From the network's probabilities to regions in pixels of the stored frame."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from sonovan.models.picture.letterbox import Box, Letterbox, enlarge, inside

MAX_REGIONS: Final = 254
"""A label mask has 8 bits: 0 is nothing, 255 stays free."""
OUTLINE_PX: Final = 0.75
"""A polygon's corners lie on the outline; what lies between leaves it by no more than this."""

STRONG: Final = 0.6
"""Mean probability of what somebody would be alerted to: it is shown wherever the network sees it."""
COVERED: Final = 0.1
"""A decoder that draws less than this share of a region has not drawn the region: it has grazed it."""


@dataclass(frozen=True)
class FoundDescriptor:
    """One thing that a region's look says. value: None where it is not determined; probability: of the likeliest."""

    name: str
    value: str | None
    probability: float


@dataclass(frozen=True, eq=False)
class FoundRegion:
    """One connected region. Coordinates are (column, row) in pixels of the stored frame.

    polygon: the outer contour through the centres of the border pixels, clockwise, three corners or more.
    box: (left, top, width, height). centroid: of the area. score_mean, score_max: probability over the region, 0..1.
    mask: (height, width) bool, the region within its box.
    quality: the Dice that can be expected of all outlines of its panel together, 0..1; None where nothing predicts it.
    unconfirmed: the network saw it, and the decoder that draws in its stead did not; nothing predicts its quality then.
    malignant: how probable it is that the lesion is malignant, 0..1; None where nothing says so. descriptors: what it
    looks like, in the order of `sonovan.models.heads.lesions.WORDS`; empty where nothing says so.
    """

    panel: int
    polygon: tuple[tuple[float, float], ...]
    box: Box
    centroid: tuple[float, float]
    area_px: int
    score_mean: float
    score_max: float
    mask: NDArray[np.bool_]
    quality: float | None = None
    unconfirmed: bool = False
    malignant: float | None = None
    descriptors: tuple[FoundDescriptor, ...] = ()


def find_regions(
    square: NDArray[np.float32], fit: Letterbox, panel: int, panels: Sequence[Box], threshold: float, min_area_px: float
) -> list[FoundRegion]:
    """Connected regions of one panel (8-neighbourhood), in no particular order.

    square: (side, side) float32 probability of the letterboxed panel; `fit` says where the panel lies in it.
    panel: index into `panels`; where panels overlap, a pixel belongs to the first of them.
    threshold: probability from which a pixel belongs to a region, after linear interpolation to the panel's size.
    min_area_px: smaller regions are dropped, in pixels of the square.
    """
    left, top, width, height = panels[panel]
    part = np.ascontiguousarray(inside(square, fit))
    hot = part >= threshold
    if not hot.any():
        return []
    first, last = _reach(np.flatnonzero(hot.any(axis=1)), part.shape[0], height)
    start, end = _reach(np.flatnonzero(hot.any(axis=0)), part.shape[1], width)
    mask = np.empty((last - first, end - start), np.uint8)
    for row, strip in enlarge(part, (height, width), first, last - first):
        mask[row - first : row - first + strip.shape[0]] = strip[:, start:end] >= threshold
    origin = (left + start, top + first)
    for other in panels[:panel]:
        _clear(mask, other, origin)
    smallest = max(1.0, min_area_px * (width * height) / (fit.width * fit.height))
    found = []
    for box, centre, area, crop in _components(mask, smallest):
        mean, peak = _scores(part, (height, width), (start + box[0], first + box[1], box[2], box[3]), crop)
        moved = (box[0] + origin[0], box[1] + origin[1], box[2], box[3])
        centroid = (round(centre[0] + origin[0], 3), round(centre[1] + origin[1], 3))
        outline = _outline(crop, moved)
        found.append(FoundRegion(panel, outline, moved, centroid, area, mean, peak, crop.astype(np.bool_)))
    return found


def left_out(seen: NDArray[np.bool_], drawn: NDArray[np.bool_], smallest: float) -> NDArray[np.bool_] | None:
    """Where the regions of one mask lie of which the other covers less than COVERED; None when there are none.

    seen, drawn: (rows, columns); regions of `drawn` below `smallest` pixels count for nothing, since nobody is shown
    them. Pixels that are drawn are taken out of what is returned. Some 0.1 ms for 256 by 256.
    """
    count, labels, stats, _ = cv2.connectedComponentsWithStats(drawn.astype(np.uint8), connectivity=8, ltype=cv2.CV_32S)
    kept = np.isin(labels, [number for number in range(1, count) if stats[number, cv2.CC_STAT_AREA] >= smallest])
    count, labels = cv2.connectedComponents(seen.astype(np.uint8), connectivity=8, ltype=cv2.CV_16U)
    areas, covered = (np.bincount(labels[where], minlength=count) for where in (seen, seen & kept))
    missed = [number for number in range(1, count) if covered[number] < COVERED * areas[number]]
    return np.isin(labels, missed) & ~kept if missed else None


def unconfirmed(seen: Sequence[FoundRegion], drawn: bool) -> list[FoundRegion]:
    """What a decoder has left out of the network's own regions and is shown all the same, and marked so.

    All of them where nothing is drawn in the panel, else the STRONG ones. Silence must come from both; faint patches
    beside a drawn lesion are mostly tissue (docs/decisions, 0013).
    """
    return [replace(each, unconfirmed=True) for each in seen if not drawn or each.score_mean >= STRONG]


def in_order(regions: Sequence[FoundRegion]) -> tuple[FoundRegion, ...]:
    """Largest first, then by position; at most MAX_REGIONS. A region's place is its ordinal."""
    ordered = sorted(regions, key=lambda region: (-region.area_px, region.box[1], region.box[0], region.panel))
    return tuple(ordered[:MAX_REGIONS])


def paint(regions: Sequence[FoundRegion], size: tuple[int, int]) -> NDArray[np.uint8]:
    """The label mask (rows, columns) uint8: ordinal + 1 where a region lies, 0 elsewhere."""
    labels = np.zeros(size, np.uint8)
    for ordinal, region in enumerate(regions):
        left, top, width, height = region.box
        labels[top : top + height, left : left + width][region.mask] = ordinal + 1
    return labels


def _reach(places: NDArray[np.intp], count: int, length: int) -> tuple[int, int]:
    """The part of `length` pixels in which values interpolated from `count` can exceed the threshold.

    They do so less than one step beyond the `places` whose own value does.
    """
    step = length / count
    return max(0, int((places[0] - 0.5) * step) - 1), min(length, int((places[-1] + 1.5) * step) + 2)


def _clear(mask: NDArray[np.uint8], box: Box, origin: tuple[int, int]) -> None:
    left, top = max(0, box[0] - origin[0]), max(0, box[1] - origin[1])
    right, bottom = max(0, box[0] + box[2] - origin[0]), max(0, box[1] + box[3] - origin[1])
    mask[top:bottom, left:right] = 0


def _components(
    mask: NDArray[np.uint8], smallest: float
) -> Iterator[tuple[Box, tuple[float, float], int, NDArray[np.uint8]]]:
    """Box, centroid and area within `mask`, and the crop (height, width) of 0 and 1, of each large enough component."""
    # 16 bits hold all labels: each component contains a hot pixel of the square or touches one of its cells
    count, labels, stats, centres = cv2.connectedComponentsWithStats(mask, connectivity=8, ltype=cv2.CV_16U)
    large = [number for number in range(1, count) if stats[number, cv2.CC_STAT_AREA] >= smallest]
    large.sort(key=lambda number: -int(stats[number, cv2.CC_STAT_AREA]))
    for number in large[:MAX_REGIONS]:
        left, top, width, height, area = (int(value) for value in stats[number])
        crop = (labels[top : top + height, left : left + width] == number).astype(np.uint8)
        yield (left, top, width, height), (float(centres[number][0]), float(centres[number][1])), area, crop


def _scores(part: NDArray[np.float32], size: tuple[int, int], box: Box, crop: NDArray[np.uint8]) -> tuple[float, float]:
    """Mean and peak probability over a region; box: where it lies in its panel."""
    total, peak = 0.0, 0.0
    left, top, width, height = box
    for row, strip in enlarge(part, size, top, height):
        shape = crop[row - top : row - top + strip.shape[0]]
        values = np.ascontiguousarray(strip[:, left : left + width])
        count = cv2.countNonZero(shape)
        if count:
            total += cv2.mean(values, mask=shape)[0] * count
            peak = max(peak, cv2.minMaxLoc(values, mask=shape)[1])
    return round(min(1.0, total / cv2.countNonZero(crop)), 6), round(min(1.0, peak), 6)


def _outline(crop: NDArray[np.uint8], box: Box) -> tuple[tuple[float, float], ...]:
    left, top, width, height = box
    contours, _ = cv2.findContours(crop, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    corners = cv2.approxPolyDP(contours[0], OUTLINE_PX, True).reshape(-1, 2)
    if len(corners) < 3:  # one pixel wide: its contour encloses nothing, so the pixels' own edges are taken
        right, bottom = left + width - 0.5, top + height - 0.5
        return (left - 0.5, top - 0.5), (right, top - 0.5), (right, bottom), (left - 0.5, bottom)
    return tuple((float(column + left), float(row + top)) for column, row in corners)
