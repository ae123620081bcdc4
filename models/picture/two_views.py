"""Where two views in one picture meet: at a black gap, or at a seam. A shadow, a cyst and a line are neither.

In doubt there is one view: two that are read as one lose little, a lesion that is cut in two is two findings.
"""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from sonovan.models.picture.letterbox import Box, Gray

MIDDLE: Final = (0.4, 0.6)
"""Two views in one picture meet between these shares of its width."""
GAP: Final = 0.01
"""A gap between two views is at least this share of their width."""
BLACK: Final = 4
"""Grey levels that the columns of a gap stay within: a scanner draws nothing there, a shadow has noise."""
SHARP: Final = 0.75
"""Beside a gap, echoes have at once at least so much of the level that they have further on; a shadow fades in."""
COMMON: Final = (0.02, 0.1)
"""Shares of equally distant columns that may be less alike, in structures and in layers, than those beside a gap."""
COPY_PX: Final = (256, 512)
STRIP: Final = 5
"""Rows and columns of the copy on which strips of so many columns are compared."""
MIN_ELSEWHERE: Final = 50
"""So many pairs of columns must there be elsewhere before anything is said of the one pair."""
SEAM_PX: Final = (144, 512)
"""A field is at least so wide, and looked at so wide, when a seam is sought in it."""
DARK: Final = 0.12
"""Of a seam's two sides, the darker one has at least this share of the brighter one's echoes: else it is a shadow."""


def find_cut(grey: Gray, box: Box, field: NDArray[np.bool_]) -> tuple[int, int] | None:
    """Between which columns of the frame (the same one at a seam) nothing belongs to either view; None for one view.

    grey: (rows, columns) uint8. box: where the ultrasound lies in it. field: what echoes, on a smaller copy.
    """
    left, top, width, height = box
    picture = grey[top : top + height, left : left + width]
    gap = _gap(field, grey.shape[1] / field.shape[1])
    if gap is None:
        return _seam(picture, left)
    inside = gap[0] - left, gap[1] - left
    return gap if _is_drawn(picture, *inside) and not _goes_on(picture, *inside) else None


def _gap(field: NDArray[np.bool_], back: float) -> tuple[int, int] | None:
    """Columns of the frame between which nothing echoes from top to bottom."""
    share = field.mean(axis=0)
    columns = np.flatnonzero(share > 0.02)
    if not columns.size:
        return None
    share = share[columns[0] : columns[-1] + 1]
    empty = np.flatnonzero(share <= 0.02)
    if not empty.size or empty[-1] - empty[0] >= empty.size or empty.size < GAP * share.size:
        return None
    middle = (empty[0] + empty[-1] + 1) / 2 / share.size
    # a lit edge lies anywhere within a sample's reach, so each panel keeps one sample of the gap, or its half
    low, high = columns[0] + empty[0] + 1, columns[0] + empty[-1]
    low, high = (low, high) if low < high else ((low + high) / 2, (low + high) / 2)
    cut = int(np.ceil(low * back)), int(np.ceil(high * back))
    return cut if MIDDLE[0] <= middle <= MIDDLE[1] else None


def _is_drawn(picture: Gray, low: int, high: int) -> bool:
    """Whether the dark columns from `low` to `high` are black throughout, and echoes begin at once on both sides."""
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
    """Whether what ends at `low` goes on at `high`: as alike as columns are that lie so far apart elsewhere."""
    columns = min(COPY_PX[1], picture.shape[1])
    copy = np.asarray(cv2.resize(picture, (columns, COPY_PX[0]), interpolation=cv2.INTER_AREA), np.float32)
    level = copy.mean(axis=0)
    middle = int((low + high) / 2 * columns / picture.shape[1])
    lit = level > level[middle] + BLACK
    reach = STRIP // 2 + 1
    # strips on both sides of the gap, none of which holds any of it
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
    # layers may be alike in two pictures of an organ, and a lesion's edge may lie at the gap in one: both must differ
    for part, share in ((strips - layers, COMMON[0]), (strips - strips.mean(axis=0), COMMON[1])):
        unit = part / (np.sqrt((part * part).sum(axis=0)) + 1e-3)
        alike = (unit[:, :-apart] * unit[:, apart:]).sum(axis=0)
        if float(np.mean(alike[elsewhere] <= alike[first])) > share:
            return True
    return False


def _seam(picture: Gray, left: int) -> tuple[int, int] | None:
    """The column at which two pictures meet without a gap: neighbours there have nothing in common, over most rows.

    A shadow's edge is wider than a pixel or two; a line and text have a second edge close by.
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
    """Whether both sides of a seam after column `at` show tissue: at the edge of a shadow, one is dark."""
    left, right = around[:, at - 5 : at + 1].astype(np.float64), around[:, at + 1 : at + 7].astype(np.float64)
    low, high = sorted((float(np.median(left.mean(axis=1))), float(np.median(right.mean(axis=1)))))
    return low > DARK * high
