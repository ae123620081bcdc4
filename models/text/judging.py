"""Which of the lines that a network found are text, which are measuring crosses, and which a person has to look at."""

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from sonovan.models.text.lines import Line, drawn

Gray = NDArray[np.uint8]

SURE: Final = 0.6
"""Mean probability of a line's core from which it is hidden without a look. benchmarks/results/text.json"""
_LONE: Final = 1.6
"""Longer boxes, in heights, hold more than one sign."""
_STANDS_OUT: Final = 40
_ON_ARMS: Final = 0.8
_ARM_PX: Final = 5


def judge(lines: Sequence[Line], grey: Gray) -> tuple[list[Line], list[Line]]:
    """The lines that are text, and those that are doubtful; measuring crosses are neither.

    lines: as they were found. grey: the picture, (rows, columns) uint8.
    A doubtful line of which most is hidden anyway by a sure one is left out.
    """
    signs = [line for line in lines if not is_cross(line, grey)]
    sure = [line for line in signs if line.score >= SURE]
    hidden = drawn(sure, grey.shape)
    doubtful = []
    for line in signs:
        if line.score < SURE:
            own = drawn([line], grey.shape)
            if own.any() and float(hidden[own].mean()) < 0.5:
                doubtful.append(line)
    return sure, doubtful


def is_cross(line: Line, grey: Gray) -> bool:
    """Whether a box holds one measuring cross (+ or ×) and nothing else: its bright pixels lie on two thin arms.

    A single letter of two strokes (T, L) looks alike; one letter names nobody.
    """
    if line.length > _LONE * line.height:
        return False
    xs, ys = [corner[0] for corner in line.corners], [corner[1] for corner in line.corners]
    left, top = max(int(min(xs)), 0), max(int(min(ys)), 0)
    patch = grey[top : int(max(ys)) + 1, left : int(max(xs)) + 1]
    if min(patch.shape, default=0) < _ARM_PX:
        return False
    bright = patch.astype(np.int16) - cv2.medianBlur(np.ascontiguousarray(patch), 9) >= _STANDS_OUT
    return _on_two_arms(bright)


def _on_two_arms(bright: NDArray[np.bool_]) -> bool:
    """Whether nearly all of these pixels lie on a row and a column, or on two diagonals, through one point."""
    ys, xs = np.nonzero(bright)
    if len(ys) < 2 * _ARM_PX:
        return False
    row, column = int(bright.sum(axis=1).argmax()), int(bright.sum(axis=0).argmax())
    upright = (abs(ys - row) <= 1) | (abs(xs - column) <= 1)
    if min(bright[row].sum(), bright[:, column].sum()) >= _ARM_PX and upright.mean() >= _ON_ARMS:
        return True
    down, up = ys - xs, ys + xs
    turned = [abs(each - np.median(each)) <= 1 for each in (down, up)]
    both = min(int(np.count_nonzero(each)) for each in turned) >= _ARM_PX
    return bool(both and (turned[0] | turned[1]).mean() >= _ON_ARMS)
