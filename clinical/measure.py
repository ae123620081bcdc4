"""What can be read off one region of a frame: size, shape, brightness. numpy alone, well under a millisecond."""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sonovan.contracts.frames import RegionMeasures

Grey = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Box = tuple[int, int, int, int]

RING_MM: Final = 4.0
"""Width of the ring around a region where the scale is known; the usual range is 3 to 5 mm."""
RING_RADIUS_SHARE: Final = 0.5
"""Without a scale the ring is this share of the region's equivalent radius √(A/π) wide."""
RING_PX: Final = (3, 64)
"""Narrowest and widest ring in pixels, with or without a scale."""

_RING_CORNERS: Final = tuple((math.cos(math.radians(t)), math.sin(math.radians(t))) for t in (15, 45, 75))
_STEPS: Final = ((1, 0), (2, 1), (1, 1), (1, 2), (0, 1), (-1, 2), (-1, 1), (-2, 1))
_LEVELS: Final = np.arange(256, dtype=np.float64)


def measure_region(grey: Grey, mask: Mask, box: Box, spacing_mm: tuple[float, float] | None) -> RegionMeasures:
    """Measure one region.

    grey: (rows, columns) uint8, the frame. mask: (height, width) bool, the region within its box.
    box: (left, top, width, height) in pixels of the frame. spacing_mm: (column, row) distance, None if unknown.

    Axes are those of the ellipse with the region's second moments, each pixel a unit square (hence the 1/12).
    With a scale, angle and circularity are those of the body, not of the pixel grid. `orientation_deg` is
    positive where the long axis rises to the right, 0 for a region without a long axis.
    `circularity` = 4πA/P², at most 1, P by Crofton's formula in eight directions; `solidity` = pixels of the region
    over pixels in its convex hull, 1 for every digitally convex region.
    The ring around the region is `RING_MM` wide (without a scale `RING_RADIUS_SHARE`), cut at the frame's
    edge; pixels of value 0 in it are left out, being cleared or outside the scan. `contrast` and `cnr` =
    |μ_in − μ_ring| / √(σ_in² + σ_ring²) are None where the ring is empty, `cnr` also where nothing varies.

    Raises ValueError for an empty mask, or a box that does not fit the mask or the frame.
    """
    left, top, width, height = box
    rows, columns = grey.shape
    if mask.shape != (height, width):
        raise ValueError(f"the mask is {mask.shape}, its box says {(height, width)}")
    if left < 0 or top < 0 or left + width > columns or top + height > rows:
        raise ValueError(f"the box {box} reaches outside the frame of {columns} × {rows}")
    area = int(np.count_nonzero(mask))
    if area == 0:
        raise ValueError("the mask is empty")
    moments = _second_moments(mask, area)
    long_px, short_px, angle = _ellipse(*moments, (1.0, 1.0))
    long_mm = short_mm = area_mm2 = None
    if spacing_mm is not None:
        area_mm2 = round(area * spacing_mm[0] * spacing_mm[1], 2)
        scaled_long, scaled_short, angle = _ellipse(*moments, spacing_mm)
        long_mm, short_mm = round(scaled_long, 2), round(scaled_short, 2)
    inside = _mean_and_variance(grey[top : top + height, left : left + width][mask])
    contrast, cnr = _against_ring(inside, _ring_values(grey, mask, box, area, spacing_mm))
    return RegionMeasures(
        area_mm2=area_mm2,
        long_axis_mm=long_mm,
        short_axis_mm=short_mm,
        long_axis_px=round(long_px, 2),
        short_axis_px=round(short_px, 2),
        orientation_deg=angle,
        circularity=_circularity(mask, area, spacing_mm or (1.0, 1.0)),
        solidity=round(area / _pixels_in_hull(mask), 3),
        mean_grey=round(inside[0], 1),
        contrast=contrast,
        cnr=cnr,
    )


def _second_moments(mask: Mask, area: int) -> tuple[float, float, float]:
    """Variance along columns, along rows, and covariance, in px². The sums are whole numbers, so exact."""
    weights = mask.astype(np.float64)
    x, y = np.arange(mask.shape[1], dtype=np.float64), np.arange(mask.shape[0], dtype=np.float64)
    per_column, per_row = weights.sum(axis=0), weights.sum(axis=1)
    sum_x, sum_y = int(per_column @ x), int(per_row @ y)
    sum_xx, sum_yy, sum_xy = int(per_column @ x**2), int(per_row @ y**2), int(y @ (weights @ x))
    square = area * area
    return (
        (area * sum_xx - sum_x * sum_x) / square + 1 / 12,
        (area * sum_yy - sum_y * sum_y) / square + 1 / 12,
        (area * sum_xy - sum_x * sum_y) / square,
    )


def _ellipse(var_x: float, var_y: float, cov: float, scale: tuple[float, float]) -> tuple[float, float, float]:
    """Full long and short axis, and the long one's angle in degrees within (-90, 90]."""
    xx, yy, xy = var_x * scale[0] ** 2, var_y * scale[1] ** 2, cov * scale[0] * scale[1]
    middle, spread = (xx + yy) / 2, math.hypot((xx - yy) / 2, xy)
    long_axis, short_axis = 4 * math.sqrt(middle + spread), 4 * math.sqrt(max(middle - spread, 0.0))
    if spread < 1e-9 * middle:
        return long_axis, short_axis, 0.0
    angle = round(math.degrees(-0.5 * math.atan2(2 * xy, xx - yy)), 1) + 0.0
    return long_axis, short_axis, 90.0 if angle <= -90.0 else angle


def _circularity(mask: Mask, area: int, spacing: tuple[float, float]) -> float:
    """4πA/P², P by Cauchy and Crofton: crossings along lines of pixels in eight directions.

    Source: Lehmann and Legland, Insight Journal (2012), with knight's moves beside rows, columns and diagonals,
    each weighted by the angle nearest to it on a grid of `spacing`. Edges of holes count too.
    """
    dx, dy = spacing
    height, width = mask.shape
    padded = np.zeros((height + 4, width + 4), dtype=np.bool_)
    padded[2:-2, 2:-2] = mask
    perimeter = 0.0
    for (step_x, step_y), angle_share in zip(_STEPS, _angle_shares(dx, dy), strict=True):
        ahead = padded[step_y:, step_x:] if step_x >= 0 else padded[step_y:, :step_x]
        behind = padded[: -step_y or None, : -step_x or None] if step_x >= 0 else padded[: -step_y or None, -step_x:]
        lines_apart = dx * dy / math.hypot(step_x * dx, step_y * dy)
        perimeter += int(np.count_nonzero(ahead ^ behind)) * lines_apart * angle_share / 2
    return round(min(4 * math.pi * area * dx * dy / perimeter**2, 1.0), 3)


def _angle_shares(dx: float, dy: float) -> list[float]:
    """For each of `_STEPS`, in order of rising angle, how much of the half turn lies nearest to it."""
    angles = [math.atan2(step_y * dy, step_x * dx) for step_x, step_y in _STEPS]
    before, after = [angles[-1] - math.pi, *angles[:-1]], [*angles[1:], angles[0] + math.pi]
    return [(late - early) / 2 for early, late in zip(before, after, strict=True)]


def _pixels_in_hull(mask: Mask) -> int:
    """How many pixel centres the convex hull of the region's pixel centres holds, by Pick's theorem."""
    rows = np.flatnonzero(mask.any(axis=1))
    first = mask.argmax(axis=1)[rows].tolist()
    last = (mask.shape[1] - 1 - mask[:, ::-1].argmax(axis=1)[rows]).tolist()
    ys = rows.tolist()
    hull = _chain(list(zip(ys, first, strict=True)), 1) + _chain(list(zip(ys, last, strict=True)), -1)[::-1]
    doubled_area = edge_pixels = 0
    for (y0, x0), (y1, x1) in zip(hull, [*hull[1:], hull[0]], strict=True):
        doubled_area += y0 * x1 - y1 * x0
        edge_pixels += math.gcd(y1 - y0, x1 - x0)
    return (abs(doubled_area) + edge_pixels) // 2 + 1


def _chain(points: list[tuple[int, int]], sign: int) -> list[tuple[int, int]]:
    """One side of Andrew's monotone chain over (row, column) points sorted by row; sign 1: the left side."""
    chain: list[tuple[int, int]] = []
    for y, x in points:
        while len(chain) > 1:
            (y0, x0), (y1, x1) = chain[-2], chain[-1]
            if sign * ((y1 - y0) * (x - x0) - (y - y0) * (x1 - x0)) > 0:
                break
            chain.pop()
        chain.append((y, x))
    return chain


def _ring_values(grey: Grey, mask: Mask, box: Box, area: int, spacing_mm: tuple[float, float] | None) -> Grey:
    """The frame's non-zero pixels within the ring's width of the region, and outside it."""
    left, top, width, height = box
    if spacing_mm is None:
        reach_x = reach_y = _bounded(RING_RADIUS_SHARE * math.sqrt(area / math.pi))
    else:
        reach_x, reach_y = _bounded(RING_MM / spacing_mm[0]), _bounded(RING_MM / spacing_mm[1])
    x0, y0 = max(left - reach_x, 0), max(top - reach_y, 0)
    patch = grey[y0 : top + height + reach_y, x0 : left + width + reach_x]
    region = np.zeros(patch.shape, dtype=np.bool_)
    region[top - y0 : top - y0 + height, left - x0 : left - x0 + width] = mask
    near = np.zeros_like(region)
    for share_x, share_y in _RING_CORNERS:  # a disc is close to the union of three rectangles
        wide = _widened(np.ascontiguousarray(region.T), round(share_x * reach_x))
        near |= _widened(np.ascontiguousarray(wide.T), round(share_y * reach_y))
    return patch[near & ~region & (patch > 0)]


def _bounded(width: float) -> int:
    return min(max(round(width), RING_PX[0]), RING_PX[1])


def _widened(mask: Mask, reach: int) -> Mask:
    """`mask` with every pixel spread `reach` to both sides along its first axis, by doubling."""
    have = 0
    while have < reach:
        step = min(max(have, 1), reach - have)
        wide = mask.copy()
        wide[step:] |= mask[:-step]
        wide[:-step] |= mask[step:]
        mask, have = wide, have + step
    return mask


def _mean_and_variance(values: Grey) -> tuple[float, float]:
    counts = np.bincount(values, minlength=256)
    mean = float(counts @ _LEVELS) / values.size
    return mean, float(counts @ (_LEVELS - mean) ** 2) / values.size


def _against_ring(inside: tuple[float, float], ring: Grey) -> tuple[float | None, float | None]:
    if ring.size == 0:
        return None, None
    outside = _mean_and_variance(ring)
    noise = math.sqrt(inside[1] + outside[1])
    contrast = round(inside[0] / outside[0] - 1, 3)
    return contrast, round(abs(inside[0] - outside[0]) / noise, 3) if noise > 0 else None
