"""How a lesion changes over the frames of one sweep: area, shape, contrast, steadiness, motion against the tissue."""

import math
from collections.abc import Sequence
from itertools import pairwise
from statistics import fmean
from typing import Final

from sonovan.clinical.track import box_overlap
from sonovan.clinical.track_score import Shown, tissue_moved
from sonovan.contracts.dynamics import MAX_SAMPLES, Dynamics, DynamicsSample

LEAST_FRAMES: Final = 3
"""On fewer frames a lesion has no course."""


def dynamics_of(frames: Shown) -> Dynamics | None:
    """The course of one track; None where fewer than LEAST_FRAMES frames show it.

    frames: one member for each frame, in their order (`sonovan.clinical.track_score.largest_pieces`). Spreads are
    standard deviations, that of the area as a share of its mean. `steadiness` is the mean overlap (IoU) of the boxes of
    neighbouring members, the earlier moved with the tissue. `against_tissue_px` is the mean distance by which the
    middle of the outline moved against the tissue from one member to the next, over the steps for which the tissue's
    movement is known; in mm where both pixel spacings are.
    """
    if len(frames) < LEAST_FRAMES:
        return None
    areas = [float(region.area_px) for _, region in frames]
    contrasts = [region.measures.contrast for _, region in frames if region.measures.contrast is not None]
    steps_px: list[float] = []
    steps_mm: list[float] = []
    overlaps: list[float] = []
    for (frame, first), (later, second) in pairwise(frames):
        by = tissue_moved(frame, later, first.panel)
        overlaps.append(box_overlap(first, second, by or (0.0, 0.0)))
        if by is None:
            continue
        way = [second.centroid[axis] - first.centroid[axis] - by[axis] for axis in (0, 1)]
        steps_px.append(math.hypot(*way))
        spacing = frame.panels[first.panel].spacing_mm if first.panel < len(frame.panels) else None
        if spacing is not None:
            steps_mm.append(math.hypot(way[0] * spacing[0], way[1] * spacing[1]))
    return Dynamics(
        samples=tuple(
            DynamicsSample(
                frame_index=frame.frame_index,
                area_px=region.area_px,
                area_mm2=region.measures.area_mm2,
                circularity=region.measures.circularity,
                contrast=region.measures.contrast,
            )
            for frame, region in _sampled(frames)
        ),
        area_spread=round(_deviation(areas) / fmean(areas), 3),
        circularity_spread=round(_deviation([region.measures.circularity for _, region in frames]), 3),
        contrast_spread=round(_deviation(contrasts), 3) if len(contrasts) > 1 else None,
        steadiness=round(fmean(overlaps), 3),
        against_tissue_px=round(fmean(steps_px), 2) if steps_px else None,
        against_tissue_mm=round(fmean(steps_mm), 2) if steps_px and len(steps_mm) == len(steps_px) else None,
    )


def _sampled(frames: Shown) -> Shown:
    """All frames, or MAX_SAMPLES of them: the largest and the smallest area, and evenly spaced ones with both ends."""
    if len(frames) <= MAX_SAMPLES:
        return frames
    by_area = sorted(range(len(frames)), key=lambda place: (frames[place][1].area_px, place))
    even = (round(place * (len(frames) - 1) / (MAX_SAMPLES - 3)) for place in range(MAX_SAMPLES - 2))
    return [frames[place] for place in sorted({by_area[0], by_area[-1], *even})]


def _deviation(values: Sequence[float]) -> float:
    middle = fmean(values)
    return math.sqrt(fmean((value - middle) ** 2 for value in values))
