"""Numbers of an outline's form beside its size: how uneven the distance from its centre is, bulges, corners."""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]

SECTORS: Final = 72
"""The outline is read in directions 5° apart."""
SMOOTH: Final = 3
"""Waves around the outline that make its smooth form: an ellipse and its lopsidedness."""
POINTS: Final = 240
"""An outline is read at so many points, equally far apart along it."""
CORNER_DEG: Final = 60.0
BULGE: Final = 1.06
"""A lobulation stands out of the smooth form by more than this."""


def radial_form(mask: Mask, spacing: tuple[float, float]) -> tuple[float, int]:
    """The deviation of the distance from the centre over its mean, and the number of lobulations.

    mask: (rows, columns) bool, not empty; spacing: (column, row) of its pixels. A circle has 0 and no lobulation. The
    radius in a direction is that of the farthest pixel there; directions without one take their neighbours' mean. A
    lobulation is a run of directions in which it exceeds the smooth form, made of the outline's first SMOOTH waves, by
    BULGE. Of regions of few pixels both say little.
    Source: Kilday et al., IEEE Trans. Med. Imaging 12:664 (1993), normalised radial length.
    """
    across, down = mask.sum(0, dtype=np.int32), mask.sum(1, dtype=np.int32)
    total = float(across.sum())
    middle = (float(across @ np.arange(across.size)) / total, float(down @ np.arange(down.size)) / total)
    rows, columns = np.nonzero(_edge(mask))
    x, y = (columns - middle[0]) * spacing[0], (rows - middle[1]) * spacing[1]
    sector = np.floor((np.arctan2(y, x) + math.pi) / (2 * math.pi) * SECTORS).astype(int) % SECTORS
    radius = np.zeros(SECTORS)
    np.maximum.at(radius, sector, np.hypot(x, y) + min(spacing) / 2)
    known = np.flatnonzero(radius > 0)
    radius = np.interp(np.arange(SECTORS), known, radius[known], period=SECTORS)
    waves = np.fft.rfft(radius)
    waves[SMOOTH + 1 :] = 0
    out = radius > BULGE * np.fft.irfft(waves, SECTORS)
    lobulations = int(np.count_nonzero(out & ~np.roll(out, 1)))
    return round(float(radius.std() / radius.mean()), 3), lobulations


def angularity(polygon: Sequence[tuple[float, float]], spacing: tuple[float, float]) -> float:
    """The share of an outline at which it has a corner: it turns there by more than CORNER_DEG.

    polygon: at least three corners, (column, row), closed by itself. spacing: (column, row) distance of pixels, so that
    angles are those of the body. The turn at a point is the angle between the lines that lead to it from a twentieth of
    the outline's length before and on from it to a twentieth behind. A circle turns by 18°, the tip of an ellipse that
    is twice as long as wide by some 55°: both have 0. Of regions of few pixels it says little.
    The formula is the project's own; what it is about are the angular margins of the ACR BI-RADS Atlas, 5th ed.
    """
    corners = np.asarray(polygon, np.float64) * spacing
    closed = np.vstack([corners, corners[:1]])
    way = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(closed, axis=0).T))])
    if way[-1] <= 0:
        return 0.0
    at = np.arange(POINTS) * way[-1] / POINTS
    x, y = np.interp(at, way, closed[:, 0]), np.interp(at, way, closed[:, 1])
    reach = POINTS // 20
    before = np.arctan2(y - np.roll(y, reach), x - np.roll(x, reach))
    behind = np.arctan2(np.roll(y, -reach) - y, np.roll(x, -reach) - x)
    turn = np.abs((behind - before + math.pi) % (2 * math.pi) - math.pi)
    return round(float(np.mean(turn > math.radians(CORNER_DEG))), 3)


def gcnr(inside: NDArray[np.uint8], ring: NDArray[np.uint8]) -> float | None:
    """How far the grey levels of a region and of its ring are apart, 0 (alike) to 1; None where the ring is empty.

    One minus the overlap of both histograms, in bins of 8 levels.
    Source: Rodriguez-Molares et al., IEEE Trans. Ultrason. Ferroelectr. Freq. Control 67:745 (2020).
    """
    if ring.size == 0:
        return None
    shares = [np.bincount(values >> 3, minlength=32) / values.size for values in (inside, ring)]
    return round(1 - float(np.minimum(shares[0], shares[1]).sum()) + 0.0, 3)


def _edge(mask: Mask) -> Mask:
    """The pixels of a region that have a neighbour outside."""
    inner = np.zeros_like(mask)
    inner[1:-1, 1:-1] = mask[:-2, 1:-1] & mask[2:, 1:-1] & mask[1:-1, :-2] & mask[1:-1, 2:]
    return np.asarray(mask & ~inner)
