"""Where a finding lies and how large it is in three directions, from what the operator said of its sightings."""

import math
from collections.abc import Iterable, Sequence
from typing import Final

from sonovan.contracts.description import Extent, Location
from sonovan.contracts.lexicon import Organ, Position, Side
from sonovan.contracts.results import Sighting

HOURS: Final = {f"{hour}h": hour for hour in range(1, 13)}
ELLIPSOID: Final = math.pi / 6
LEVEL_DEG: Final = 45.0


def location_of(organ: Organ, side: Side | None, sightings: Iterable[Sighting]) -> Location | None:
    """The place that the operator's positions agree on; None where none was entered, or where they contradict.

    The quadrant follows from the hour where that lies within one: on the woman's left breast the outer half is from 1
    to 5 o'clock, on the right from 7 to 11, as seen by who faces her; 12, 3, 6 and 9 lie between two. The distance to
    the nipple is given where all sightings that have one agree within 10 mm, as their mean.
    Source: ACR BI-RADS Atlas, 5th ed., ultrasound, location of abnormality.
    """
    seen = list(sightings)
    positions = {each.position for each in seen if each.position is not None}
    distances = [each.nipple_distance_mm for each in seen if each.nipple_distance_mm is not None]
    agreed = bool(distances) and max(distances) - min(distances) <= 10
    distance = round(sum(distances) / len(distances), 1) if agreed else None
    position = positions.pop() if len(positions) == 1 else None
    if position is None and distance is None:
        return None
    hour = HOURS.get(position or "")
    region = position if hour is None else quadrant(hour, side) if organ == "breast" else None
    return Location(hour=hour, region=region, nipple_distance_mm=distance)


def quadrant(hour: int, side: Side | None) -> Position | None:
    """The quadrant of a breast in which an hour of its clock face lies; None between two, or where no side is known."""
    if hour % 3 == 0 or side not in ("left", "right"):
        return None
    upper, picture_right = hour in (10, 11, 1, 2), hour < 6
    outer = picture_right == (side == "left")
    if upper:
        return "upper_outer" if outer else "upper_inner"
    return "lower_outer" if outer else "lower_inner"


def extent_of(sightings: Sequence[Sighting]) -> Extent | None:
    """The diameters of a thyroid nodule: two of its largest transverse sighting, one of its largest longitudinal one.

    None where neither view with a scale shows it. The long axis is the diameter across where it is flatter than 45° in
    the body, whose pixels may be oblong, else the one down. The volume is that of an ellipsoid, π/6 · a · b · c.
    Source: Brunn et al., Dtsch Med Wochenschr 106:1338 (1981).
    """
    across, along = _largest(sightings, "transverse"), _largest(sightings, "longitudinal")
    if across is None and along is None:
        return None
    transverse = depth = length = None
    if across is not None:
        axes = (across.long_axis_mm, across.short_axis_mm)
        transverse, depth = axes if abs(across.orientation_deg) <= LEVEL_DEG else axes[::-1]
    if along is not None:
        length = along.long_axis_mm
    volume = None
    if transverse is not None and depth is not None and length is not None:
        volume = round(ELLIPSOID * transverse * depth * length / 1000, 2)
    return Extent(transverse_mm=transverse, depth_mm=depth, length_mm=length, volume_ml=volume)


def _largest(sightings: Sequence[Sighting], view: str) -> Sighting | None:
    """The largest sighting of a view whose scale is known and whose outline is reliable."""
    own = [
        each
        for each in sightings
        if each.view == view and each.long_axis_mm and each.short_axis_mm and not each.outline_unreliable
    ]
    return max(own, key=lambda each: each.long_axis_mm or 0.0, default=None)
