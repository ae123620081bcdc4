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
from sonovan.contracts.results import Finding, IntendedUse, ScreeningAssessed, Sighting

SUSPICIOUS_LESION: Final = "suspicious_lesion"
"""The rule's name in alerts: a lesion that the heads call suspicious, by score or by word, whatever its size."""
PERSISTENT_LESION: Final = "persistent_lesion"
"""The rule's name in alerts: a region linked over enough frames, large enough, scored highly enough."""

MALIGNANT_SCORE: Final = "malignant_score"
"""The probability of malignancy that reaches the site's threshold; shown under `decision_support` alone."""
SUSPICIOUS_WORD: Final = "suspicious_word"
"""A word of the lexicon that was read off reliable outlines, spelled as `sonovan.reports.phrases.shape.lexicon_key`."""

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
        SUSPICIOUS_WORD,
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
"""Codes that are shown whatever the intended use: descriptors, counts, sizes, scores of the outline, and what became of
a finding. The probability of malignancy is not among them (docs/decisions/0011)."""


SUSPICIOUS_WORDS: Final = (
    "breast.margin.spiculated",
    "breast.orientation.not_parallel",
    "thyroid.shape.taller_than_wide",
    "thyroid.margin.extrathyroidal_extension",
    "thyroid.echogenicity.very_hypoechoic",
    "thyroid.echogenicity.markedly_hypoechoic",
    "thyroid.echogenic_foci.punctate_echogenic_foci",
    "thyroid.calcifications.microcalcification",
)
"""Words that are enough by themselves, as `organ.term.word`.

Of a breast lesion the two of the highest predictive value (86 and 69 %: Hong et al., AJR 184:1260, 2005); an irregular
shape and a margin that is not circumscribed are said of too many benign lesions (docs/decisions/0052). Of a thyroid
nodule, for which no network gives a malignant score, every word that has three points in ACR TI-RADS (Tessler 2017)."""


@dataclass(frozen=True, slots=True)
class AlertSettings:
    """When the rules fire; every number is the least that fires.

    `suspicious_lesion`: min_malignant is held against the finding's `malignant`, the mean over its three most
    suspicious reliable frames; suspicious_words are those that are enough by themselves, each as `organ.term.word`.
    The default was chosen on validation pictures (docs/decisions/0052), of which about a third is malignant: a site
    that screens chooses its own.

    `persistent_lesion`: a finding meets it where one of its sightings, by itself, meets all: frames of several sweeps
    do not add up. min_area_mm2 holds where the scale is known, min_area_px where it is not. min_score is held against
    the sighting's `score_mean` (the mean over its best members).
    Defaults, for a site to confirm on its own sweeps: three frames, so that no single frame's error calls anybody;
    12 mm², about 4 mm across, just below the 5 mm from which ACR TI-RADS follows a nodule at all (Tessler 2017);
    200 px, about as much on a usual screen (0.25 mm per pixel).
    """

    min_malignant: float = 0.35
    suspicious_words: tuple[str, ...] = SUSPICIOUS_WORDS
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


def suspicious_lesions(assessed: ScreeningAssessed, settings: AlertSettings) -> Iterator[tuple[About, Reasons]]:
    """Every finding of the revision that meets `suspicious_lesion`, in the revision's order."""
    for finding in assessed.findings:
        reasons = why_suspicious(finding, settings)
        if reasons:
            yield _about(finding), reasons


def why_suspicious(finding: Finding, settings: AlertSettings) -> Reasons:
    """Why this finding meets `suspicious_lesion`; empty where it does not.

    It has no floor of size or frames: a still is one frame. Score and words rest on reliable outlines alone
    (`sonovan.clinical.descriptors`), so that a finding without one never meets it: `persistent_lesion` tells of it.
    """
    reasons = []
    if finding.malignant is not None and finding.malignant >= settings.min_malignant:
        reasons.append(Because(code=MALIGNANT_SCORE, value=finding.malignant, unit="1"))
    for each in finding.descriptors:
        word = f"{finding.organ}.{each.name}.{each.value}"
        if word in settings.suspicious_words:
            reasons.append(Because(code=SUSPICIOUS_WORD, value=word))
    if not reasons:
        return ()
    return (*reasons, Because(code=FRAMES_OUTLINED, value=finding.frame_count), _size(finding.best), *_doubts(finding))


def persistent_lesions(assessed: ScreeningAssessed, settings: AlertSettings) -> Iterator[tuple[About, Reasons]]:
    """Every finding of the revision that meets `persistent_lesion`, in the revision's order."""
    for finding in assessed.findings:
        reasons = why_persistent(finding, settings)
        if reasons:
            yield _about(finding), reasons


def why_persistent(finding: Finding, settings: AlertSettings) -> Reasons:
    """Why this finding meets `persistent_lesion`; empty where it does not.

    A finding that is `unconfirmed`, or whose outlines are unreliable, meets it all the same, and the reasons name that.
    """
    for sighting in finding.in_order:
        size = _size(sighting)
        large = sighting.area_px >= settings.min_area_px
        if sighting.area_mm2 is not None:
            large = sighting.area_mm2 >= settings.min_area_mm2
        if sighting.frame_count >= settings.min_frames and large and sighting.score_mean >= settings.min_score:
            score = Because(code=MEAN_SCORE, value=sighting.score_mean, unit="1")
            return (Because(code=FRAMES_OUTLINED, value=sighting.frame_count), size, score, *_doubts(finding))
    return ()


def withhold_alert(alert: LesionAlerted, intended_use: IntendedUse) -> LesionAlerted:
    """`alert` as it may leave the centre: reasons outside `ALWAYS_SHOWN` go under `decision_support` alone."""
    shown = tuple(each for each in alert.because if each.code in ALWAYS_SHOWN)
    if intended_use == "decision_support" or shown == alert.because:
        return alert
    return alert.model_copy(update={"because": shown, "withheld": True})


def _about(finding: Finding) -> AboutFinding:
    return AboutFinding(finding_id=finding.finding_id, organ=finding.organ, laterality=finding.laterality)


def _size(sighting: Sighting) -> Because:
    if sighting.area_mm2 is not None:
        return Because(code=KEY_FRAME_AREA, value=sighting.area_mm2, unit="mm2")
    return Because(code=KEY_FRAME_AREA_PX, value=sighting.area_px)


def _doubts(finding: Finding) -> Iterator[Because]:
    doubts = ((UNCONFIRMED, finding.unconfirmed), (OUTLINE_UNRELIABLE, finding.outline_unreliable))
    return (Because(code=code) for code, holds in doubts if holds)


RULES: Final[tuple[AlertRule, ...]] = (
    AlertRule(name=SUSPICIOUS_LESION, severity="suspicious", about="finding", find=suspicious_lesions),
    AlertRule(name=PERSISTENT_LESION, severity="worklist", about="finding", find=persistent_lesions),
)
"""The rules that the centre runs, in the order in which their alerts are raised."""
