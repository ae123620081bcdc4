"""Lesions of which only a part was seen: the sweep ended on one, or it lies at the edge of every picture.

What lies beyond was not looked at, so its side is seen with a doubt, and the van is told while the woman is there.
Source: ACR practice parameter for the breast ultrasound examination: a lesion is swept through completely.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sonovan.clinical.lesions import region_of
from sonovan.contracts.frames import FrameSegmented
from sonovan.contracts.results import Adequacy, Finding, Level, Sighting

ENDED_ON_LESION: Final = "sweep_ended_on_lesion"
"""The reason that a row is limited at best: a sweep begins or ends where a lesion is still large."""
AT_EDGE_ONLY: Final = "lesion_at_edge_only"
"""The reason that a row is limited at best: the edge of the scan cuts a lesion on every frame that shows it."""

SEEN_PARTLY: Final = frozenset({ENDED_ON_LESION, AT_EDGE_ONLY})


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
    """
    told = [(each, why) for each in findings if (why := _reasons(each, results, ends, whole, rules))]
    return tuple(_row(row, told) for row in rows)


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


def _row(row: Adequacy, told: Sequence[tuple[Finding, frozenset[str]]]) -> Adequacy:
    reasons = frozenset[str]().union(*(why for finding, why in told if _shows(row, finding)))
    if not reasons:
        return row
    lowered: dict[Level, Level] = {"adequate": "limited", "usable": "limited"}
    level = lowered.get(row.level, row.level)
    return row.model_copy(update={"reasons": (*row.reasons, *sorted(reasons)), "level": level})


def _shows(row: Adequacy, finding: Finding) -> bool:
    """Whether the finding lies in what the row is about."""
    if finding.organ != row.organ or row.laterality not in (None, finding.laterality):
        return False
    return row.region is None or any(row.region in (each.position, each.view) for each in finding.sightings)
