"""The size of a region as a reader measures it: its largest diameter and the one across it, between parallel lines."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Corner = tuple[int, int]
"""(row, column) of a pixel."""

_SAME: Final = 1e-9
"""Diameters that differ by less than this share are equally large: the difference is rounding."""


@dataclass(frozen=True, slots=True)
class Diameters:
    """longest, across: in the unit of the scale. angle_deg: the longest one's direction, in (-90, 90]."""

    longest: float
    across: float
    angle_deg: float


def diameters(hull: list[Corner], scale: tuple[float, float]) -> Diameters:
    """The largest Feret diameter of a region, and the Feret diameter at a right angle to it.

    hull: the corners of the convex hull of the region's pixel centres, as `hull_of` gives them. scale: (column, row)
    distance of neighbouring pixels; the figures are those of the body, so oblong pixels are no error.
    A Feret diameter is the distance of two parallel lines between which the region just fits; the largest of them is
    the largest distance of two of its points. Each pixel counts as a rectangle of `scale`, edges included, so that one
    pixel of 1 × 1 is √2 long. The angle is against the horizontal, positive where the diameter rises to the right. Of
    several equally large diameters the flattest is taken, of two mirrored ones the one that rises to the right.
    Source: L. R. Feret, "La grosseur des grains des matières pulvérulentes", Zürich 1930; W. H. Walton, Nature 162:329
    (1948).
    """
    corners = np.asarray(hull, np.float64)
    right = corners[None, :, 1] - corners[:, None, 1]
    down = corners[None, :, 0] - corners[:, None, 0]
    # the far corners of two pixels lie one pixel further apart than their centres, along columns and along rows
    wide, tall = (np.abs(right) + 1) * scale[0], (np.abs(down) + 1) * scale[1]
    squared = wide**2 + tall**2
    longest = math.sqrt(float(squared.max()))
    rising = np.where(right * down > 0, -1.0, 1.0)  # rows count downwards
    angles = np.degrees(np.arctan2(rising * tall, wide))[squared >= squared.max() * (1 - _SAME)]
    angle = round(float(min(angles, key=lambda each: (round(abs(each), 6), -each))), 9)
    shown = round(angle, 1)
    return Diameters(longest, _extent(corners, scale, angle + 90), shown if shown > -90 else 90.0)


def _extent(corners: NDArray[np.float64], scale: tuple[float, float], angle_deg: float) -> float:
    """The distance of the two lines at a right angle to `angle_deg` between which the pixels just fit."""
    along_x, along_y = math.cos(math.radians(angle_deg)) * scale[0], -math.sin(math.radians(angle_deg)) * scale[1]
    places = corners[:, 1] * along_x + corners[:, 0] * along_y
    return float(places.max() - places.min()) + abs(along_x) + abs(along_y)


def hull_of(mask: Mask) -> list[Corner]:
    """The corners (row, column) of the convex hull of the region's pixel centres. mask: (rows, columns), not empty."""
    rows = np.flatnonzero(mask.any(axis=1))
    first = mask.argmax(axis=1)[rows].tolist()
    last = (mask.shape[1] - 1 - mask[:, ::-1].argmax(axis=1)[rows]).tolist()
    ys = rows.tolist()
    return _chain(list(zip(ys, first, strict=True)), 1) + _chain(list(zip(ys, last, strict=True)), -1)[::-1]


def pixels_in(hull: list[Corner]) -> int:
    """How many pixel centres a hull of pixel centres holds, its edges included. Source: Pick's theorem."""
    doubled_area = edge_pixels = 0
    for (y0, x0), (y1, x1) in zip(hull, [*hull[1:], hull[0]], strict=True):
        doubled_area += y0 * x1 - y1 * x0
        edge_pixels += math.gcd(y1 - y0, x1 - x0)
    return (abs(doubled_area) + edge_pixels) // 2 + 1


def _chain(points: list[Corner], sign: int) -> list[Corner]:
    """One side of Andrew's monotone chain over (row, column) points sorted by row; sign 1: the left side."""
    chain: list[Corner] = []
    for y, x in points:
        while len(chain) > 1:
            (y0, x0), (y1, x1) = chain[-2], chain[-1]
            if sign * ((y1 - y0) * (x - x0) - (y - y0) * (x1 - x0)) > 0:
                break
            chain.pop()
        chain.append((y, x))
    return chain
