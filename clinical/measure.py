"""What can be read off one region of a frame: size, shape, brightness. numpy alone, well under a millisecond."""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sonovan.clinical.feret import diameters, hull_of, pixels_in
from sonovan.clinical.outline import angularity, gcnr, radial_form
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


def measure_region(
    grey: Grey,
    mask: Mask,
    box: Box,
    spacing_mm: tuple[float, float] | None,
    polygon: Sequence[tuple[float, float]] = (),
) -> RegionMeasures:
    """Measure one region.

    grey: (rows, columns) uint8, the frame. mask: (height, width) bool, the region within its box.
    box: (left, top, width, height) in pixels of the frame. spacing_mm: (column, row) distance, None if unknown.
    polygon: the outer contour, (column, row); without one `angularity` is None.

    The long axis is the largest diameter, the short axis the extent at a right angle to it (Feret diameters,
    `sonovan.clinical.feret.diameters`). With a scale, angle and circularity are those of the body, not of the pixel
    grid. `orientation_deg` is the long axis against the horizontal, positive where it rises to the right; it says
    little of a nearly round region. Whether a lesion is taller than wide is not read off it: that is meant against the
    skin (`sonovan.models.heads.region_vector.tallness`).
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
    hull = hull_of(mask)
    size_px = diameters(hull, (1.0, 1.0))
    size_mm = None if spacing_mm is None else diameters(hull, spacing_mm)
    within = grey[top : top + height, left : left + width][mask]
    ring = _ring_values(grey, mask, box, area, spacing_mm)
    inside = _mean_and_variance(within)
    contrast, cnr = _against_ring(inside, ring)
    radial_deviation, lobulations = radial_form(mask, spacing_mm or (1.0, 1.0))
    return RegionMeasures(
        area_mm2=None if spacing_mm is None else round(area * spacing_mm[0] * spacing_mm[1], 2),
        long_axis_mm=None if size_mm is None else round(size_mm.longest, 2),
        short_axis_mm=None if size_mm is None else round(size_mm.across, 2),
        long_axis_px=round(size_px.longest, 2),
        short_axis_px=round(size_px.across, 2),
        orientation_deg=(size_mm or size_px).angle_deg,
        circularity=_circularity(mask, area, spacing_mm or (1.0, 1.0)),
        solidity=round(area / pixels_in(hull), 3),
        mean_grey=round(inside[0], 1),
        contrast=contrast,
        cnr=cnr,
        gcnr=gcnr(within, ring),
        angularity=angularity(polygon, spacing_mm or (1.0, 1.0)) if len(polygon) > 2 else None,
        radial_deviation=radial_deviation,
        lobulations=lobulations,
    )


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
