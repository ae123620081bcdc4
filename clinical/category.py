"""Derive the categories for which there is a written rule. An outline alone has no category.

Rules, each with its source:

- `breast_not_adequate`: a breast side that was examined and whose examination is inadequate, or is not all here (a file
  that was cut short is not), is BI-RADS 0, incomplete: scan again or add another examination.
  Source: ACR BI-RADS Atlas, 5th ed., ultrasound, category 0.

A category assesses an examination. A side that was not examined, or of which only another part of the body came, has
none; so has one of which nothing is known yet. Pictures that are usable while nobody recorded their coverage give none
either: `usable` alone is no reason for BI-RADS 0.

Not derived, on purpose: BI-RADS 1 or 2 (no region outlined is no negative result: only a reader concludes), BI-RADS 3
to 5, ACR TI-RADS and C-TIRADS (they need descriptors such as margin, echo pattern or composition, which an outline does
not give: Tessler et al., J Am Coll Radiol 14:587, 2017; Zhou et al., Endocrine 70:256, 2020).
"""

from collections.abc import Iterable
from typing import Final

from sonovan.clinical.adequacy import CUT_SHORT, UNFINISHED, reasons_of
from sonovan.contracts.because import Because
from sonovan.contracts.derivation import Category
from sonovan.contracts.lexicon import Side
from sonovan.contracts.results import Adequacy, Status

BREAST_NOT_ADEQUATE: Final = "breast_not_adequate"


def derive_categories(adequacy: Iterable[Adequacy], status: Status) -> tuple[Category, ...]:
    """The screening's suggested categories, one per breast side that a rule speaks of; none while `preliminary`."""
    if status == "preliminary":
        return ()
    found: dict[Side | None, Category] = {}
    for row in adequacy:
        unfinished = not (UNFINISHED | {CUT_SHORT}).isdisjoint(row.reasons)
        examined = row.level not in ("not_examined", "unknown")
        if row.organ != "breast" or not examined or not (row.level == "inadequate" or unfinished):
            continue
        verdict = "examination_inadequate" if row.level == "inadequate" else "examination_incomplete"
        category = Category(
            scheme="BI-RADS",
            value="0",
            rule=BREAST_NOT_ADEQUATE,
            because=(Because(code=verdict), *reasons_of(row)),
            organ="breast",
            laterality=row.laterality,
        )
        found.setdefault(row.laterality, category)
    return tuple(found.values())
