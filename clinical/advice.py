"""Derive what to do next by written rules, and withhold what must not be shown under another intended use."""

from collections.abc import Iterable
from typing import Final

from sonovan.clinical.adequacy import CUT_SHORT, FROZEN, UNFINISHED, reasons_of
from sonovan.clinical.referral import DIAGNOSTIC_REFERRAL
from sonovan.clinical.seen_partly import SEEN_PARTLY
from sonovan.contracts.because import Because
from sonovan.contracts.derivation import Advice, Category
from sonovan.contracts.frames import FrameSegmented
from sonovan.contracts.lexicon import SCHEMES, Organ, Side
from sonovan.contracts.results import Adequacy, Finding, IntendedUse, ScreeningAssessed, Status

_SEEN_BADLY = frozenset({"low_quality", "motion"}) | SEEN_PARTLY
_SEEN_TOO_LITTLE = frozenset({"low_assessable_share", "few_frames", FROZEN, "nothing_assessable", CUT_SHORT})

NOT_HERE: Final = frozenset({"frames_missing", "sequence_not_closed"})
"""The reasons of a row by which frames were taken that have not arrived and may be of it: frames that the closing of a
sweep counts, or a whole sweep whose closing is not here, so that nobody knows of which side it is."""

READER_MUST_REVIEW: Final = "reader_must_review"
SCAN_AGAIN: Final = "scan_again"
EXAMINE: Final = "examine"
SAY_WHICH_SIDE: Final = "say_which_side"
SEND_MISSING_FRAMES: Final = "send_missing_frames"
LOOK_AT_MARKED: Final = "look_at_marked"

OF_OPERATION: Final = frozenset(
    {READER_MUST_REVIEW, SCAN_AGAIN, EXAMINE, SAY_WHICH_SIDE, SEND_MISSING_FRAMES, LOOK_AT_MARKED}
)
"""Advice on how the examination is done and read, which holds whatever may be said of the woman: never withheld."""

CLINICAL_ADVICE: Final = "clinical_advice"
"""The rule of an advice that is withheld: which one it is would tell what is withheld."""

OF_RECORD: Final = frozenset({DIAGNOSTIC_REFERRAL})
"""Advice that follows from the clinical record alone, so that no intended use withholds it."""


def derive_advice(status: Status, adequacy: Iterable[Adequacy], findings: Iterable[Finding]) -> tuple[Advice, ...]:
    """The advice for one revision, in a fixed order.

    `reader_must_review` always, since nothing is a result until signed. `scan_again` per place that was not seen well
    enough; not while that may be for want of frames that were taken and have not arrived (`NOT_HERE`). `examine` per
    place that was planned and not examined; not while `preliminary`. `say_which_side` where no side is recorded.
    `send_missing_frames` where the examination is not all here.
    """
    rows, found = list(adequacy), list(findings)
    advice = [Advice(rule=READER_MUST_REVIEW, because=(Because(code="outlined_regions", value=len(found)),))]
    for row in rows:
        place = {"organ": row.organ, "laterality": row.laterality, "region": row.region}
        if row.level == "not_examined":
            if status != "preliminary":
                advice.append(Advice(rule=EXAMINE, because=reasons_of(row), **place))
        elif _must_be_scanned_again(row):
            verdict = Because(code="not_assessed" if row.level == "inadequate" else "not_fully_assessed")
            advice.append(Advice(rule=SCAN_AGAIN, because=(verdict, *reasons_of(row)), **place))
    if any("side_unknown" in row.reasons for row in rows):
        advice.append(Advice(rule=SAY_WHICH_SIDE, because=(Because(code="side_unknown"),)))
    unfinished = sorted({reason for row in rows for reason in row.reasons} & UNFINISHED)
    if status != "preliminary" and unfinished:
        reasons = tuple(Because(code=reason) for reason in unfinished)
        advice.append(Advice(rule=SEND_MISSING_FRAMES, because=reasons))
    return tuple(advice)


def _must_be_scanned_again(row: Adequacy) -> bool:
    if _SEEN_BADLY.intersection(row.reasons):
        return True
    return NOT_HERE.isdisjoint(row.reasons) and bool(_SEEN_TOO_LITTLE.intersection(row.reasons))


def withhold(assessed: ScreeningAssessed, intended_use: IntendedUse) -> ScreeningAssessed:
    """`assessed` as it may be shown: categories and clinical advice with their reasons under `decision_support` alone.

    Otherwise each finding, and each breast side that was examined, has one withheld category of each scheme, whether
    one was derived or not: that there is none says that the likelihood is low. In the same way clinical advice becomes
    one withheld advice for a screening with a nodule of the thyroid, whether any was derived or not: its rule and its
    number would tell of a biopsy.
    Advice `OF_OPERATION` stays whole: who scans must know what to scan again under every intended use. So does advice
    `OF_RECORD`, which rests on what the woman said and not on a picture.
    The probability that a lesion is malignant is withheld like a category, for BI-RADS categories are bands of it
    (docs/decisions/0011-a-malignant-score-is-a-category.md). Outlines, sizes, scores, descriptors, adequacy and the
    order of the findings stay.
    """
    if intended_use == "decision_support":
        return assessed
    shown = OF_OPERATION | OF_RECORD
    open_advice = tuple(each for each in assessed.advice if each.rule in shown)
    nodules = any(each.organ == "thyroid" for each in assessed.findings)
    hidden = (
        (Advice(rule=CLINICAL_ADVICE, withheld=True),) if nodules or len(open_advice) < len(assessed.advice) else ()
    )
    findings = tuple(
        finding.model_copy(
            update={
                "categories": _withheld(finding.organ, finding.laterality),
                "uncategorised": (),
                "risk": None,
                "malignant": None,
                "malignant_range": None,
                "malignant_withheld": finding.malignant_withheld or finding.malignant is not None,
            }
        )
        for finding in assessed.findings
    )
    return assessed.model_copy(
        update={
            "findings": findings,
            "categories": _of_sides(assessed),
            "advice": (*open_advice, *hidden),
        }
    )


def _withheld(organ: Organ, side: Side | None) -> tuple[Category, ...]:
    return tuple(
        Category(scheme=scheme, value=None, rule=None, organ=organ, laterality=side, withheld=True)
        for scheme in SCHEMES[organ]
    )


def _of_sides(assessed: ScreeningAssessed) -> tuple[Category, ...]:
    """What is withheld of each breast side, in the order in which `derive_categories` names sides."""
    if assessed.status == "preliminary":
        return ()
    rows = (row for row in assessed.adequacy if row.organ == "breast" and row.frames)
    seen = [row.laterality for row in rows if row.laterality is not None]
    found = [each.laterality for each in assessed.findings if each.organ == "breast"]
    return tuple(each for side in dict.fromkeys([*seen, *found]) for each in _withheld("breast", side))


def withhold_frame(frame: FrameSegmented, intended_use: IntendedUse) -> FrameSegmented:
    """`frame` as it may be shown, by the rule of `withhold`: no probability that a region is malignant."""
    if intended_use == "decision_support":
        return frame
    regions = tuple(
        region.model_copy(
            update={"malignant": None, "malignant_withheld": region.malignant_withheld or region.malignant is not None}
        )
        for region in frame.regions
    )
    return frame.model_copy(update={"regions": regions})
