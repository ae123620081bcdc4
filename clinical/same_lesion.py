"""Which tracks of several sweeps or views show one lesion: at the same place, as deep, of the same size, and no other.

Two sweeps never prove that they show one lesion: what is joined says so with its reasons, and a reader parts it again.
Joined too seldom a lesion is listed twice; joined wrongly one lesion hides behind another. So nothing is joined without
a position that somebody recorded, and nothing where two lesions could be meant.
Source of the practice: ACR BI-RADS Atlas, 5th ed., ultrasound: a lesion is documented in two orthogonal views, and
named by side, clock position and distance from the nipple. The numbers are the project's own, for a site to confirm.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

from sonovan.clinical.lesions import Lesion, region_of
from sonovan.clinical.track import Track
from sonovan.contracts.because import Because
from sonovan.contracts.frames import FrameSegmented, Region
from sonovan.contracts.lexicon import Position, View

TWO_VIEWS: Final = "seen_in_two_views"
"""The lesion is taken for the same in two views of one place; `value` is the position."""
TWO_SWEEPS: Final = "seen_in_two_sweeps"
"""The lesion is taken for the same in two sweeps of one place; `value` is the position."""
DEPTH_APART: Final = "depth_apart"
DEPTH_SHARE_APART: Final = "depth_share_apart"
SIZE_APART: Final = "size_apart"
MAY_BE_TWO: Final = "may_be_two_lesions"
"""Nothing but place, depth and size says that it is one."""


@dataclass(frozen=True, slots=True)
class SameLesionRules:
    """When tracks of two sweeps are one lesion.

    depth_mm, depth_share: how much deeper one may lie than the other, the larger of both counts; a probe that is
    pressed harder makes everything shallower by a fifth. depth_of_view: the same as a share of the scan's depth, where
    no scale is known. longer: how many times as long one may be as the other on the frames that show them largest; two
    orthogonal sections of an oval lesion differ by as much as its axes. frames: a track has so many frames at least,
    unless its sequence has fewer. most: where more tracks than this are at one place, nobody can tell which is which.
    """

    depth_mm: float = 4.0
    depth_share: float = 0.25
    depth_of_view: float = 0.08
    longer: float = 1.8
    frames: int = 2
    most: int = 100


SAME_LESION_RULES: Final = SameLesionRules()


@dataclass(frozen=True, slots=True)
class _Shown:
    """A track as its largest region shows it. place: of all tracks, its number. lasting: it may be joined."""

    number: int
    track: Track
    frame: FrameSegmented
    region: Region
    lasting: bool


def lesions_of(
    tracks: Iterable[Track], results: Mapping[str, FrameSegmented], rules: SameLesionRules = SAME_LESION_RULES
) -> list[Lesion]:
    """The lesions that these tracks show, in the order of their first tracks; each track belongs to one.

    results: at least the frames of the tracks, by frame id. Tracks are joined in pairs: both on the same side, at the
    same recorded position, in two sequences or two panels, alike in depth and size as the rules say, and each the only
    one of its sequence and panel that the other fits. Where three or more fit each other pairwise, all are one lesion.
    """
    found = list(tracks)
    lengths: dict[str, int] = {}
    for result in results.values():
        lengths[result.sequence_id] = lengths.get(result.sequence_id, 0) + result.assessable
    shown = [_shown(number, track, results, lengths, rules) for number, track in enumerate(found)]
    pairs: dict[frozenset[int], tuple[Because, ...]] = {}
    for there in _by_place(shown):
        for one, other in combinations(there, 2) if len(there) <= rules.most else ():
            why = _why_same(one, other, rules)
            if why:
                pairs[frozenset((one.number, other.number))] = why
    owner = _groups(range(len(found)), _unique(pairs, found))
    lesions: list[Lesion] = []
    for group in dict.fromkeys(tuple(sorted(members)) for members in owner.values()):
        because = [each for other in group[1:] for each in pairs[frozenset((group[0], other))]]
        doubt = (Because(code=MAY_BE_TWO),) if because else ()
        lesions.append(Lesion(tuple(found[number] for number in group), (*dict.fromkeys(because), *doubt)))
    return lesions


def _shown(
    number: int,
    track: Track,
    results: Mapping[str, FrameSegmented],
    lengths: Mapping[str, int],
    rules: SameLesionRules,
) -> _Shown:
    members = [(results[name], region_of(results[name], ordinal)) for name, ordinal in track.members]
    frame, region = max(members, key=lambda each: (each[1].area_px, -each[0].frame_index))
    frames = len({name for name, _ in track.members})
    lasting = frames >= min(rules.frames, lengths[track.sequence_id])
    return _Shown(number, track, frame, region, lasting)


def _by_place(shown: Iterable[_Shown]) -> list[list[_Shown]]:
    """The tracks that may be joined, by organ, side and position: nothing without side or position is among them."""
    places: dict[tuple[str, str, str], list[_Shown]] = {}
    for each in shown:
        side, position = each.track.laterality, each.frame.position
        if each.lasting and side is not None and position is not None:
            places.setdefault((each.track.organ, side, position), []).append(each)
    return list(places.values())


def _why_same(one: _Shown, other: _Shown, rules: SameLesionRules) -> tuple[Because, ...]:
    """Why both, of one place, may be one lesion; empty where they are not taken for one."""
    first, second = one.track, other.track
    if (first.sequence_id, first.panel) == (second.sequence_id, second.panel):
        return ()
    position = one.frame.position
    depth, size = _depth_apart(one.region, other.region, rules), _size_apart(one, other, rules)
    if position is None or depth is None or size is None:
        return ()
    return (_together(position, one.frame.view, other.frame.view), depth, size)


def _together(position: Position, view: View | None, other: View | None) -> Because:
    two_views = view is not None and other is not None and view != other
    return Because(code=TWO_VIEWS if two_views else TWO_SWEEPS, value=position)


def _depth_apart(one: Region, other: Region, rules: SameLesionRules) -> Because | None:
    if one.place is None or other.place is None or one.place.origin != other.place.origin:
        return None
    if one.place.depth_mm is not None and other.place.depth_mm is not None:
        apart = round(abs(one.place.depth_mm - other.place.depth_mm), 1)
        most = max(rules.depth_mm, rules.depth_share * max(one.place.depth_mm, other.place.depth_mm))
        return Because(code=DEPTH_APART, value=apart, unit="mm") if apart <= most else None
    apart = round(abs(one.place.depth_share - other.place.depth_share), 3)
    return Because(code=DEPTH_SHARE_APART, value=apart, unit="1") if apart <= rules.depth_of_view else None


def _size_apart(one: _Shown, other: _Shown, rules: SameLesionRules) -> Because | None:
    """How many times as long the longer is; in pixels only where both frames have one size and no scale."""
    first, second = one.region.measures, other.region.measures
    if first.long_axis_mm and second.long_axis_mm:
        lengths = (first.long_axis_mm, second.long_axis_mm)
    elif (one.frame.rows, one.frame.columns) == (other.frame.rows, other.frame.columns):
        lengths = (first.long_axis_px, second.long_axis_px)
    else:
        return None
    times = round(max(lengths) / min(lengths), 2)
    return Because(code=SIZE_APART, value=times, unit="1") if times <= rules.longer else None


def _unique(pairs: Mapping[frozenset[int], tuple[Because, ...]], tracks: Sequence[Track]) -> list[tuple[int, int]]:
    """The pairs of which neither fits another track of the other one's sequence and panel, lowest first."""
    fits: dict[tuple[int, str, int], int] = {}
    for pair in pairs:
        one, other = sorted(pair)
        for own, its in ((one, other), (other, one)):
            key = (own, tracks[its].sequence_id, tracks[its].panel)
            fits[key] = fits.get(key, 0) + 1
    chosen = []
    for pair in pairs:
        one, other = sorted(pair)
        there = (one, tracks[other].sequence_id, tracks[other].panel)
        back = (other, tracks[one].sequence_id, tracks[one].panel)
        if fits[there] == fits[back] == 1:
            chosen.append((one, other))
    return sorted(chosen)


def _groups(numbers: Iterable[int], pairs: Sequence[tuple[int, int]]) -> dict[int, frozenset[int]]:
    """To which group each track belongs: two groups become one where every two of their tracks are a pair."""
    allowed = {frozenset(pair) for pair in pairs}
    owner = {number: frozenset((number,)) for number in numbers}
    for one, other in pairs:
        both = owner[one] | owner[other]
        if owner[one] != owner[other] and all(frozenset(pair) in allowed for pair in combinations(both, 2)):
            owner.update(dict.fromkeys(both, both))
    return owner
