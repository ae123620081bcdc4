"""Find the ultrasound in a screen capture, without text, rulers, colour bars, banners and black borders.

It is sought on a copy of about 256 pixels, by three properties of tissue. Tissue is wide, so that a median filter keeps
it and removes strokes. It is textured, while a banner is flat. And it is one piece, or pieces that lie side by side or
above each other. In doubt the whole frame is kept: a box that is too small loses tissue, a box that is too large loses
nothing but resolution.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from sonovan.models.picture.letterbox import Box, Gray, Letterbox
from sonovan.models.picture.two_views import find_cut

WORKING_PX: Final = 256
"""Longest side of the copy on which the ultrasound is sought; strokes of text are thinner than three of its pixels."""
STROKE: Final = 5
"""Window of the median filter, in pixels: what is thinner than half of it is removed."""
LIT: Final = 4
"""A pixel may be tissue if it is brighter than the background by more than this; dark tissue has noise of 5 to 15."""
FAINT: Final = 1
"""A line is still tissue if most of its pixels are brighter than the background by more than this: weak echoes."""
SNAP: Final = 0.03
"""A margin narrower than this share of the frame stays: nothing is gained by cutting it."""
MIN_AREA: Final = 0.1
"""An ultrasound field with a smaller share of the frame is not trusted, and the whole frame is kept."""
MIN_SIDE_PX: Final = 96
"""A frame with fewer rows or columns is kept whole: text is as wide as tissue there."""


@dataclass(frozen=True)
class View:
    """The part of a frame that shows ultrasound. Boxes are (left, top, width, height) in pixels of the frame.

    box: the part that a network is shown. panels: the box itself, or the two pictures side by side of which it
    consists; a region that is found in one of them does not reach into the other.
    """

    box: Box
    panels: tuple[Box, ...]


def find_view(grey: Gray) -> View:
    """The ultrasound field of a frame, or the whole frame if the field is not clear.

    grey: (rows, columns) uint8. The same frame gives the same view. Shares and levels are this module's constants,
    chosen on training pictures: docs/preparation.md says what they were measured to do.
    """
    rows, columns = grey.shape
    whole = View((0, 0, columns, rows), ((0, 0, columns, rows),))
    if min(rows, columns) < MIN_SIDE_PX:
        return whole
    small, above = _above_background(grey)
    field = _field(small, above > LIT)
    if field is None:
        return whole
    left, top, width, height = _grown(above > FAINT, cv2.boundingRect(field.astype(np.uint8)))
    across, down = columns / small.shape[1], rows / small.shape[0]
    first, last = _snapped(left * across, (left + width) * across, columns)
    upper, lower = _snapped(top * down, (top + height) * down, rows)
    box = (first, upper, last - first, lower - upper)
    cut = find_cut(grey, box, field)
    return View(box, (box,) if cut is None else _either_side(box, cut))


def tissue(grey: Gray) -> NDArray[np.bool_] | None:
    """The pixels that show tissue, on a copy of at most WORKING_PX pixels: bool; None where they do not stand out.

    grey: (rows, columns) uint8, one picture. What is dark within the tissue may be left out.
    """
    if min(grey.shape) < MIN_SIDE_PX:
        return None
    small, above = _above_background(grey)
    return _field(small, above > LIT)


def part_of(fit: Letterbox, box: Box, part: Box) -> Letterbox:
    """Where a part of a letterboxed box lies in the network's square, rounded to pixels of the square.

    fit: where `box` lies in the square. box, part: (left, top, width, height) in pixels of the frame, `part` inside
    `box`. If `part` is the whole box, `fit` itself is returned.
    """
    across, down = fit.width / box[2], fit.height / box[3]
    left, top = round((part[0] - box[0]) * across), round((part[1] - box[1]) * down)
    right, bottom = round((part[0] + part[2] - box[0]) * across), round((part[1] + part[3] - box[1]) * down)
    return Letterbox(fit.scale, fit.left + left, fit.top + top, max(1, right - left), max(1, bottom - top))


def _shrink(grey: Gray) -> Gray:
    rows, columns = grey.shape
    scale = WORKING_PX / max(rows, columns)
    if scale >= 1:
        return grey
    size = (max(1, round(columns * scale)), max(1, round(rows * scale)))
    # samples, no averages: a line of text is then mostly background, and a median takes it away; an average is grey
    return np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_NEAREST), np.uint8)


def _above_background(grey: Gray) -> tuple[Gray, Gray]:
    """The small copy, and how far each of its pixels, without strokes, stands out from the background."""
    small = _shrink(grey)
    smooth = np.asarray(cv2.medianBlur(small, STROKE), np.uint8)
    return small, np.asarray(cv2.absdiff(smooth, np.full_like(smooth, _background(small))), np.uint8)


def _background(small: Gray) -> int:
    """The most frequent grey level on the frame's rim if at least 30 % of the rim have it, else 0."""
    rim = np.concatenate([small[0], small[-1], small[:, 0], small[:, -1]])
    counts = np.bincount(rim, minlength=256)
    level = int(counts.argmax())
    return level if counts[level] >= 0.3 * rim.size else 0


def _field(small: Gray, lit: NDArray[np.bool_]) -> NDArray[np.bool_] | None:
    """The pixels that are tissue: the largest textured piece and those that belong to it; None if that is not clear."""
    span = cv2.subtract(cv2.dilate(small, np.ones((3, 3))), cv2.erode(small, np.ones((3, 3))))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(lit.astype(np.uint8), connectivity=4)
    flat = np.bincount(labels[span <= 1], minlength=count)
    areas = stats[:, cv2.CC_STAT_AREA]
    tissue = [n for n in range(1, count) if flat[n] < 0.6 * areas[n]]
    if not tissue:
        return None
    main = max(tissue, key=lambda number: int(areas[number]))
    if areas[main] < MIN_AREA * small.size:
        return None
    kept = [main, *(n for n in tissue if n != main and _belongs(stats[n], stats[main]))]
    belongs = np.zeros(count, np.bool_)
    belongs[kept] = True
    return np.asarray(belongs[labels], np.bool_)


def _belongs(piece: NDArray[np.int32], main: NDArray[np.int32]) -> bool:
    """Whether a piece is tissue too, separated from the main piece by a shadow, a cyst or the gap between two views.

    piece, main: rows of OpenCV's component statistics: left, top, width, height, area.
    """
    left, top, width, height, area = (int(value) for value in piece)
    main_left, main_top, main_width, main_height, main_area = (int(value) for value in main)
    if min(width, height) < 0.06 * max(main_width, main_height) or area < 0.02 * main_area:
        return False
    across = min(left + width, main_left + main_width) - max(left, main_left)
    down = min(top + height, main_top + main_height) - max(top, main_top)
    # what is nearly as tall lies beside a shadow from top to bottom, however narrow it is
    beside = area >= 0.3 * main_area or height >= 0.6 * main_height
    return across >= 0.7 * width or (down >= 0.7 * height and beside)


def _grown(faint: NDArray[np.bool_], box: Sequence[int]) -> Box:
    """The box, widened line by line while most pixels of the next line are faintly brighter than the background."""
    left, top, width, height = (int(value) for value in box)
    right, bottom = left + width, top + height
    while bottom < faint.shape[0] and faint[bottom, left:right].mean() >= 0.4:
        bottom += 1
    while top > 0 and faint[top - 1, left:right].mean() >= 0.4:
        top -= 1
    while left > 0 and faint[top:bottom, left - 1].mean() >= 0.4:
        left -= 1
    while right < faint.shape[1] and faint[top:bottom, right].mean() >= 0.4:
        right += 1
    return left, top, right - left, bottom - top


def _snapped(start: float, end: float, length: int) -> tuple[int, int]:
    """(start, end) in whole pixels, with a margin of 1 % of `length`, moved to the frame's edge if that is near."""
    low, high = int(np.floor(start - 0.01 * length)), int(np.ceil(end + 0.01 * length))
    return (0 if low < SNAP * length else low), (length if high > (1 - SNAP) * length else high)


def _either_side(box: Box, cut: tuple[int, int]) -> tuple[Box, Box]:
    left, top, width, height = box
    return (left, top, cut[0] - left, height), (cut[1], top, left + width - cut[1], height)
