"""Derive the categories for which there is a written rule. An outline alone has no category.

Rules, each with its source:

- `breast_lesion`, `most_worrisome_finding`: a breast lesion's likelihood of malignancy, and the worst lesion of a side
  (`sonovan.clinical.birads`). ACR BI-RADS Atlas, 5th ed., ultrasound. Where a part of that side was not seen well
  enough, the category stays the lesion's and names what is still to be seen: it is no bare 0.
- `breast_not_adequate`: a breast side on which nothing suspicious was seen and whose examination is inadequate, or is
  not all here (a file that was cut short is not), is BI-RADS 0, incomplete: scan again or add another examination.
  Frames without a recorded side are no side: they have no category until the record says which side they show.
  ACR BI-RADS Atlas, 5th ed., ultrasound, category 0.
- `acr_ti_rads_2017`, `c_ti_rads_2020`: a thyroid nodule's points (`sonovan.clinical.tirads`,
  `sonovan.clinical.c_tirads`); four nodules at most are scored.

A category assesses an examination. A side that was not examined, or of which only another part of the body came, has
none; so has one of which nothing is known yet. Pictures that are usable while nobody recorded their coverage give none
either: `usable` alone is no reason for BI-RADS 0.

Not derived, on purpose: BI-RADS 1, 2 and 3, TR1, C-TIRADS 1, and anything that tells that all is well.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Final

from sonovan.clinical.adequacy import CUT_SHORT, UNFINISHED, reasons_of
from sonovan.clinical.birads import MOST_WORRISOME_FINDING, breast_lesion, most_worrisome
from sonovan.clinical.c_tirads import c_tirads
from sonovan.clinical.nodules import ADULT_YEARS, ADULTS_ONLY, FOUR_SCORED, MOST_SCORED, scored
from sonovan.clinical.risk import risk_of
from sonovan.clinical.said import said_of
from sonovan.clinical.tirads import acr_tirads
from sonovan.contracts.because import Because
from sonovan.contracts.derivation import USUAL, Category, Programme
from sonovan.contracts.lexicon import Side
from sonovan.contracts.results import Adequacy, Finding, Status
from sonovan.contracts.van import PlannedRegion

BREAST_NOT_ADEQUATE: Final = "breast_not_adequate"
STILL_TO_BE_SEEN: Final = "still_to_be_seen"

_UNSEEN: Final = frozenset({"inadequate", "not_examined", "unknown"})


def categorised(
    findings: Sequence[Finding], programme: Programme = USUAL, age_years: int | None = None
) -> tuple[Finding, ...]:
    """The findings with their risk and the categories that each suggests, or why a rule gives none, in their order.

    age_years: of the woman, None where nobody asked. The schemes of the thyroid are for adults: a child has none.
    """
    child = age_years is not None and age_years < ADULT_YEARS
    weighed = [each.model_copy(update={"risk": risk_of(each, programme)}) for each in findings]
    judged = [each.model_copy(update={"categories": _of(each, programme, child=child)}) for each in weighed]
    kept = {each.finding_id for each in scored(judged)}
    return tuple(_as_scored(each, kept, child=child) for each in judged)


def derive_categories(
    adequacy: Iterable[Adequacy], status: Status, findings: Sequence[Finding] = (), programme: Programme = USUAL
) -> tuple[Category, ...]:
    """The screening's suggested categories, one per breast side that a rule speaks of; none while `preliminary`.

    findings: with their categories. Sides in the order of the rows, then those that only findings name.
    """
    if status == "preliminary":
        return ()
    rows = [row for row in adequacy if row.organ == "breast"]
    sides = dict.fromkeys([row.laterality for row in rows] + [each.laterality for each in findings if _judged(each)])
    found = (_side([row for row in rows if row.laterality == side], findings, side, programme) for side in sides)
    return tuple(each for each in found if each is not None)


def _as_scored(finding: Finding, kept: Collection[str], *, child: bool) -> Finding:
    """A nodule that is not scored loses its categories, and says why."""
    if finding.organ != "thyroid" or finding.finding_id in kept:
        return finding
    if child:
        return finding.model_copy(update={"uncategorised": (Because(code=ADULTS_ONLY),)})
    if not finding.categories:
        return finding
    why = (Because(code=FOUR_SCORED, value=MOST_SCORED),)
    return finding.model_copy(update={"categories": (), "uncategorised": why})


def _of(finding: Finding, programme: Programme, *, child: bool) -> tuple[Category, ...]:
    if finding.organ == "breast":
        found = [breast_lesion(finding, programme)]
    else:
        said = {} if child else said_of(finding)
        found = [acr_tirads(said, finding.laterality), c_tirads(said, finding.laterality)]
    return tuple(each for each in found if each is not None)


def _side(
    rows: Sequence[Adequacy], findings: Sequence[Finding], side: Side | None, programme: Programme
) -> Category | None:
    worst = most_worrisome(each for each in findings if each.organ == "breast" and each.laterality == side)
    if worst is not None and (suggested := worst.category("BI-RADS")) is not None:
        unseen = tuple(
            PlannedRegion(organ="breast", side=row.laterality, region=row.region) for row in rows if _still_unseen(row)
        )
        because = (*suggested.because, Because(code=STILL_TO_BE_SEEN)) if unseen else suggested.because
        about = {"rule": MOST_WORRISOME_FINDING, "because": because, "still_unseen": unseen}
        return suggested.model_copy(update=about)
    if side is None:
        return None
    return next((category for row in rows if (category := _not_adequate(row, programme)) is not None), None)


def _not_adequate(row: Adequacy, programme: Programme) -> Category | None:
    examined = row.level not in ("not_examined", "unknown")
    if not examined or not (row.level == "inadequate" or _unfinished(row)):
        return None
    verdict = "examination_inadequate" if row.level == "inadequate" else "examination_incomplete"
    return Category(
        scheme="BI-RADS",
        edition=programme.bi_rads_edition,
        value="0",
        rule=BREAST_NOT_ADEQUATE,
        because=(Because(code=verdict), *reasons_of(row)),
        organ="breast",
        laterality=row.laterality,
    )


def _still_unseen(row: Adequacy) -> bool:
    return row.level in _UNSEEN or _unfinished(row)


def _unfinished(row: Adequacy) -> bool:
    return not (UNFINISHED | {CUT_SHORT}).isdisjoint(row.reasons)


def _judged(finding: Finding) -> bool:
    return finding.organ == "breast" and bool(finding.categories)
