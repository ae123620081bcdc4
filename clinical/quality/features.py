"""What is watched of a frame and of a screening, read off results: no pixels but for the brightness, which `segment`
measures."""

import math
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sonovan.contracts.frames import FrameSegmented
from sonovan.contracts.quality import FEATURES, Feature

Box = tuple[int, int, int, int]
Sums = Mapping[Feature, tuple[float, int]]
"""By feature, the sum over frames that have it, and how many those are."""

DIGITS: Final = 6
"""Significant digits that are kept of a mean."""
EVERY: Final = 4
"""Every fourth row and column says as much as all of them."""
BLACK: Final = 8
"""Greys below this are the margin around a scan, or what was blackened: no ultrasound."""
BRIGHT: Final = 0.95
"""The share of lit pixels that are no brighter than the brightness of a frame."""


def brightness_of(grey: NDArray[np.uint8], boxes: Sequence[Box]) -> float | None:
    """The grey, 0 to 255, that a twentieth of what is not black in these panels exceeds; None where all of it is black.

    grey: (rows, columns) uint8, the frame. boxes: (left, top, width, height). Every fourth row and column is read.
    Women differ less in it than in the mean, of which dark fat and shadows are part, so that a change of gain stands
    out further (docs/decisions/0098).
    """
    counts = np.zeros(256, np.int64)
    for left, top, width, height in boxes:
        part = grey[top : top + height : EVERY, left : left + width : EVERY]
        counts += np.bincount(part.ravel(), minlength=256)
    counts[:BLACK] = 0
    total = int(counts.sum())
    return None if total == 0 else float(np.searchsorted(np.cumsum(counts), BRIGHT * total))


def frame_values(result: FrameSegmented) -> dict[Feature, float]:
    """The features of one frame; a frame that cannot be assessed has `refused` alone."""
    if not result.assessable:
        return {"refused": 1.0}
    values: dict[Feature, float] = {"refused": 0.0, "regions": float(len(result.regions))}
    if result.brightness is not None:
        values["brightness"] = result.brightness
    if result.sharpness is not None:
        values["sharpness"] = sum(result.sharpness) / 2
    if result.regions:
        largest = max(result.regions, key=lambda region: region.area_px)
        panel = result.panels[largest.panel] if largest.panel < len(result.panels) else None
        whole = result.rows * result.columns if panel is None else panel.width * panel.height
        values["region_size"] = math.sqrt(largest.area_px / whole)
        values["score"] = largest.score_mean
    expected = predicted_of(result)
    if expected is not None:
        values["predicted"] = expected
    return values


def predicted_of(result: FrameSegmented) -> float | None:
    """The lowest Dice that the network expects of outlines of this frame; None where it expects none."""
    return min((each.predicted_dice for each in result.regions if each.predicted_dice is not None), default=None)


def added(sums: Sums, values: Mapping[Feature, float]) -> dict[Feature, tuple[float, int]]:
    """The sums with one frame more."""
    found = dict(sums)
    for feature, value in values.items():
        total, count = found.get(feature, (0.0, 0))
        found[feature] = (total + value, count + 1)
    return found


def means(sums: Sums) -> dict[Feature, float]:
    """The mean of each feature over the frames that have it; what no frame has is left out."""
    return {
        feature: float(f"{sums[feature][0] / sums[feature][1]:.{DIGITS}g}") for feature in FEATURES if feature in sums
    }
