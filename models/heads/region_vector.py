"""Turn a region into numbers: features in, around and below it, its shape, its grey levels. For training and use."""

import math
from collections.abc import Mapping
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from sonovan.models.heads.pooled import Vector, mean_under, shrunk
from sonovan.models.picture.letterbox import Box, Gray, Letterbox

Soft = NDArray[np.float32]

INSIDE: Final = ("deep", "fine", "edge")
OUTSIDE: Final = ("fine", "edge")
RING_SHARE: Final = 0.4
"""The ring is this share of the region's equivalent radius √(A/π) wide, and at least RING_PX pixels of the square."""
RING_PX: Final = 4
PLAIN: Final = 31
"""How many numbers `plain` gives."""


def in_square(box: Box, mask: NDArray[np.bool_], view: Box, fit: Letterbox, side: int) -> Soft:
    """A region of the frame in the network's square: (side, side) float32, 0..1.

    box, mask: of the region, in pixels of the frame. view: the part of the frame, (left, top, width, height), that the
    letterbox `fit` brought into the square.
    """
    across, down = fit.width / view[2], fit.height / view[3]
    crop = mask.astype(np.float32)
    shrink = max(1, math.floor(1 / max(across, down)))
    if shrink > 1 and min(crop.shape) >= shrink:  # linear sampling skips pixels; an area average first does not
        size = (max(1, crop.shape[1] // shrink), max(1, crop.shape[0] // shrink))
        step = (crop.shape[1] / size[0], crop.shape[0] / size[1])
        crop = np.asarray(cv2.resize(crop, size, interpolation=cv2.INTER_AREA), np.float32)
    else:
        step = (1.0, 1.0)
    scale = (across * step[0], down * step[1])
    left = fit.left + (box[0] - view[0]) * across + scale[0] / 2 - 0.5
    top = fit.top + (box[1] - view[1]) * down + scale[1] / 2 - 0.5
    matrix = np.array([[scale[0], 0, left], [0, scale[1], top]], np.float64)
    return np.asarray(cv2.warpAffine(crop, matrix, (side, side), flags=cv2.INTER_LINEAR), np.float32)


def region_vector(square: Gray, mask: Soft, fit: Letterbox, seen: Mapping[str, NDArray[np.float32]]) -> Vector:
    """(F,) float32: the features' means in the region, in the ring and below the region, then `plain`.

    square: (side, side) uint8, the letterboxed picture. mask: (side, side), the region in it, 0..1.
    seen: `deep`, `fine` and `edge` of this picture, (C, rows, columns) each.
    """
    ring, below = _around(mask, fit), _below(mask, fit)
    parts = [mean_under(seen[name], shrunk(mask, seen[name].shape[1:3])) for name in INSIDE]
    for other in (ring, below):
        parts += [mean_under(seen[name], shrunk(other, seen[name].shape[1:3])) for name in OUTSIDE]
    return np.concatenate([*parts, plain(square, mask, ring, below, fit)])


def tallness(mask: Soft) -> float:
    """Logarithm of height over width of a region, from its second moments; 0 for one as tall as wide.

    Along the picture's own axes, not the region's: "taller than wide" is meant against the skin, which lies level.
    """
    total = float(mask.sum())
    if total <= 0:
        return 0.0
    x, y = np.arange(mask.shape[1], dtype=np.float64), np.arange(mask.shape[0], dtype=np.float64)
    across, down = mask.sum(0) / total, mask.sum(1) / total
    spread_x = float(across @ x**2 - (across @ x) ** 2) + 1 / 12
    spread_y = float(down @ y**2 - (down @ y) ** 2) + 1 / 12
    return 0.5 * math.log(spread_y / spread_x)


def plain(square: Gray, mask: Soft, ring: Soft, below: Soft, fit: Letterbox) -> Vector:
    """(31,) float32: shape and place of a region and its grey levels, all without unit.

    In order: area share of the picture, its root, height over width (log), width and height as shares, centre across
    and down, top and bottom, circularity 4πA/P², solidity, extent in its box, whether it is cut by the picture's
    edge; grey mean inside, ring, below (each over the picture's mean), deviation inside and in the ring, both over the
    mean, contrast and its log; below against what lies beside it at that depth; 5th, 25th, 75th and 95th percentile
    inside over its mean; share of bright specks inside and their strongest; mean, deviation and lowest decile of the
    step across the outline; mean step within.
    Source of specks: Meyer & Beucher, J. Vis. Commun. Image Represent. 1:21 (1990), white top-hat.
    """
    grey = square.astype(np.float32)
    shown = grey[fit.top : fit.top + fit.height, fit.left : fit.left + fit.width]
    level = float(shown.mean()) + 1.0
    hard = (mask >= 0.5).astype(np.uint8)
    if not hard.any():
        return np.zeros(PLAIN, np.float32)
    inside = grey[hard > 0]
    mean_in, mean_ring, mean_below = (_mean(grey, part, level) for part in (mask, ring, below))
    numbers = _shape(hard, fit)
    numbers += [mean_in / level, mean_ring / level, mean_below / level]
    numbers += [float(inside.std()) / level, math.sqrt(_variance(grey, ring, mean_ring)) / level]
    numbers += [(mean_in - mean_ring) / level, math.log((mean_in + 2) / (mean_ring + 2))]
    numbers.append(math.log((mean_below + 2) / (_mean(grey, _beside(below, fit), mean_below) + 2)))
    numbers += [float(value) / (mean_in + 2) for value in np.percentile(inside, (5, 25, 75, 95))]
    tophat = grey - cv2.morphologyEx(grey, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    specks = tophat[hard > 0]
    numbers += [float(np.mean(specks > 0.35 * level)), float(specks.max()) / level]
    numbers += _steps(grey, hard, level)
    return np.asarray(numbers, np.float32)


def _around(mask: Soft, fit: Letterbox) -> Soft:
    hard = (mask >= 0.5).astype(np.uint8)
    width = max(RING_PX, round(RING_SHARE * math.sqrt(float(hard.sum()) / math.pi)))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * width + 1, 2 * width + 1))
    return _within(np.asarray(cv2.dilate(hard, kernel), np.float32) * (1 - hard), fit)


def _below(mask: Soft, fit: Letterbox) -> Soft:
    """The area below a region: its middle columns, from its lower edge down by its own height."""
    hard = mask >= 0.5
    columns = np.flatnonzero(hard.any(0))
    found = np.zeros(mask.shape, np.float32)
    if columns.size:
        quarter = columns.size // 5
        rows = np.flatnonzero(hard.any(1))
        height = int(rows[-1] - rows[0]) + 1
        for column in columns[quarter : columns.size - quarter]:
            bottom = int(np.flatnonzero(hard[:, column])[-1])
            found[bottom + 1 : bottom + 1 + height, column] = 1
    return _within(found, fit)


def _beside(below: Soft, fit: Letterbox) -> Soft:
    columns, rows = np.flatnonzero(below.any(0)), np.flatnonzero(below.any(1))
    found = np.zeros(below.shape, np.float32)
    if columns.size:
        found[rows[0] : rows[-1] + 1] = 1
        margin = columns.size // 3
        found[:, max(0, columns[0] - margin) : columns[-1] + 1 + margin] = 0
    return _within(found, fit)


def _within(mask: Soft, fit: Letterbox) -> Soft:
    kept = np.zeros_like(mask)
    where = (slice(fit.top, fit.top + fit.height), slice(fit.left, fit.left + fit.width))
    kept[where] = mask[where]
    return kept


def _mean(grey: Soft, weights: Soft, otherwise: float) -> float:
    total = float(weights.sum())
    return float((grey * weights).sum()) / total if total > 0 else otherwise


def _variance(grey: Soft, weights: Soft, mean: float) -> float:
    return _mean((grey - mean) ** 2, weights, 0.0)


def _shape(hard: NDArray[np.uint8], fit: Letterbox) -> list[float]:
    contours, _ = cv2.findContours(hard, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    outline = max(contours, key=len)
    area = float(hard.sum())
    perimeter = cv2.arcLength(outline, True) + 1.0
    hull = cv2.contourArea(cv2.convexHull(outline)) + perimeter / 2 + 1.0
    left, top, width, height = cv2.boundingRect(hard)
    share = area / (fit.width * fit.height)
    x, y = (left + width / 2 - fit.left) / fit.width, (top + height / 2 - fit.top) / fit.height
    cut = left <= fit.left or top <= fit.top or left + width >= fit.left + fit.width
    return [
        share, math.sqrt(share), tallness(hard.astype(np.float32)), width / fit.width, height / fit.height, x, y,
        (top - fit.top) / fit.height, (top + height - fit.top) / fit.height,
        min(4 * math.pi * area / perimeter**2, 1.5), min(area / hull, 1.0), area / (width * height), float(cut),
    ]  # fmt: skip


def _steps(grey: Soft, hard: NDArray[np.uint8], level: float) -> list[float]:
    smooth = np.asarray(cv2.GaussianBlur(grey, (0, 0), 1.0), np.float32)
    steep = np.hypot(cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1)) / level
    kernel = np.ones((3, 3), np.uint8)
    rim = cv2.dilate(hard, kernel, iterations=2) - cv2.erode(hard, kernel, iterations=1)
    across = steep[rim > 0]
    within = steep[cv2.erode(hard, kernel, iterations=2) > 0]
    tenth = float(np.percentile(across, 10)) if across.size else 0.0
    mean, spread = (float(across.mean()), float(across.std())) if across.size else (0.0, 0.0)
    return [mean, spread, tenth, float(within.mean()) if within.size else 0.0]
