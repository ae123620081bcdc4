"""Which findings, sides, screenings and vans somebody must be told of: a list of rules, each a pure function.

A rule reads one revision and gives, for everything that it fires for, what the alert is about and why, as codes with
figures. Another rule is another class in `alert_settings`, for its numbers, and another line of `rules_of`; its codes
need words in `sonovan.reports`, and those that may be shown under every intended use stand in `ALWAYS_SHOWN`.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

from sonovan.clinical.adequacy import reasons_of
from sonovan.clinical.advice import NOT_HERE, SCAN_AGAIN
from sonovan.clinical.alert_settings import AlertSettings, PersistentLesion, Rule, SuspiciousLesion
from sonovan.clinical.comparison import GREW_IN_DIAMETER, WITHIN_SIX_MONTHS
from sonovan.clinical.course import Course
from sonovan.clinical.course_rules import (
    GROWTH_CHANGED,
    NO_OUTCOME_FOR,
    OUTCOME_KNOWN,
    REPORT_SIGNED,
    SIGNED_CATEGORY,
    SIGNED_CATEGORY_CHANGED,
    UNSIGNED_FOR,
    WOMAN_CHANGED,
)
from sonovan.clinical.nodules import GREW_IN_TWO, GREW_IN_VOLUME
from sonovan.clinical.referral import DIAGNOSTIC_REFERRAL, LUMPS, SIGN
from sonovan.clinical.same_lesion import MAY_BE_TWO
from sonovan.contracts.alerts import About, AboutFinding, AboutKind, AboutSide, LesionAlerted, Severity, ToldOf
from sonovan.contracts.because import Because
from sonovan.contracts.results import Finding, IntendedUse, ScreeningAssessed, Sighting

SUSPICIOUS_LESION: Final = "suspicious_lesion"
"""The rule's name in alerts: a lesion that the heads call suspicious, by score or by word, whatever its size."""
NOT_RESCANNED: Final = "not_rescanned"
"""The rule's name in alerts: a side that is inadequate, and was not scanned again before the van closed it."""
LEFT_BEFORE_RESCAN: Final = "left_before_rescan"
"""The rule's name in alerts: a side that is inadequate, and she has left the couch, so that she must be called back."""
PALPABLE_NOT_OUTLINED: Final = "palpable_not_outlined"
"""The rule's name in alerts: a lump is felt on a side on which nothing is outlined."""
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

INADEQUATE: Final = "examination_inadequate"

NOTHING_OUTLINED: Final = "nothing_outlined"
_OF_A_LUMP: Final = ("palpable_lump.", *(f"symptoms.{each}" for each in LUMPS))

SIDE_CHANGED: Final = "side_changed"
"""The lesion is on another side than was told before: the value is the side that was wrong, as
`sonovan.reports.phrases.shape.lexicon_key` spells it."""
SIZE_CHANGED: Final = "size_changed"
SIZE_CHANGED_PX: Final = "size_changed_px"
SIZE_NOW: Final = "size_now"
SIZE_NOW_PX: Final = "size_now_px"
CATEGORY_CHANGED: Final = "category_changed"
CATEGORY_NOW: Final = "category_now"
CATEGORY_GONE: Final = "category_gone"
CATEGORY_ROSE: Final = "category_rose"
CATEGORIES_TOLD: Final = frozenset(
    {CATEGORY_CHANGED, CATEGORY_NOW, CATEGORY_ROSE, SIGNED_CATEGORY, SIGNED_CATEGORY_CHANGED}
)
"""Codes whose value is a scheme and a category, as `scheme:category`."""

REGIONS_ARE_ONE: Final = "regions_are_one"
"""The lesion that was told of turned out to be one with another region; the value is the finding that it is now."""
LESION_PARTED: Final = "lesion_parted"
"""What was told of turned out to be several lesions; the value is the finding for which the alert stands."""

FINDING_MERGED: Final = "finding_merged"
"""The lesion is one with that of another alert, which stands; the value is the finding that it is now."""
FINDING_WITHDRAWN: Final = "finding_withdrawn"
RULE_NO_LONGER_MET: Final = "rule_no_longer_met"
SHE_LEFT: Final = "she_left"
"""Why an alert of `not_rescanned` is gone in whose place one of `left_before_rescan` stands."""
SCREENING_VOID: Final = "screening_void"
CONSENT_WITHDRAWN: Final = "consent_withdrawn"
"""She withdrew the screening, or a machine's reading: nobody is told of what a machine saw."""

GROWTH: Final = (GREW_IN_TWO, GREW_IN_VOLUME, GREW_IN_DIAMETER, WITHIN_SIX_MONTHS, MAY_BE_TWO)
"""What the comparison with an earlier screening gives as reasons: sizes that were measured, and the doubt."""

ALWAYS_SHOWN: Final = frozenset(
    {
        SUSPICIOUS_WORD,
        FRAMES_OUTLINED,
        KEY_FRAME_AREA,
        KEY_FRAME_AREA_PX,
        MEAN_SCORE,
        UNCONFIRMED,
        OUTLINE_UNRELIABLE,
        SIDE_CHANGED,
        SIZE_CHANGED,
        SIZE_CHANGED_PX,
        SIZE_NOW,
        SIZE_NOW_PX,
        REGIONS_ARE_ONE,
        LESION_PARTED,
        FINDING_MERGED,
        FINDING_WITHDRAWN,
        RULE_NO_LONGER_MET,
        SHE_LEFT,
        SCREENING_VOID,
        CONSENT_WITHDRAWN,
        *GROWTH,
        UNSIGNED_FOR,
        SIGNED_CATEGORY,
        SIGNED_CATEGORY_CHANGED,
        GROWTH_CHANGED,
        NO_OUTCOME_FOR,
        REPORT_SIGNED,
        OUTCOME_KNOWN,
        WOMAN_CHANGED,
    }
)
"""Codes that are shown whatever the intended use: descriptors, counts, sizes, scores of the outline, what became of
a finding, and what readers signed. The probability of malignancy and suggested categories are not among them
(docs/decisions/0011)."""

OF_OPERATION: Final = frozenset({NOT_RESCANNED, LEFT_BEFORE_RESCAN, PALPABLE_NOT_OUTLINED})
"""Rules on how the examination is done, and on what she feels herself: their reasons are shown whatever the intended
use, as such advice is."""

_NOT_YET: Final = NOT_HERE | {"screening_not_closed"}
"""The reasons of a row by which a scan of the side may still be on the van, or is still to be made: nobody knows yet
whether it was scanned again."""

Reasons = tuple[Because, ...]
_Find = Callable[[ScreeningAssessed], Iterable[tuple[About, Reasons]]]


def _always_decided(_assessed: ScreeningAssessed, _about: About) -> bool:
    """Of most rules a revision that is not preliminary says whether they are met."""
    return False


@dataclass(frozen=True, slots=True)
class AlertRule:
    """One rule, with the site's numbers in it.

    name: goes into alerts and their ids. about: the kind of thing that every alert of this rule is about.
    find: a revision to one (what it is about, why) for each alert that must stand; nothing where the rule is not met.
    It must give the same for the same revision. replaces: the rule whose alert about the same thing is over where this
    rule is met (`SHE_LEFT`). undecided: whether a revision that does not meet the rule leaves open whether it holds of
    something: an alert about that stays.
    """

    name: str
    severity: Severity
    about: AboutKind
    find: _Find
    replaces: str | None = None
    undecided: Callable[[ScreeningAssessed, About], bool] = _always_decided


def rules_of(settings: AlertSettings) -> tuple[AlertRule, ...]:
    """The rules that a site uses, in the order in which their alerts are raised."""
    suspicious, persistent, again = settings.suspicious_lesion, settings.persistent_lesion, settings.not_rescanned
    left = settings.left_before_rescan
    every: tuple[tuple[Rule, str, AboutKind, _Find], ...] = (
        (suspicious, SUSPICIOUS_LESION, "finding", partial(lesions_that, why=partial(why_suspicious, rule=suspicious))),
        (persistent, PERSISTENT_LESION, "finding", partial(lesions_that, why=partial(why_persistent, rule=persistent))),
        (again, NOT_RESCANNED, "side", partial(not_rescanned, whoever_left=not left.on)),
        (left, LEFT_BEFORE_RESCAN, "side", left_before_rescan),
        (settings.palpable_not_outlined, PALPABLE_NOT_OUTLINED, "side", palpable_not_outlined),
    )
    replaces = {LEFT_BEFORE_RESCAN: NOT_RESCANNED}
    undecided = dict.fromkeys((NOT_RESCANNED, LEFT_BEFORE_RESCAN), may_have_been_scanned_again)
    return tuple(
        AlertRule(name, rule.severity, about, find, replaces.get(name), undecided.get(name, _always_decided))
        for rule, name, about, find in every
        if rule.on
    )


def lesions_that(assessed: ScreeningAssessed, why: Callable[[Finding], Reasons]) -> Iterator[tuple[About, Reasons]]:
    """Every finding of the revision for which `why` gives reasons, with them, in the revision's order."""
    for finding in assessed.findings:
        reasons = why(finding)
        if reasons:
            yield _about(finding), reasons


def why_suspicious(finding: Finding, rule: SuspiciousLesion) -> Reasons:
    """Why this finding meets `suspicious_lesion`; empty where it does not.

    It has no floor of size or frames: a still is one frame. Score and words rest on reliable outlines alone
    (`sonovan.clinical.descriptors`), so that a finding without one never meets it: `persistent_lesion` tells of it.
    """
    reasons = []
    if finding.malignant is not None and finding.malignant >= rule.min_malignant:
        reasons.append(Because(code=MALIGNANT_SCORE, value=finding.malignant, unit="1"))
    for each in finding.descriptors:
        word = f"{finding.organ}.{each.name}.{each.value}"
        if word in rule.words:
            reasons.append(Because(code=SUSPICIOUS_WORD, value=word))
    if not reasons:
        return ()
    return (*reasons, Because(code=FRAMES_OUTLINED, value=finding.frame_count), _size(finding.best), *_doubts(finding))


def why_persistent(finding: Finding, rule: PersistentLesion) -> Reasons:
    """Why this finding meets `persistent_lesion`; empty where it does not.

    A finding that is `unconfirmed`, or whose outlines are unreliable, meets it all the same, and the reasons name that.
    """
    for sighting in finding.in_order:
        size = _size(sighting)
        large = sighting.area_px >= rule.min_area_px
        if sighting.area_mm2 is not None:
            large = sighting.area_mm2 >= rule.min_area_mm2
        if sighting.frame_count >= rule.min_frames and large and sighting.score_mean >= rule.min_score:
            score = Because(code=MEAN_SCORE, value=sighting.score_mean, unit="1")
            return (Because(code=FRAMES_OUTLINED, value=sighting.frame_count), size, score, *_doubts(finding))
    return ()


def not_rescanned(assessed: ScreeningAssessed, *, whoever_left: bool = False) -> Iterator[tuple[About, Reasons]]:
    """Every side that is inadequate and must be scanned again, once the van has closed the screening, of a woman of
    whom nobody said that she left. whoever_left: of one who left as well, where a site has no rule of its own for that.
    """
    if whoever_left or assessed.left_at is None:
        yield from _to_scan_again(assessed)


def left_before_rescan(assessed: ScreeningAssessed) -> Iterator[tuple[About, Reasons]]:
    """Every side that is inadequate and must be scanned again, of a woman who has left the couch."""
    if assessed.left_at is not None:
        yield from _to_scan_again(assessed)


def _to_scan_again(assessed: ScreeningAssessed) -> Iterator[tuple[About, Reasons]]:
    """Every side that is inadequate and must be scanned again.

    Not before the van has closed the screening and all that its closing names has arrived: the scan that the side lacks
    may be among it. Frames that the van holds back are not waited for, since nobody may ever release them.
    """
    if assessed.status == "preliminary":
        return
    advised = {(each.organ, each.laterality, each.region) for each in assessed.advice if each.rule == SCAN_AGAIN}
    found: dict[AboutSide, list[Because]] = {}
    for row in assessed.adequacy:
        if not _NOT_YET.isdisjoint(row.reasons):
            continue
        if row.level == "inadequate" and (row.organ, row.laterality, row.region) in advised:
            reasons = found.setdefault(AboutSide(organ=row.organ, laterality=row.laterality), [])
            reasons += [each for each in reasons_of(row) if each not in reasons]
    for about, reasons in found.items():
        yield about, (Because(code=INADEQUATE), *reasons)


def may_have_been_scanned_again(assessed: ScreeningAssessed, about: About) -> bool:
    """Whether a side is inadequate by what has arrived, and nobody knows yet whether it was scanned again."""
    if any(about == side for side, _ in _to_scan_again(assessed)):
        return False
    return any(
        row.level == "inadequate"
        and about == AboutSide(organ=row.organ, laterality=row.laterality)
        and not _NOT_YET.isdisjoint(row.reasons)
        for row in assessed.adequacy
    )


def palpable_not_outlined(assessed: ScreeningAssessed) -> Iterator[tuple[About, Reasons]]:
    """Every breast side with a referral for a lump (`sonovan.clinical.referral`) on which nothing is outlined.

    A lump of which no side is recorded counts where neither breast has an outline. An outline of which no side is
    recorded is not taken for the lump of a side: it may lie in the other breast. Not while frames may still arrive.
    """
    if assessed.status == "preliminary":
        return
    outlined = {each.laterality for each in assessed.findings if each.organ == "breast"}
    for advice in assessed.advice:
        if advice.rule != DIAGNOSTIC_REFERRAL or advice.organ != "breast":
            continue
        lumps = tuple(each for each in advice.because if each.code == SIGN and str(each.value).startswith(_OF_A_LUMP))
        seen = outlined if advice.laterality is None else outlined & {advice.laterality}
        if lumps and not seen:
            yield AboutSide(organ="breast", laterality=advice.laterality), (*lumps, Because(code=NOTHING_OUTLINED))


def why_silent(assessed: ScreeningAssessed) -> Because | None:
    """Why no rule is met whatever was seen: the screening is void, or consent was withdrawn; None where rules apply."""
    if not assessed.silenced:
        return None
    void = any(each.kind == "void" for each in assessed.amendments)
    return Because(code=SCREENING_VOID if void else CONSENT_WITHDRAWN)


def why_course_silent(course: Course) -> Because | None:
    """Why nobody is told of the course of a screening: it is void, or consent was withdrawn; None where rules apply."""
    if course.silent_by is None:
        return None
    return Because(code=SCREENING_VOID if course.silent_by == "void" else CONSENT_WITHDRAWN)


def told_of(finding: Finding) -> ToldOf:
    """What an alert tells of a lesion, to be held against later revisions."""
    return ToldOf(
        long_axis_mm=finding.best.long_axis_mm,
        long_axis_px=finding.best.long_axis_px,
        categories=tuple((each.scheme, each.value) for each in finding.categories if each.value is not None),
        regions=tuple(each.key for each in finding.in_order),
    )


def withhold_alert(alert: LesionAlerted, intended_use: IntendedUse) -> LesionAlerted:
    """`alert` as it may leave the centre: other reasons, and categories, leave under `decision_support` alone."""
    shown = tuple(each for each in alert.because if each.code in ALWAYS_SHOWN or alert.rule in OF_OPERATION)
    lesion = alert.lesion and alert.lesion.model_copy(update={"categories": ()})
    if intended_use == "decision_support" or (shown, lesion) == (alert.because, alert.lesion):
        return alert
    return alert.model_copy(update={"because": shown, "lesion": lesion, "withheld": True})


def _about(finding: Finding) -> AboutFinding:
    return AboutFinding(finding_id=finding.finding_id, organ=finding.organ, laterality=finding.laterality)


def _size(sighting: Sighting) -> Because:
    if sighting.area_mm2 is not None:
        return Because(code=KEY_FRAME_AREA, value=sighting.area_mm2, unit="mm2")
    return Because(code=KEY_FRAME_AREA_PX, value=sighting.area_px)


def _doubts(finding: Finding) -> Iterator[Because]:
    doubts = ((UNCONFIRMED, finding.unconfirmed), (OUTLINE_UNRELIABLE, finding.outline_unreliable))
    return (Because(code=code) for code, holds in doubts if holds)
