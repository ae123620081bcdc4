"""Linking: the regions of a sweep's frames that show the same lesion."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from sonovan.contracts.frames import FrameSegmented, Region
from sonovan.contracts.lexicon import Organ, Side

MemberKey = tuple[str, int]
"""(frame_id, region ordinal)."""


@dataclass(frozen=True, slots=True)
class LinkRules:
    """When two regions of different frames are one lesion.

    dense_gap: frames this far apart (by index) may always be linked: an outline may flicker for four frames.
    sparse_gap, sparse_missed: while only the coarse upload levels are there, frames up to `sparse_gap` apart may be
    linked if at most `sparse_missed` of the frames present between them lack the lesion.
    reach_still, reach_per_frame, reach_most: how far a centre may move, as a share of the lesion's size.
    least_affinity: below this (see `affinity`) nothing is linked.
    """

    dense_gap: int = 5
    sparse_gap: int = 16
    sparse_missed: int = 1
    reach_still: float = 0.5
    reach_per_frame: float = 0.06
    reach_most: float = 1.0
    least_affinity: float = 0.1


LINK_RULES: Final = LinkRules()


@dataclass(frozen=True, slots=True)
class Track:
    """One lesion over a sequence: its members in frame order, at most one per frame."""

    sequence_id: str
    organ: Organ
    laterality: Side | None
    panel: int
    members: tuple[MemberKey, ...]


@dataclass(slots=True)
class _Open:
    """A track while frames still come."""

    members: list[MemberKey]
    last: Region
    index: int
    position: int


def link(results: Iterable[FrameSegmented], rules: LinkRules = LINK_RULES) -> list[Track]:
    """The tracks of these results, ordered by their lowest member.

    Every region of an assessable frame belongs to exactly one track; those of other frames to none. Tracks stay
    within a sequence, organ, side and panel. The order of the results does not matter. Frames are taken in the
    order of their index; each frame's regions join the open tracks best first.
    Raises ValueError where two results are of the same frame.
    """
    ordered = sorted(results, key=lambda result: (result.sequence_id, result.frame_index))
    if len({result.frame_id for result in ordered}) < len(ordered):
        raise ValueError("two results are of the same frame")
    tracks: list[Track] = []
    for _, frames in groupby(ordered, key=lambda result: result.sequence_id):
        tracks += _link_sequence(list(frames), rules)
    return sorted(tracks, key=lambda track: track.members[0])


def panel_side(result: FrameSegmented, panel: int) -> Side | None:
    """The side that a panel shows: its own where the panel says so, else the frame's."""
    own = result.panels[panel].laterality if panel < len(result.panels) else None
    return own or result.laterality


def _link_sequence(frames: Sequence[FrameSegmented], rules: LinkRules) -> list[Track]:
    lanes: dict[tuple[Organ, Side | None, int], list[_Open]] = {}
    for position, frame in enumerate(frames):
        if not frame.assessable:
            continue
        regions = sorted(frame.regions, key=lambda region: (region.panel, region.ordinal))
        for panel, shown in groupby(regions, key=lambda region: region.panel):
            lane = lanes.setdefault((frame.organ, panel_side(frame, panel), panel), [])
            _extend(lane, frame, position, list(shown), rules)
    return [
        Track(frames[0].sequence_id, organ, side, panel, tuple(track.members))
        for (organ, side, panel), lane in lanes.items()
        for track in lane
    ]


def _extend(lane: list[_Open], frame: FrameSegmented, position: int, regions: list[Region], rules: LinkRules) -> None:
    """Give each region to the open track that it fits best, or to a new one."""
    offers: list[tuple[float, MemberKey, int, int]] = []
    for number, track in enumerate(lane):
        gap, missed = frame.frame_index - track.index, position - track.position - 1
        if gap > rules.dense_gap and (gap > rules.sparse_gap or missed > rules.sparse_missed):
            continue
        for place, region in enumerate(regions):
            fit = affinity(track.last, region, gap, rules)
            if fit >= rules.least_affinity:
                offers.append((-fit / (1 + missed), track.members[0], number, place))
    taken_tracks: set[int] = set()
    taken_regions: set[int] = set()
    for _, _, number, place in sorted(offers):
        if number in taken_tracks or place in taken_regions:
            continue
        taken_tracks.add(number)
        taken_regions.add(place)
        track, region = lane[number], regions[place]
        track.members.append((frame.frame_id, region.ordinal))
        track.last, track.index, track.position = region, frame.frame_index, position
    for place, region in enumerate(regions):
        if place not in taken_regions:
            lane.append(_Open([(frame.frame_id, region.ordinal)], region, frame.frame_index, position))


def affinity(one: Region, other: Region, gap: int, rules: LinkRules = LINK_RULES) -> float:
    """How well two regions `gap` frames apart fit together: box IoU plus closeness of centres, 0 to 2."""
    (left, top, width, height), (left2, top2, width2, height2) = one.box, other.box
    across = max(min(left + width, left2 + width2) - max(left, left2), 0)
    down = max(min(top + height, top2 + height2) - max(top, top2), 0)
    shared = across * down
    overlap = shared / (width * height + width2 * height2 - shared)
    size = (math.sqrt(width * height) + math.sqrt(width2 * height2)) / 2
    reach = size * min(rules.reach_still + rules.reach_per_frame * gap, rules.reach_most)
    distance = math.hypot(one.centroid[0] - other.centroid[0], one.centroid[1] - other.centroid[1])
    return overlap + max(1 - distance / reach, 0.0)
