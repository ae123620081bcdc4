"""Turn the probabilities that a network gives for each pixel into regions of the stored frame."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from sonovan.models.picture.field import FoundPlace
from sonovan.models.picture.letterbox import Box, Letterbox, enlarge, inside

MAX_REGIONS: Final = 254
"""A label mask has 8 bits: 0 is nothing, 255 stays free."""
OUTLINE_PX: Final = 0.75
"""The corners of a polygon lie on the region's outline; between them it strays from the outline by at most this."""

STRONG: Final = 0.6
"""A region with at least this mean probability may raise an alert: it is shown even if the decoder did not draw it."""
COVERED: Final = 0.1
"""A region counts as drawn by the decoder if the decoder drew at least this share of its pixels."""


@dataclass(frozen=True)
class FoundDescriptor:
    """One coded thing about a region's look: `margin` = `circumscribed`.

    value: None where it is not determined. probability: that of the likeliest value, determined or not. shares: of all
    values of its head, in the head's order; empty where a rule says it.
    """

    name: str
    value: str | None
    probability: float
    shares: tuple[float, ...] = field(default=(), compare=False)


@dataclass(frozen=True, eq=False)
class FoundRegion:
    """One connected region that was outlined on a frame. Coordinates are (column, row) in pixels of the stored frame.

    panel: index of the panel in which it lies. area_px: its pixels. centroid: the mean of their coordinates.
    polygon: the outer contour through the centres of the border pixels, clockwise, at least three corners.
    box: (left, top, width, height). mask: (height, width) bool, the region within its box.
    score_mean, score_max: mean and highest probability over the region, 0..1.
    quality: the Dice to be expected of all outlines of its panel together, 0..1; None if no companion predicts it.
    unconfirmed: the network saw the region, and the decoder that draws in its stead did not draw it. `quality` is then
    None, for it is a prediction about what the decoder draws.
    reliable: at least as much is expected of it as the registry asks for (setting `quality_least`), and it is large
    enough for that to be about it (`weighty`). Nothing may be said of what lies inside an outline that is not reliable.
    malignant: probability that the lesion is malignant, 0..1; None if no companion predicts it.
    descriptors: what the lesion looks like, in the order of `sonovan.models.heads.lesions.WORDS`; empty likewise.
    cut: the edge of the scan cuts the outline, so that the lesion is at least so large. place: where it lies in depth
    and sideways; None where that was not sought.
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
    reliable: bool = False
    unconfirmed: bool = False
    malignant: float | None = None
    descriptors: tuple[FoundDescriptor, ...] = ()
    cut: bool = False
    place: FoundPlace | None = None


LEAST_SHARE: Final = 0.15
"""Below this share of all that is drawn on its panel a region hardly changes the Dice that is expected of the panel, so
that nothing is known of its outline. On validation pictures all five such regions were wrong (IoU ≤ .04), two of them
specks beside a cancer; the smallest part of two lesions that were both outlined well had .4 (docs/decisions/0026)."""


def weighty(regions: Sequence[FoundRegion]) -> list[bool]:
    """For each region of one panel, whether the quality that is predicted of the panel is about it: it is at least
    LEAST_SHARE of all regions that have one."""
    drawn = sum(each.area_px for each in regions if each.quality is not None)
    return [each.quality is not None and each.area_px >= LEAST_SHARE * drawn for each in regions]


def find_regions(
    square: NDArray[np.float32], fit: Letterbox, panel: int, panels: Sequence[Box], threshold: float, min_area_px: float
) -> list[FoundRegion]:
    """The connected regions of one panel (pixels that touch at a corner are connected), in no particular order.

    square: (side, side) float32 probability of the letterboxed panel; `fit` tells where the panel lies in it.
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


def region_in(mask: NDArray[np.bool_], box: Box) -> FoundRegion:
    """A region that somebody drew, of whom it is certain; `panel` is 0.

    mask: (height, width) bool, the region within its box, not empty. box: (left, top, width, height).
    """
    left, top = box[:2]
    rows, columns = np.nonzero(mask)
    centroid = (round(float(columns.mean()) + left, 3), round(float(rows.mean()) + top, 3))
    outline = _outline(np.asarray(mask, np.uint8), box)
    return FoundRegion(0, outline, box, centroid, int(rows.size), 1.0, 1.0, mask, reliable=True)


def left_out(seen: NDArray[np.bool_], drawn: NDArray[np.bool_], smallest: float) -> NDArray[np.bool_] | None:
    """The pixels of those regions in `seen` of which `drawn` covers less than COVERED; None if there are none.

    seen: (rows, columns) bool, what the network saw. drawn: (rows, columns) bool, what the decoder drew.
    smallest: regions of `drawn` with fewer pixels are ignored, because they are not shown to anybody either.
    Returns (rows, columns) bool without the pixels that `drawn` holds. Takes some 0.1 ms for 256 by 256 pixels.
    """
    count, labels, stats, _ = cv2.connectedComponentsWithStats(drawn.astype(np.uint8), connectivity=8, ltype=cv2.CV_32S)
    kept = np.isin(labels, [number for number in range(1, count) if stats[number, cv2.CC_STAT_AREA] >= smallest])
    count, labels = cv2.connectedComponents(seen.astype(np.uint8), connectivity=8, ltype=cv2.CV_16U)
    areas, covered = (np.bincount(labels[where], minlength=count) for where in (seen, seen & kept))
    missed = [number for number in range(1, count) if covered[number] < COVERED * areas[number]]
    return np.isin(labels, missed) & ~kept if missed else None


def unconfirmed(seen: Sequence[FoundRegion], drawn: bool) -> list[FoundRegion]:
    """The regions that are shown although the decoder did not draw them, each marked `unconfirmed`.

    seen: the network's own regions that the decoder left out of one panel. drawn: whether the decoder drew any region
    in that panel. If it drew none, all of `seen` are shown: a panel is empty only if network and decoder agree that it
    is. If it drew one, only those with a mean probability of STRONG or more are, for faint patches beside a drawn
    lesion are mostly tissue (docs/decisions/0013-what-a-decoder-leaves-out.md).
    """
    return [replace(each, unconfirmed=True) for each in seen if not drawn or each.score_mean >= STRONG]


def in_order(regions: Sequence[FoundRegion]) -> tuple[FoundRegion, ...]:
    """The regions of a frame, largest first, then by position, at most MAX_REGIONS. A region's index is its ordinal."""
    ordered = sorted(regions, key=lambda region: (-region.area_px, region.box[1], region.box[0], region.panel))
    return tuple(ordered[:MAX_REGIONS])


def paint(regions: Sequence[FoundRegion], size: tuple[int, int]) -> NDArray[np.uint8]:
    """The label mask of a frame: (rows, columns) uint8, ordinal + 1 where a region lies and 0 elsewhere.

    regions: as `in_order` gives them. size: (rows, columns) of the frame.
    """
    labels = np.zeros(size, np.uint8)
    for ordinal, region in enumerate(regions):
        left, top, width, height = region.box
        labels[top : top + height, left : left + width][region.mask] = ordinal + 1
    return labels


def _reach(places: NDArray[np.intp], count: int, length: int) -> tuple[int, int]:
    """(first, end) of the pixels whose interpolated probability can reach the threshold; no others are computed.

    places: the indices, of `count` samples, whose own value reaches it. length: pixels over which these are
    interpolated. An interpolated value reaches the threshold less than one sample away from a sample that does.
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
    """Yield box, centroid, area and crop of each connected component of `mask` with at least `smallest` pixels.

    Coordinates are those of `mask`. The crop is (height, width) uint8 with 1 where the component lies. Largest first.
    """
    # 16 bits hold all labels: each component contains a hot pixel of the square or touches one of its cells
    count, labels, stats, centres = cv2.connectedComponentsWithStats(mask, connectivity=8, ltype=cv2.CV_16U)
    large = [number for number in range(1, count) if stats[number, cv2.CC_STAT_AREA] >= smallest]
    large.sort(key=lambda number: -int(stats[number, cv2.CC_STAT_AREA]))
    for number in large[:MAX_REGIONS]:
        left, top, width, height, area = (int(value) for value in stats[number])
        crop = (labels[top : top + height, left : left + width] == number).astype(np.uint8)
        yield (left, top, width, height), (float(centres[number][0]), float(centres[number][1])), area, crop


def _scores(part: NDArray[np.float32], size: tuple[int, int], box: Box, crop: NDArray[np.uint8]) -> tuple[float, float]:
    """Mean and highest probability over a region.

    part: soft mask of the panel before it is enlarged. size: (rows, columns) of the panel. box: of the region in the
    panel. crop: (height, width), the region within its box.
    """
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
