"""Which of the lines that a network found are text, which are single signs, and which a person has to look at.

One sign alone names nobody, and most of what looks like one is tissue, a measuring cross or its number: it is left.
"""

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
_APART: Final = 3.0
"""A sign that is farther than so many of its heights from every other one stands alone."""
_STANDS_OUT: Final = 40
_ON_ARMS: Final = 0.8
_ARM_PX: Final = 5


def judge(lines: Sequence[Line], grey: Gray) -> tuple[list[Line], list[Line]]:
    """The lines that are text, and those that are doubtful; crosses and signs that stand alone are neither.

    lines: as they were found. grey: the picture, (rows, columns) uint8.
    A doubtful line of which most is hidden anyway by a sure one is left out. A single sign beside others is no doubt:
    it is hidden, for it may belong to them, and covers little.
    """
    signs = [line for line in lines if not is_cross(line, grey)]
    signs = [line for line in signs if not _stands_alone(line, signs)]
    sure = [line for line in signs if line.score >= SURE or _is_sign(line)]
    hidden = drawn(sure, grey.shape)
    doubtful = []
    for line in signs:
        if line.score < SURE and not _is_sign(line):
            own = drawn([line], grey.shape)
            if own.any() and float(hidden[own].mean()) < 0.5:
                doubtful.append(line)
    return sure, doubtful


def _stands_alone(line: Line, lines: Sequence[Line]) -> bool:
    """Whether a box holds one sign, and no other line is near it: letters of one name are near each other."""
    if not _is_sign(line):
        return False
    x, y = _middle(line)
    for other in lines:
        if other is not line:
            beyond = _APART * line.height + (line.length + other.length) / 2
            there = _middle(other)
            if np.hypot(x - there[0], y - there[1]) <= beyond:
                return False
    return True


def _is_sign(line: Line) -> bool:
    """Whether a box is so short that it holds one sign."""
    return line.length <= _LONE * line.height


def _middle(line: Line) -> tuple[float, float]:
    return sum(x for x, _ in line.corners) / 4, sum(y for _, y in line.corners) / 4


def is_cross(line: Line, grey: Gray) -> bool:
    """Whether a box holds one measuring cross (+ or ×) and nothing else: its bright pixels lie on two thin arms.

    A single letter of two strokes (T, L) looks alike; one letter names nobody.
    """
    if not _is_sign(line):
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
