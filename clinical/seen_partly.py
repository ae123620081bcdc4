"""Lesions of which only a part was seen: the sweep ended on one, or it lies at the edge of every picture.

What lies beyond was not looked at, so its side is seen with a doubt, and the van is told while the woman is there.
Source: ACR practice parameter for the breast ultrasound examination: a lesion is swept through completely.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sonovan.clinical.lesions import region_of
from sonovan.clinical.track import panel_side
from sonovan.contracts.frames import FrameSegmented
from sonovan.contracts.lexicon import Organ, Side
from sonovan.contracts.results import Adequacy, Finding, Level, Sighting

ENDED_ON_LESION: Final = "sweep_ended_on_lesion"
"""The reason that a row is limited at best: a sweep begins or ends where a lesion is still large."""
AT_EDGE_ONLY: Final = "lesion_at_edge_only"
"""The reason that a row is limited at best: the edge of the scan cuts a lesion on every frame that shows it."""

SEEN_PARTLY: Final = frozenset({ENDED_ON_LESION, AT_EDGE_ONLY})

_Place = tuple[Organ, Side | None, str]
"""An organ, a side and a view, position or region of it."""


@dataclass(frozen=True, slots=True)
class SeenPartlyRules:
    """Which findings count: one that a site would call noise must not send anybody back to the couch.

    frames: on so many frames at least. track_score: so sure at least (`sonovan.clinical.track_score`).
    large: on the first or last assessable frame it has this share of its largest area; a lesion that is nearly passed
    is smaller there.
    """

    frames: int = 3
    track_score: float = 0.7
    large: float = 0.5


SEEN_PARTLY_RULES: Final = SeenPartlyRules()


def with_lesions_seen_partly(
    rows: Sequence[Adequacy],
    findings: Iterable[Finding],
    results: Mapping[str, FrameSegmented],
    ends: Mapping[str, tuple[int, int]],
    whole: Collection[str],
    rules: SeenPartlyRules = SEEN_PARTLY_RULES,
) -> tuple[Adequacy, ...]:
    """The rows with these reasons; `adequate` and `usable` become `limited` by them.

    results: all of the screening's, by frame id; ends: of their sequences (`sonovan.clinical.key_frame.sequence_ends`).
    whole: the sequences of which every frame is accounted for; of others
    nobody knows yet where they end. A lesion that another sighting shows whole is no reason.
    A row about a region that no frame names was judged by all frames of its side (`adequacy.judge_adequacy`): a lesion
    that lies in none of the regions by what its frames name speaks against each such row.
    """
    told = [(each, why) for each in findings if (why := _reasons(each, results, ends, whole, rules))]
    if not told:
        return tuple(rows)
    named = _named_in(results.values())
    regions = {(row.organ, row.laterality, row.region) for row in rows if row.region is not None}
    return tuple(_row(row, told, named, regions) for row in rows)


def _reasons(
    finding: Finding,
    results: Mapping[str, FrameSegmented],
    ends: Mapping[str, tuple[int, int]],
    whole: Collection[str],
    rules: SeenPartlyRules,
) -> frozenset[str]:
    """Why nobody has seen all of it: what holds of each of its sightings, as far as it can be told."""
    counted = [
        each for each in finding.sightings if each.frame_count >= rules.frames and each.track_score >= rules.track_score
    ]
    if not counted or any(each.sequence_id not in whole for each in counted):
        return frozenset()
    parts = [_parts(each, results, ends[each.sequence_id], rules) for each in counted]
    return frozenset[str]().union(*parts) if all(parts) else frozenset()


def _parts(
    sighting: Sighting, results: Mapping[str, FrameSegmented], ends: tuple[int, int], rules: SeenPartlyRules
) -> frozenset[str]:
    shown = [(results[each.frame_id], region_of(results[each.frame_id], each.ordinal)) for each in sighting.members]
    least = rules.large * max(region.area_px for _, region in shown)
    ended = ends[0] < ends[1] and any(frame.frame_index in ends and region.area_px >= least for frame, region in shown)
    cut = all(region.cut for _, region in shown)
    return frozenset(reason for reason, holds in ((ENDED_ON_LESION, ended), (AT_EDGE_ONLY, cut)) if holds)


def _named_in(frames: Iterable[FrameSegmented]) -> frozenset[_Place]:
    """The views and positions that frames name, each with the organ and every side that the frame shows."""
    return frozenset(
        (frame.organ, side, place)
        for frame in frames
        for side in {panel_side(frame, panel.ordinal) for panel in frame.panels} or {frame.laterality}
        for place in (frame.view, frame.position)
        if place is not None
    )


def _row(
    row: Adequacy,
    told: Sequence[tuple[Finding, frozenset[str]]],
    named: Collection[_Place],
    regions: Collection[_Place],
) -> Adequacy:
    reasons = frozenset[str]().union(*(why for finding, why in told if _may_lie_in(row, finding, named, regions)))
    if not reasons:
        return row
    lowered: dict[Level, Level] = {"adequate": "limited", "usable": "limited"}
    level = lowered.get(row.level, row.level)
    return row.model_copy(update={"reasons": (*row.reasons, *sorted(reasons)), "level": level})


def _may_lie_in(row: Adequacy, finding: Finding, named: Collection[_Place], regions: Collection[_Place]) -> bool:
    """Whether the finding lies in what the row is about, or may, since nobody said in which of its side's regions.

    named: as `_named_in` gives them. regions: those that rows are about.
    """
    if finding.organ != row.organ or row.laterality not in (None, finding.laterality):
        return False
    if row.region is None:
        return True
    places = [{each.position, each.view} for each in finding.sightings]
    if any(row.region in each for each in places):
        return True
    of_side = {region for organ, side, region in regions if (organ, side) == (row.organ, row.laterality)}
    own_frames = any(
        (organ, place) == (row.organ, row.region) and row.laterality in (None, side) for organ, side, place in named
    )
    served = not own_frames and row.frames > 0 and "nothing_assessable" not in row.reasons
    return served and any(each.isdisjoint(of_side) for each in places)
