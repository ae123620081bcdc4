"""Categories that a written rule derives. Everything else has none: an outline alone carries no category.

Rules, each with its source:

- `breast_not_adequate`: a breast side whose examination is inadequate, or is not all here (a file that was cut short
  is not), is BI-RADS 0, incomplete: scan again or add another examination.
  Source: ACR BI-RADS Atlas, 5th ed., ultrasound, category 0.

Not derived, on purpose: BI-RADS 1 or 2 (no region outlined is no negative result: only a reader concludes), BI-RADS 3
to 5, ACR TI-RADS and C-TIRADS (they need descriptors such as margin, echo pattern or composition, which an outline does
not give: Tessler et al., J Am Coll Radiol 14:587, 2017; Zhou et al., Endocrine 70:256, 2020).
"""

from collections.abc import Iterable

from sonovan.clinical.adequacy import CUT_SHORT, UNFINISHED
from sonovan.clinical.place import named_place
from sonovan.contracts.results import Adequacy, Category, Status


def derive_categories(adequacy: Iterable[Adequacy], status: Status) -> tuple[Category, ...]:
    """The screening's suggested categories, one per breast side that a rule speaks of; none while `preliminary`."""
    if status == "preliminary":
        return ()
    found: dict[str, Category] = {}
    for row in adequacy:
        unfinished = not (UNFINISHED | {CUT_SHORT}).isdisjoint(row.reasons)
        if row.organ != "breast" or not (row.level == "inadequate" or unfinished):
            continue
        why = "examination inadequate" if row.level == "inadequate" else "examination incomplete"
        place = named_place(row.organ, row.laterality, None)
        reasons = ", ".join(reason.replace("_", " ") for reason in row.reasons)
        derivation = f"{place}: {why} ({reasons}); rule breast_not_adequate, ACR BI-RADS Atlas 5th ed."
        found.setdefault(place, Category(scheme="BI-RADS", value="0", derivation=derivation))
    return tuple(found.values())
