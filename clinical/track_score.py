"""How sure a sweep as a whole is of a lesion: from its lasting, its steadiness, its motion, its size and its outlines.

A single frame cannot tell a shadow or the space between two ribs from a lesion; a lesion is there for as long as the
probe passes it, keeps its outline from frame to frame, and moves as the tissue around it moves, while what the probe
itself makes stays where it is on the picture.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean
from typing import Final

from sonovan.clinical.registration import CERTAIN, moved
from sonovan.clinical.tissue_path import STILL, Offset, panel_size, profile_of
from sonovan.clinical.track import box_overlap
from sonovan.contracts.frames import FrameSegmented, Region

Shown = Sequence[tuple[FrameSegmented, Region]]
"""The members of one track: each frame that shows the lesion, with the region in it, in order of the frames."""

LONG: Final = 8
"""A lesion that is there on so many frames is there for long; more says no more."""
UNSTEADY_PX: Final = 0.005
"""How exactly an outline's middle is known, as a share of the panel's width."""
SPECK, LARGE = math.exp(-8.0), math.exp(-2.0)
"""Shares of the panel, .03 and 14 %, between which size counts, by its logarithm: most outlines lie between them."""


@dataclass(frozen=True, slots=True)
class TrackFeatures:
    """What a track's score is made of; each is 0 to 1, `with_tissue` -1 to 1.

    kept: how long it kept its outline: one frame, and for each further one the share by which its box covers the one
    before, moved with the tissue; up to LONG, as a share of LONG. with_tissue: 1 where it moved as the tissue did and
    the tissue moved plainly, -1 where it stayed on the picture meanwhile, 0 where nothing says. reliable: mean Dice
    that is predicted of its outlines, 0 where nothing predicts it. abrupt: which share of its largest area it has on
    its first and its last frame, times how alike the tissue of the frame beyond is: sections of a lesion grow and
    shrink, an artefact is there and gone over the same tissue. size: its largest area, 0 for a speck.
    """

    kept: float
    with_tissue: float
    reliable: float
    abrupt: float
    size: float


@dataclass(frozen=True, slots=True)
class TrackWeights:
    """What each feature adds to the log-odds; fitted on simulated sweeps of validation groups.

    `python -m benchmarks.track_weights` fits them (docs/decisions/0046, 0162).
    """

    constant: float = -8.61
    kept: float = 2.66
    with_tissue: float = 1.54
    reliable: float = 5.72
    abrupt: float = -1.14
    size: float = 4.12


TRACK_WEIGHTS: Final = TrackWeights()


def track_score(features: TrackFeatures, weights: TrackWeights = TRACK_WEIGHTS) -> float:
    """Between 0 and 1, to four places: the higher, the surer. It orders tracks and is no probability."""
    odds = (
        weights.constant
        + weights.kept * features.kept
        + weights.with_tissue * features.with_tissue
        + weights.reliable * features.reliable
        + weights.abrupt * features.abrupt
        + weights.size * features.size
    )
    return round(1 / (1 + math.exp(-odds)), 4)


def track_features(
    frames: Shown, before: FrameSegmented | None = None, after: FrameSegmented | None = None
) -> TrackFeatures:
    """Of one track. frames: the largest of its members of each frame (`largest_pieces`).

    before, after: the assessable frames next to its first and last member, None where the sequence begins or ends.
    """
    steps = [_step(one, other) for one, other in pairwise(frames)]
    return TrackFeatures(
        kept=min(1 + math.fsum(overlap for overlap, _ in steps), LONG) / LONG,
        with_tissue=math.tanh(math.fsum(moves for _, moves in steps) / 3),
        reliable=fmean(region.predicted_dice or 0.0 for _, region in frames),
        abrupt=(_abrupt(frames, frames[0], before) + _abrupt(frames, frames[-1], after)) / 2,
        size=max(_size(frame, region) for frame, region in frames),
    )


def largest_pieces(shown: Shown) -> list[tuple[FrameSegmented, Region]]:
    """One member for each frame: the largest where there are several, of equals the first."""
    largest: dict[str, tuple[FrameSegmented, Region]] = {}
    for frame, region in shown:
        known = largest.get(frame.frame_id)
        if known is None or region.area_px > known[1].area_px:
            largest[frame.frame_id] = (frame, region)
    return [largest[name] for name in sorted(largest)]


def _abrupt(frames: Shown, end: tuple[FrameSegmented, Region], beyond: FrameSegmented | None) -> float:
    """How large it is at this end, as a share of its largest area, times how alike the tissue beyond is."""
    if beyond is None:
        return 0.0
    here, there = profile_of(end[0], end[1].panel), profile_of(beyond, end[1].panel)
    alike = 0.0 if here is None or there is None else max(moved(here, there).alike, 0.0)
    return alike * end[1].area_px / max(region.area_px for _, region in frames)


def _size(frame: FrameSegmented, region: Region) -> float:
    """Its share of the panel, 0 at SPECK and below, 1 at LARGE and above, by its logarithm in between."""
    width, height = panel_size(frame, region.panel)
    share = min(max(region.area_px / (width * height), SPECK), LARGE)
    return math.log(share / SPECK) / math.log(LARGE / SPECK)


def tissue_moved(one: FrameSegmented, other: FrameSegmented, panel: int) -> Offset | None:
    """Pixels by which the tissue of a panel moved from one frame to the other; None where nobody can tell."""
    first, second, size = profile_of(one, panel), profile_of(other, panel), panel_size(one, panel)
    if first is None or second is None or size != panel_size(other, panel):
        return None
    seen = moved(first, second)
    return (seen.across * size[0], seen.down * size[1]) if seen.alike >= CERTAIN else None


def _step(one: tuple[FrameSegmented, Region], other: tuple[FrameSegmented, Region]) -> tuple[float, float]:
    """How well two neighbouring members overlap, and by how much they speak for moving with the tissue.

    The latter is the logarithm of how much likelier the way of the outline's middle is if it moves with the tissue than
    if it stays, for errors of normal distribution that count up to three times their deviation.
    """
    (frame, first), (later, second) = one, other
    by = tissue_moved(frame, later, first.panel)
    overlap = box_overlap(first, second, by or STILL)
    if by is None:
        return overlap, 0.0
    deviation = UNSTEADY_PX * panel_size(frame, first.panel)[0]
    way = (second.centroid[0] - first.centroid[0], second.centroid[1] - first.centroid[1])
    still, along = math.hypot(*way) / deviation, math.hypot(way[0] - by[0], way[1] - by[1]) / deviation
    return overlap, (min(still, 3.0) ** 2 - min(along, 3.0) ** 2) / 2
