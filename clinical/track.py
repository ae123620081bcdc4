"""Linking: the regions of a sweep's frames that show the same lesion."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final

from sonovan.clinical.tissue_path import STILL, Offset, TissuePath
from sonovan.contracts.frames import FrameSegmented, Region
from sonovan.contracts.lexicon import Organ, Side

MemberKey = tuple[str, int]
"""(frame_id, region ordinal)."""


@dataclass(frozen=True, slots=True)
class LinkRules:
    """When two regions of different frames are one lesion.

    Before anything is compared a region is moved as the tissue around it moved (`sonovan.clinical.tissue_path`).

    dense_gap: frames this far apart (by index) may always be linked: an outline may flicker for four frames.
    sparse_gap, sparse_missed: while only the coarse upload levels are there, frames up to `sparse_gap` apart may be
    linked if at most `sparse_missed` of the frames present between them lack the lesion.
    reach_still, reach_per_frame, reach_most: how far a centre may move, as a share of the lesion's size.
    least_affinity: below this (see `affinity`) nothing is linked.
    other_contrast, other_size: regions whose contrasts (`RegionMeasures.contrast`) are so far apart, or of which one
    has so many times the area of the other, do not look alike at all; what is closer fits the better for it.
    piece_within, piece_size: a region of which that share lies within the box of a lesion, and that has at most that
    share of the lesion's area, is a piece of it where the lesion has another region on the frame.
    again_alike, again_affinity: the probe came back to a lesion where the tissue of both frames is so much alike and
    the lesion, moved as they say, fits so well. This holds over any gap, for going back over the same tissue shows the
    same pictures in reverse. again_most: so many tracks of a panel are compared at most.
    """

    dense_gap: int = 5
    sparse_gap: int = 16
    sparse_missed: int = 1
    reach_still: float = 0.5
    reach_per_frame: float = 0.06
    reach_most: float = 1.0
    least_affinity: float = 0.1
    other_contrast: float = 1.0
    other_size: float = 20.0
    piece_within: float = 0.7
    piece_size: float = 0.5
    again_alike: float = 0.75
    again_affinity: float = 0.9
    again_most: int = 32


LINK_RULES: Final = LinkRules()


@dataclass(frozen=True, slots=True)
class Track:
    """One lesion over a sequence: its members in frame order, several of a frame where its outline fell into pieces.

    before, after: ids of the assessable frames next to its first and its last member; None where there is none.
    """

    sequence_id: str
    organ: Organ
    laterality: Side | None
    panel: int
    members: tuple[MemberKey, ...]
    before: str | None = None
    after: str | None = None


@dataclass(slots=True)
class _Open:
    """A track while frames still come. seen: the largest region of each frame that shows it, by the frame's place.

    first, last: the lowest and the highest of these places.
    """

    members: list[MemberKey]
    seen: dict[int, Region]
    first: int
    last: int


@dataclass(slots=True)
class _Lane:
    """What is linked among itself: one panel of one sequence. frames: the sequence's assessable ones."""

    frames: Sequence[FrameSegmented]
    path: TissuePath
    tracks: list[_Open] = field(default_factory=list)


def link(results: Iterable[FrameSegmented], rules: LinkRules = LINK_RULES) -> list[Track]:
    """The tracks of these results, ordered by their lowest member.

    Every region of an assessable frame belongs to exactly one track; those of other frames to none. Tracks stay
    within a sequence, organ, side and panel. The order of the results does not matter. Frames are taken in the
    order of their index; each frame's regions join the open tracks best first. Then pieces join the region that they
    belong to, and tracks join that show the same place before and after the probe turned back.
    Raises ValueError where two results are of the same frame.
    """
    ordered = sorted(results, key=lambda result: (result.sequence_id, result.frame_index))
    if len({result.frame_id for result in ordered}) < len(ordered):
        raise ValueError("two results are of the same frame")
    tracks: list[Track] = []
    for _, frames in groupby(ordered, key=lambda result: result.sequence_id):
        tracks += _link_sequence([frame for frame in frames if frame.assessable], rules)
    return sorted(tracks, key=lambda track: track.members[0])


def panel_side(result: FrameSegmented, panel: int) -> Side | None:
    """The side that a panel shows: its own where the panel says so, else the frame's."""
    own = result.panels[panel].laterality if panel < len(result.panels) else None
    return own or result.laterality


def _link_sequence(frames: Sequence[FrameSegmented], rules: LinkRules) -> list[Track]:
    lanes: dict[tuple[Organ, Side | None, int], _Lane] = {}
    for place, frame in enumerate(frames):
        regions = sorted(frame.regions, key=lambda region: (region.panel, region.ordinal))
        for panel, shown in groupby(regions, key=lambda region: region.panel):
            key = (frame.organ, panel_side(frame, panel), panel)
            if key not in lanes:
                lanes[key] = _Lane(frames, TissuePath(frames, panel))
            _extend(lanes[key], place, list(shown), rules)
    return [
        Track(
            frames[0].sequence_id,
            organ,
            side,
            panel,
            tuple(sorted(track.members)),
            frames[track.first - 1].frame_id if track.first else None,
            frames[track.last + 1].frame_id if track.last + 1 < len(frames) else None,
        )
        for (organ, side, panel), lane in lanes.items()
        for track in _rejoined(lane, rules)
    ]


def _extend(lane: _Lane, place: int, regions: list[Region], rules: LinkRules) -> None:
    """Give each region to the open track that it fits best, or to the one of which it is a piece, or to a new one."""
    frame = lane.frames[place]
    offers: list[tuple[float, MemberKey, int, int]] = []
    moved: dict[int, Offset] = {}
    for number, track in enumerate(lane.tracks):
        gap, missed = frame.frame_index - lane.frames[track.last].frame_index, place - track.last - 1
        if gap > rules.dense_gap and (gap > rules.sparse_gap or missed > rules.sparse_missed):
            continue
        by = moved[number] = lane.path.offset(track.last, place)
        for ordinal, region in enumerate(regions):
            fit = affinity(track.seen[track.last], region, gap, rules, by)
            if fit >= rules.least_affinity:
                offers.append((-fit / (1 + missed), track.members[0], number, ordinal))
    owner: dict[int, _Open] = {}
    taken: set[int] = set()
    for _, _, number, ordinal in sorted(offers):
        if number not in taken and ordinal not in owner:
            taken.add(number)
            track, region = lane.tracks[number], regions[ordinal]
            before = track.seen[track.last], moved[number]
            owner[ordinal] = track
            track.members.append((frame.frame_id, region.ordinal))
            for other, piece in enumerate(regions):
                if other not in owner and _is_piece(piece, *before, rules) and not _wanted(other, number, offers):
                    owner[other] = track
                    track.members.append((frame.frame_id, piece.ordinal))
            own = [each for at, each in enumerate(regions) if owner.get(at) is track]
            track.seen[place], track.last = max(own, key=lambda each: each.area_px), place
    for ordinal, region in enumerate(regions):
        if ordinal not in owner:
            lane.tracks.append(_Open([(frame.frame_id, region.ordinal)], {place: region}, place, place))


def _wanted(ordinal: int, number: int, offers: Iterable[tuple[float, MemberKey, int, int]]) -> bool:
    """Whether another track than `number` could go on with this region: it is then no piece of that one."""
    return any(place == ordinal and track != number for _, _, track, place in offers)


def _is_piece(piece: Region, whole: Region, by: Offset, rules: LinkRules) -> bool:
    shared = _shared(whole, piece, by) / (piece.box[2] * piece.box[3])
    return shared >= rules.piece_within and piece.area_px <= rules.piece_size * whole.area_px


def _rejoined(lane: _Lane, rules: LinkRules) -> list[_Open]:
    """The lane's tracks, those that show one place again joined, the best fit first.

    Only the `again_most` longest tracks of two frames and more are compared, so that the time is bounded.
    """
    longest = sorted(lane.tracks, key=lambda track: (-len(track.seen), track.members[0]))[: rules.again_most]
    compared = [track for track in longest if len(track.seen) > 1]
    offers = [
        (-fit, one.members[0], first, second)
        for first, one in enumerate(compared)
        for second, other in enumerate(compared)
        if one.last < other.first and (fit := _again(lane, one, other, rules)) is not None
    ]
    before: dict[int, int] = {}
    for _, _, first, second in sorted(offers):
        if first not in before.values() and second not in before:
            before[second] = first
    joined = {id(track): track for track in lane.tracks}
    for second in sorted(before, key=lambda place: compared[place].first, reverse=True):
        one, other = compared[before[second]], compared[second]
        one.members += other.members
        one.seen.update(other.seen)
        one.last = other.last
        del joined[id(other)]
    return list(joined.values())


def _again(lane: _Lane, one: _Open, other: _Open, rules: LinkRules) -> float | None:
    """How well the later track fits the end of the other one, where both frames show the same tissue; else None."""
    seen = lane.path.direct(one.last, other.first)
    if seen is None or seen[1] < rules.again_alike:
        return None
    fit = affinity(one.seen[one.last], other.seen[other.first], 0, rules, seen[0])
    return fit if fit >= rules.again_affinity else None


def affinity(one: Region, other: Region, gap: int, rules: LinkRules = LINK_RULES, by: Offset = STILL) -> float:
    """How well two regions `gap` frames apart fit together: box IoU plus closeness of centres, times likeness, 0 to 2.

    by: how far the tissue moved between them; `one` is moved with it.
    """
    (_, _, width, height), (_, _, width2, height2) = one.box, other.box
    size = (math.sqrt(width * height) + math.sqrt(width2 * height2)) / 2
    reach = size * min(rules.reach_still + rules.reach_per_frame * gap, rules.reach_most)
    distance = math.hypot(one.centroid[0] + by[0] - other.centroid[0], one.centroid[1] + by[1] - other.centroid[1])
    return (box_overlap(one, other, by) + max(1 - distance / reach, 0.0)) * _likeness(one, other, rules)


def _likeness(one: Region, other: Region, rules: LinkRules) -> float:
    """How much two regions look alike, by contrast and area: 1 where they are equal, 0 where a rule says so."""
    apart = abs(math.log(one.area_px / other.area_px)) / math.log(rules.other_size)
    if one.measures.contrast is not None and other.measures.contrast is not None:
        apart = max(apart, abs(one.measures.contrast - other.measures.contrast) / rules.other_contrast)
    return max(1 - apart * apart, 0.0)


def box_overlap(one: Region, other: Region, by: Offset = STILL) -> float:
    """IoU of the boxes of two regions once the first is moved."""
    (_, _, width, height), (_, _, width2, height2) = one.box, other.box
    shared = _shared(one, other, by)
    return shared / (width * height + width2 * height2 - shared)


def _shared(one: Region, other: Region, by: Offset) -> float:
    """Pixels that the boxes have in common once the first is moved."""
    (left, top, width, height), (left2, top2, width2, height2) = one.box, other.box
    moved_left, moved_top = left + by[0], top + by[1]
    across = max(min(moved_left + width, left2 + width2) - max(moved_left, left2), 0)
    down = max(min(moved_top + height, top2 + height2) - max(moved_top, top2), 0)
    return across * down
