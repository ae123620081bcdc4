"""Which findings, sides, screenings and vans somebody must be told of: a list of rules, each a pure function.

A rule reads one revision and gives, for everything that it fires for, what the alert is about and why, as codes with
figures. Another rule is another entry of `RULES`; its codes need words in `sonovan.reports`, and those that may be
shown under every intended use stand in `ALWAYS_SHOWN`.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from sonovan.contracts.alerts import About, AboutFinding, AboutKind, LesionAlerted, Severity
from sonovan.contracts.because import Because
from sonovan.contracts.results import Finding, IntendedUse, ScreeningAssessed

PERSISTENT_LESION: Final = "persistent_lesion"
"""The rule's name in alerts: a region linked over enough frames, large enough, scored highly enough."""

FRAMES_OUTLINED: Final = "frames_outlined"
KEY_FRAME_AREA: Final = "key_frame_area"
KEY_FRAME_AREA_PX: Final = "key_frame_area_px"
MEAN_SCORE: Final = "mean_score"
UNCONFIRMED: Final = "unconfirmed"
"""On none of the finding's frames did the network's second step, the decoder that draws outlines, draw it."""
OUTLINE_UNRELIABLE: Final = "outline_unreliable"
"""On none of the finding's frames is the outline reliable: what is in it is for a reader to say."""

FINDING_MERGED: Final = "finding_merged"
FINDING_WITHDRAWN: Final = "finding_withdrawn"
RULE_NO_LONGER_MET: Final = "rule_no_longer_met"

ALWAYS_SHOWN: Final = frozenset(
    {
        FRAMES_OUTLINED,
        KEY_FRAME_AREA,
        KEY_FRAME_AREA_PX,
        MEAN_SCORE,
        UNCONFIRMED,
        OUTLINE_UNRELIABLE,
        FINDING_MERGED,
        FINDING_WITHDRAWN,
        RULE_NO_LONGER_MET,
    }
)
"""Codes that are shown whatever the intended use: counts, sizes, scores, and what became of a finding."""


@dataclass(frozen=True, slots=True)
class AlertSettings:
    """When `persistent_lesion` fires; every value is the least that fires.

    A finding meets it where one of its sightings, by itself, meets all of them: frames of several sweeps do not add up.
    min_area_mm2 holds where the scale is known, min_area_px where it is not. min_score is held against the sighting's
    `score_mean` (the mean over its best members).
    Defaults, for a site to confirm on its own sweeps: three frames, so that no single frame's error calls anybody;
    12 mm², about 4 mm across, just below the 5 mm from which ACR TI-RADS follows a nodule at all (Tessler 2017);
    200 px, about as much on a usual screen (0.25 mm per pixel).
    """

    min_frames: int = 3
    min_area_mm2: float = 12.0
    min_area_px: int = 200
    min_score: float = 0.6


Reasons = tuple[Because, ...]


@dataclass(frozen=True, slots=True)
class AlertRule:
    """One rule.

    name: goes into alerts and their ids. about: the kind of thing that every alert of this rule is about.
    find: a revision and the site's numbers to one (what it is about, why) for each alert that must stand; nothing
    where the rule is not met. It must give the same for the same revision.
    """

    name: str
    severity: Severity
    about: AboutKind
    find: Callable[[ScreeningAssessed, AlertSettings], Iterable[tuple[About, Reasons]]]


def persistent_lesions(assessed: ScreeningAssessed, settings: AlertSettings) -> Iterator[tuple[About, Reasons]]:
    """Every finding of the revision that meets `persistent_lesion`, in the revision's order."""
    for finding in assessed.findings:
        reasons = why_persistent(finding, settings)
        if reasons:
            about = AboutFinding(finding_id=finding.finding_id, organ=finding.organ, laterality=finding.laterality)
            yield about, reasons


def why_persistent(finding: Finding, settings: AlertSettings) -> Reasons:
    """Why this finding meets `persistent_lesion`; empty where it does not.

    A finding that is `unconfirmed`, or whose outlines are unreliable, meets it all the same, and the reasons name that.
    """
    for sighting in finding.in_order:
        if sighting.area_mm2 is not None:
            large, size = sighting.area_mm2 >= settings.min_area_mm2, _area_mm2(sighting.area_mm2)
        else:
            large = sighting.area_px >= settings.min_area_px
            size = Because(code=KEY_FRAME_AREA_PX, value=sighting.area_px)
        if sighting.frame_count >= settings.min_frames and large and sighting.score_mean >= settings.min_score:
            score = Because(code=MEAN_SCORE, value=sighting.score_mean, unit="1")
            doubts = ((UNCONFIRMED, finding.unconfirmed), (OUTLINE_UNRELIABLE, finding.outline_unreliable))
            named = (Because(code=code) for code, holds in doubts if holds)
            return (Because(code=FRAMES_OUTLINED, value=sighting.frame_count), size, score, *named)
    return ()


def withhold_alert(alert: LesionAlerted, intended_use: IntendedUse) -> LesionAlerted:
    """`alert` as it may leave the centre: reasons outside `ALWAYS_SHOWN` go under `decision_support` alone."""
    shown = tuple(each for each in alert.because if each.code in ALWAYS_SHOWN)
    if intended_use == "decision_support" or shown == alert.because:
        return alert
    return alert.model_copy(update={"because": shown, "withheld": True})


def _area_mm2(area: float) -> Because:
    return Because(code=KEY_FRAME_AREA, value=area, unit="mm2")


RULES: Final[tuple[AlertRule, ...]] = (
    AlertRule(name=PERSISTENT_LESION, severity="worklist", about="finding", find=persistent_lesions),
)
"""The rules that the centre runs, in the order in which their alerts are raised."""
