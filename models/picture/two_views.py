"""Find the place where two views in one picture meet.

Scanners put two views side by side into one picture: with a black gap between them, or edge to edge, which leaves a
seam. An acoustic shadow and a cyst are dark as well, and lines and text have sharp edges as well; none of these parts
two views.

In doubt the picture is taken for one view. Two views that are read as one lose little; one view that is cut in two can
make two findings of one lesion.
"""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from sonovan.models.picture.letterbox import Box, Gray

MIDDLE: Final = (0.4, 0.6)
"""The place where two views meet lies between these shares of the picture's width."""
GAP: Final = 0.01
"""A gap is at least this share of the width of both views together."""
BLACK: Final = 4
"""The pixels of a gap differ by no more than this many grey levels: a gap is drawn black, a shadow has noise."""
SHARP: Final = 0.75
"""The columns right beside a gap have at least this share of the brightness of those further away from it.

Beside a shadow the brightness rises slowly instead.
"""
COMMON: Final = (0.02, 0.1)
"""How unlike the columns on both sides of a gap must be: (structure, layers).

A gap parts two views only if these columns are among the least alike 2 % (structure) and the least alike 10 % (layers)
of all pairs of columns of the picture that lie equally far apart.
"""
COPY_PX: Final = (256, 512)
"""Rows and columns of the copy on which columns are compared; fewer columns where the picture has fewer."""
STRIP: Final = 5
"""Columns are compared as averages over this many neighbours, so that noise does not decide."""
MIN_ELSEWHERE: Final = 50
"""With fewer pairs of columns to compare with, nothing is concluded from the pair at the gap."""
SEAM_PX: Final = (144, 512)
"""A seam is looked for in pictures of at least the first number of columns, on a copy of at most the second."""
DARK: Final = 0.12
"""The darker side of a seam has at least this share of the brightness of the other; if it has less, it is a shadow."""


def find_cut(grey: Gray, box: Box, field: NDArray[np.bool_]) -> tuple[int, int] | None:
    """The columns at which a frame must be cut into its two views, or None if it shows one view.

    grey: (rows, columns) uint8, the whole frame. box: (left, top, width, height) of the ultrasound in it.
    field: (rows, columns) bool, the pixels that show tissue, on a smaller copy of the whole frame.
    Returns (end of the left view, start of the right view) in columns of the frame: the columns between them belong to
    neither. At a seam both are the same column.
    """
    left, top, width, height = box
    picture = grey[top : top + height, left : left + width]
    gap = _gap(field, grey.shape[1] / field.shape[1])
    if gap is None:
        return _seam(picture, left)
    inside = gap[0] - left, gap[1] - left
    return gap if _is_drawn(picture, *inside) and not _goes_on(picture, *inside) else None


def _gap(field: NDArray[np.bool_], back: float) -> tuple[int, int] | None:
    """The columns of the frame between which no tissue is seen from top to bottom; None if there is no such gap.

    back: columns of the frame per column of `field`.
    """
    share = field.mean(axis=0)
    columns = np.flatnonzero(share > 0.02)
    if not columns.size:
        return None
    share = share[columns[0] : columns[-1] + 1]
    empty = np.flatnonzero(share <= 0.02)
    if not empty.size or empty[-1] - empty[0] >= empty.size or empty.size < GAP * share.size:
        return None
    middle = (empty[0] + empty[-1] + 1) / 2 / share.size
    # a view may end anywhere between two samples, so that each view is given one sample of the gap, or half of it
    low, high = columns[0] + empty[0] + 1, columns[0] + empty[-1]
    low, high = (low, high) if low < high else ((low + high) / 2, (low + high) / 2)
    cut = int(np.ceil(low * back)), int(np.ceil(high * back))
    return cut if MIDDLE[0] <= middle <= MIDDLE[1] else None


def _is_drawn(picture: Gray, low: int, high: int) -> bool:
    """Whether the columns from `low` to `high` are a gap that a scanner drew.

    They then have one grey level throughout, and tissue of full brightness begins right beside them.
    picture: (rows, columns) uint8, the ultrasound alone; low, high: columns of it.
    """
    inside = picture[:, low : max(high, low + 1)].astype(np.int16)
    black = int(np.median(inside))
    if np.mean(np.abs(inside - black) > BLACK) > 0.01:
        return False
    level = picture.mean(axis=0) - black
    reach = max(2, picture.shape[1] // 128)
    for side in (level[:low][::-1], level[high:]):
        lit = np.flatnonzero(side > BLACK)
        if not lit.size or lit[0] > 4 * reach:
            return False
        start = int(lit[0])
        if side[start + reach // 2 : start + reach].mean() < SHARP * side[start + reach : start + 8 * reach].mean():
            return False
    return True


def _goes_on(picture: Gray, low: int, high: int) -> bool:
    """Whether the tissue left of `low` goes on right of `high`, so that the dark columns part no views.

    That is so if the columns on both sides are as alike as columns equally far apart are elsewhere in the picture (see
    COMMON), and where there is too little to compare with.
    picture: (rows, columns) uint8, the ultrasound alone; low, high: columns of it.
    """
    columns = min(COPY_PX[1], picture.shape[1])
    copy = np.asarray(cv2.resize(picture, (columns, COPY_PX[0]), interpolation=cv2.INTER_AREA), np.float32)
    level = copy.mean(axis=0)
    middle = int((low + high) / 2 * columns / picture.shape[1])
    lit = level > level[middle] + BLACK
    reach = STRIP // 2 + 1
    # the averages over STRIP columns nearest to the gap that hold none of its columns
    first, last = middle - int(np.argmax(lit[middle::-1])) - reach, middle + int(np.argmax(lit[middle:])) + reach
    apart = last - first
    if min(first, columns - 1 - last) < apart + reach:
        return True
    strips = cv2.blur(copy, (STRIP, 3))
    layers = cv2.GaussianBlur(strips, (1, 0), sigmaX=1e-3, sigmaY=COPY_PX[0] / 8)
    starts = np.arange(columns - apart)
    elsewhere = ((starts + apart < first) | (starts > last)) & lit[:-apart] & lit[apart:]
    if int(elsewhere.sum()) < MIN_ELSEWHERE:
        return True
    # Layers of tissue may be alike in two pictures of one organ, and structures may differ within one picture where a
    # lesion's edge lies at the gap. Two views differ in both.
    for part, share in ((strips - layers, COMMON[0]), (strips - strips.mean(axis=0), COMMON[1])):
        unit = part / (np.sqrt((part * part).sum(axis=0)) + 1e-3)
        alike = (unit[:, :-apart] * unit[:, apart:]).sum(axis=0)
        if float(np.mean(alike[elsewhere] <= alike[first])) > share:
            return True
    return False


def _seam(picture: Gray, left: int) -> tuple[int, int] | None:
    """The column at which two pictures meet edge to edge, twice, or None.

    At a seam, neighbouring columns differ far more than elsewhere, and over most of the rows. A shadow's edge is wider
    than a pixel or two; a line or text has a second edge close by.
    picture: (rows, columns) uint8, the ultrasound alone. left: its first column in the frame.
    """
    if picture.shape[1] < SEAM_PX[0]:
        return None
    # sampled, not averaged: a seam stays one pixel wide, even that of a picture which the scanner enlarged
    rows, columns = (min(length, SEAM_PX[1]) for length in picture.shape)
    sampled = np.asarray(cv2.resize(picture, (columns, rows), interpolation=cv2.INTER_NEAREST), np.int16)
    first, last = int(MIDDLE[0] * columns), int(MIDDLE[1] * columns)
    reach = columns // 10
    around = sampled[:, first - reach : last + reach]
    step = np.abs(np.diff(around))
    at = reach + int(step[:, reach:-reach].mean(axis=0).argmax())
    profile = step.mean(axis=0)
    near = slice(at - reach, at + reach)
    usual = max(0.5, float(np.median(profile[near])))
    bands = np.array([band.mean(axis=0) for band in np.array_split(step, 8)])
    bands_usual = np.maximum(1, np.median(bands[:, near], axis=1))
    wide = np.abs(around[:, 3:] - around[:, :-3]).mean(axis=0)
    line = max(profile[at - 12 : at - 1].max(), profile[at + 2 : at + 13].max())
    seam = (
        profile[at] >= 2.8 * usual
        and np.sort(bands[:, at] / bands_usual)[4] >= 2.4
        and wide[at - 1] >= 1.6 * float(np.median(wide[near]))
        and line < 0.6 * profile[at]
        and _both_echo(around, at)
    )
    column = left + round((first - reach + at + 1) * picture.shape[1] / columns)
    return (column, column) if seam else None


def _both_echo(around: NDArray[np.int16], at: int) -> bool:
    """Whether tissue is seen on both sides of column `at`; at the edge of a shadow one side is dark.

    around: (rows, columns), the part of the picture in which the seam is sought.
    """
    left, right = around[:, at - 5 : at + 1].astype(np.float64), around[:, at + 1 : at + 7].astype(np.float64)
    low, high = sorted((float(np.median(left.mean(axis=1))), float(np.median(right.mean(axis=1)))))
    return low > DARK * high
