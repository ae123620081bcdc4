"""From probabilities to lines of text: boxes with the end letters that a network leaves out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

Corners: TypeAlias = tuple[tuple[float, float], ...]
Mask: TypeAlias = NDArray[np.bool_]

CORE: Final = 0.2
"""Probability from which a pixel belongs to a line's core."""
FAINTEST: Final = 0.5
"""Lines whose core is less probable in the mean are dropped."""
GROWN: Final = 1.9
"""The core is shrunk text: it grows by this times its area over its outline (Liao et al. 2020 take 1.5)."""
ENDS: Final = 0.9
"""A line goes on at either end by this share of its height, for a letter that stands a little apart."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of text. corners: four (x, y) in pixels of the picture. length, height: of its box, in pixels.

    score: the mean probability of its core, 0 to 1.
    """

    corners: Corners
    length: float
    height: float
    score: float


def lines_of(chances: NDArray[np.float32], shape: tuple[int, ...]) -> list[Line]:
    """The lines in a map of probabilities.

    chances: (rows, columns) float32. shape: rows and columns of the picture that it belongs to.
    """
    across, down = shape[1] / chances.shape[1], shape[0] / chances.shape[0]
    core = (chances >= CORE).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(core, connectivity=8)
    found = []
    for number in range(1, count):
        left, top, width, height, _area = (int(value) for value in stats[number])
        inside = labels[top : top + height, left : left + width] == number
        score = float(chances[top : top + height, left : left + width][inside].mean())
        if score < FAINTEST:
            continue
        ys, xs = np.nonzero(inside)
        points = np.stack([(xs + left + 0.5) * across, (ys + top + 0.5) * down], axis=1).astype(np.float32)
        found.append(_line(points, score))
    return found


def drawn(lines: Sequence[Line], shape: tuple[int, ...]) -> Mask:
    """The pixels that the lines cover, bool (rows, columns)."""
    mask = np.zeros(shape[:2], np.uint8)
    for line in lines:
        cv2.fillPoly(mask, [np.round(np.array(line.corners)).astype(np.int32)], 1)
    return mask > 0


def _line(points: NDArray[np.float32], score: float) -> Line:
    middle, (one, other), angle = cv2.minAreaRect(points)
    one, other = one + 1, other + 1
    grown = GROWN * one * other / (2 * (one + other))
    one, other = one + 2 * grown, other + 2 * grown
    if one >= other:
        length, height, size = one, other, (one + 2 * ENDS * other * _is_line(one, other), other)
    else:
        length, height, size = other, one, (one, other + 2 * ENDS * one * _is_line(other, one))
    corners = cv2.boxPoints((middle, size, angle))
    return Line(tuple((float(x), float(y)) for x, y in corners), float(length), float(height), score)


def _is_line(length: float, height: float) -> bool:
    """Whether a box is long enough to show in which direction its text runs."""
    return length >= 1.4 * height
