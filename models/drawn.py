"""What a reader drew on a frame, as regions like those that a network outlines: the same outlines, places and edges."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

from sonovan.models.errors import UnusablePicture
from sonovan.models.overlay import outlined_frame
from sonovan.models.picture.letterbox import Box, Gray
from sonovan.models.picture.prepare import to_grey
from sonovan.models.regions import MAX_REGIONS, FoundRegion, region_in
from sonovan.models.segmenter import placed, views_of

Labels = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Drawn:
    """regions: by their ordinals, in order of these; each counts as certain and as reliable. labels: (rows, columns)
    uint8, ordinal + 1 where a region lies. grey: (rows, columns) uint8, the picture that was drawn on.
    """

    regions: dict[int, FoundRegion]
    labels: Labels
    grey: Gray


def drawn_regions(
    labels: Labels, machine: Labels | None, pixels: NDArray[np.uint8] | NDArray[np.uint16], panels: Sequence[Box] = ()
) -> Drawn:
    """The regions of a mask that a reader drew, numbered after those of the machine's mask of the frame.

    labels: (rows, columns) uint8, 0 where there is no lesion; each number is one lesion. Where its pixels do not hang
    together, each part is a region. machine: the label mask of the network's result, None where it outlined nothing.
    A region has the ordinal of the machine's region with which it shares most pixels, if no other region shares more
    with that one; the others have ordinals that no region of the machine has. So what is said of a lesion's regions
    over a sweep stays said of the same lesion.
    pixels, panels: as `sonovan.models.segmenter.Segmenter.segment` takes them. A region that lies in several panels
    belongs to the one that holds most of it.
    Raises UnusablePicture for pixels that cannot be used, masks of another size, and more regions than a mask can hold.
    """
    grey = to_grey(pixels)
    for mask in (labels, labels if machine is None else machine):
        if mask.shape != grey.shape:
            raise UnusablePicture("mask_corrupt", f"a mask of {mask.shape} was drawn on a frame of {grey.shape}")
    views, declared = views_of(grey, panels)
    parts = [(number, box) for number, view in enumerate(views) for box in view.panels]
    found = [region_in(mask, box) for mask, box in _pieces(labels)]
    boxes = [box for _, box in parts]
    inside = [replace(each, panel=_part_of(each, boxes)) for each in found]
    regions = [replace(each, panel=parts[each.panel][0]) for each in placed(inside, grey, boxes, declared=declared)]
    numbered = _numbered(regions, machine)
    painted = np.zeros(grey.shape, np.uint8)
    for ordinal, each in numbered.items():
        left, top, width, height = each.box
        painted[top : top + height, left : left + width][each.mask] = ordinal + 1
    return Drawn(numbered, painted, grey)


def plain_and_drawn(
    pixels: NDArray[np.uint8] | NDArray[np.uint16],
    labels: Labels | None,
    *,
    title: str,
    spacing_mm: tuple[float, float] | None,
) -> tuple[bytes, bytes | None]:
    """PNG of a whole frame twice, equally large: plain, and with the outline of each lesion that a reader drew on it,
    without numbers; None in its stead where nothing is drawn.

    labels: as for `drawn_regions`, None where there is no mask. The rest is as for `outlined_frame`.
    Raises UnusablePicture for pixels that cannot be used, and for a mask of another size.
    """
    if labels is not None and labels.shape != pixels.shape[:2]:
        raise UnusablePicture("mask_corrupt", f"a mask of {labels.shape} was drawn on a frame of {pixels.shape[:2]}")
    outlines = [] if labels is None else [region_in(mask, box).polygon for mask, box in _pieces(labels)]
    draw_with = partial(outlined_frame, pixels, title=title, spacing_mm=spacing_mm)
    return draw_with([]), draw_with(outlines, labels=[""] * len(outlines)) if outlines else None


def _pieces(labels: Labels) -> list[tuple[NDArray[np.bool_], Box]]:
    """Each connected part of each lesion (pixels that touch at a corner are connected), within its box."""
    pieces: list[tuple[NDArray[np.bool_], Box]] = []
    for value in np.unique(labels[labels > 0]):
        same = np.asarray(labels == value, np.uint8)
        count, parts, stats, _ = cv2.connectedComponentsWithStats(same, connectivity=8, ltype=cv2.CV_32S)
        for number in range(1, count):
            left, top, width, height = (int(stats[number, place]) for place in range(4))
            crop = parts[top : top + height, left : left + width] == number
            pieces.append((crop, (left, top, width, height)))
    if len(pieces) > MAX_REGIONS:
        raise UnusablePicture("mask_corrupt", f"it has {len(pieces)} regions, at most {MAX_REGIONS} fit a mask")
    return pieces


def _part_of(region: FoundRegion, parts: Sequence[Box]) -> int:
    """The place of the part that holds most of a region's pixels; of equals the first."""
    left, top = region.box[:2]

    def held(part: Box) -> int:
        first, start = max(part[1] - top, 0), max(part[0] - left, 0)
        last, end = max(part[1] + part[3] - top, 0), max(part[0] + part[2] - left, 0)
        return int(np.count_nonzero(region.mask[first:last, start:end]))

    return max(range(len(parts)), key=lambda place: (held(parts[place]), -place))


def _numbered(regions: Sequence[FoundRegion], machine: Labels | None) -> dict[int, FoundRegion]:
    """The regions by ordinal."""
    taken: dict[int, FoundRegion] = {}
    offers: list[tuple[int, int, int]] = []
    known: set[int] = set()
    if machine is not None:
        known = {int(value) - 1 for value in np.unique(machine[machine > 0])}
        for place, each in enumerate(regions):
            left, top, width, height = each.box
            below = machine[top : top + height, left : left + width][each.mask]
            for value, count in zip(*np.unique(below[below > 0], return_counts=True), strict=True):
                offers.append((-int(count), int(value) - 1, place))
    owner: dict[int, int] = {}
    for _, ordinal, place in sorted(offers):
        if ordinal not in taken and place not in owner:
            taken[ordinal], owner[place] = regions[place], ordinal
    free = (ordinal for ordinal in range(MAX_REGIONS) if ordinal not in known)
    others = sorted(
        (place for place in range(len(regions)) if place not in owner),
        key=lambda place: (-regions[place].area_px, regions[place].box[1], regions[place].box[0]),
    )
    for place, ordinal in zip(others, free, strict=False):
        taken[ordinal] = regions[place]
    if len(taken) < len(regions):
        raise UnusablePicture("mask_corrupt", "reader and machine together have more regions than a mask can hold")
    return dict(sorted(taken.items()))
