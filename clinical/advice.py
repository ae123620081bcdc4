"""What to do next, by written rules; and what must not leave the centre under another intended use."""

from collections.abc import Iterable

from sonovan.clinical.adequacy import CUT_SHORT, UNFINISHED
from sonovan.clinical.place import named_place
from sonovan.contracts.results import (
    Adequacy,
    Advice,
    Category,
    Finding,
    FrameSegmented,
    IntendedUse,
    ScreeningAssessed,
    Status,
)

_SEEN_BADLY = frozenset({"low_quality", "motion", "not_seen"})
_SEEN_TOO_LITTLE = frozenset({"low_assessable_share", "few_frames", "nothing_assessable", CUT_SHORT})


def derive_advice(status: Status, adequacy: Iterable[Adequacy], findings: Iterable[Finding]) -> tuple[Advice, ...]:
    """The advice for one revision, in a fixed order.

    `reader_must_review` always, since nothing is a result until signed. `scan_again` per place that was not seen well
    enough; not while that may be for want of frames that were taken and have not arrived, nor, while `preliminary`,
    where nothing was scanned yet. `say_which_side` where no side is recorded. `send_missing_frames` where the
    examination is not all here.
    """
    rows, found = list(adequacy), list(findings)
    advice = [Advice(code="reader_must_review", text=_review(len(found)))]
    for row in rows:
        if _must_be_scanned_again(row, status):
            place = named_place(row.organ, row.laterality, row.region)
            verdict = "not assessed" if row.level == "inadequate" else "not fully assessed"
            text = f"{place[0].upper()}{place[1:]}: {verdict}. Scan again while the woman is here, or recall her."
            advice.append(Advice(code="scan_again", text=text))
    if any("side_unknown" in row.reasons for row in rows):
        advice.append(Advice(code="say_which_side", text="Some frames name no side: correct the record before review."))
    if status != "preliminary" and any(UNFINISHED.intersection(row.reasons) for row in rows):
        text = "Part of the examination has not arrived: keep the van's spool until every frame is stored."
        advice.append(Advice(code="send_missing_frames", text=text))
    return tuple(advice)


def _must_be_scanned_again(row: Adequacy, status: Status) -> bool:
    if status == "preliminary" and "not_seen" in row.reasons:
        return False
    if _SEEN_BADLY.intersection(row.reasons):
        return True
    return "frames_missing" not in row.reasons and bool(_SEEN_TOO_LITTLE.intersection(row.reasons))


def _review(findings: int) -> str:
    if findings == 0:
        return "No region was outlined, which is not a negative result: a reader reviews the frames and signs."
    what = "the outlined region" if findings == 1 else f"the {findings} outlined regions"
    return f"A reader reviews {what} and the frames around, and signs."


def withhold(assessed: ScreeningAssessed, intended_use: IntendedUse) -> ScreeningAssessed:
    """`assessed` as it may be shown: categories and advice in words under `decision_support` alone.

    Otherwise every category keeps its scheme, with value None, and every advice its code, with text None; both say
    `withheld`. The probability that a lesion is malignant goes likewise, for BI-RADS categories are bands of it
    (docs/decisions/0011-a-malignant-score-is-a-category.md). Outlines, sizes, scores, descriptors and adequacy stay.
    """
    if intended_use == "decision_support":
        return assessed
    findings = tuple(
        finding.model_copy(
            update={
                "category": finding.category and _withheld(finding.category),
                "malignant": None,
                "malignant_withheld": finding.malignant_withheld or finding.malignant is not None,
            }
        )
        for finding in assessed.findings
    )
    return assessed.model_copy(
        update={
            "findings": findings,
            "categories": tuple(_withheld(category) for category in assessed.categories),
            "advice": tuple(each.model_copy(update={"text": None, "withheld": True}) for each in assessed.advice),
        }
    )


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


def _withheld(category: Category) -> Category:
    derivation = "shown under intended use decision_support alone"
    return category.model_copy(update={"value": None, "derivation": derivation, "withheld": True})
