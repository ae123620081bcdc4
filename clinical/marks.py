"""What the operator marked while she scanned: a reader looks there, whatever the software outlined or did not.

A step of its own, after everything else is derived, as for signs that she told (`sonovan.clinical.referral`): it puts
advice on top and a reason into the rows of the side. It changes no finding, score, category or level.
Source: none. That somebody at the couch saw something is a reason to look, and its absence is no reason not to.
"""

from collections.abc import Sequence
from typing import Final

from sonovan.clinical.advice import LOOK_AT_MARKED
from sonovan.contracts.amendments import Mark
from sonovan.contracts.because import Because
from sonovan.contracts.derivation import Advice
from sonovan.contracts.results import Adequacy, ScreeningAssessed

OPERATOR_MARKED: Final = "operator_marked"
"""The reason that a side must not be read as unremarkable: the operator saw something there."""


def marked(assessed: ScreeningAssessed) -> ScreeningAssessed:
    """The revision with what its marks call for; the very same one without any, and where nothing is said of her."""
    marks = [each.mark for each in assessed.amendments if each.mark is not None]
    if not marks or assessed.ended:
        return assessed
    rows = tuple(_row(row, marks) for row in assessed.adequacy)
    return assessed.model_copy(update={"adequacy": rows, "advice": (*_advice(marks), *assessed.advice)})


def _advice(marks: Sequence[Mark]) -> list[Advice]:
    """One for each place, in the order of the marks."""
    counts: dict[tuple[object, ...], list[Mark]] = {}
    for each in marks:
        counts.setdefault((each.organ, each.laterality, each.region), []).append(each)
    return [
        Advice(
            rule=LOOK_AT_MARKED, because=(Because(code=OPERATOR_MARKED, value=len(own)),), organ=own[0].organ,
            laterality=own[0].laterality, region=own[0].region,
        )
        for own in counts.values()
    ]  # fmt: skip


def _row(row: Adequacy, marks: Sequence[Mark]) -> Adequacy:
    if not any(_may_be_of(each, row) for each in marks):
        return row
    return row.model_copy(update={"reasons": (*row.reasons, OPERATOR_MARKED)})


def _may_be_of(mark: Mark, row: Adequacy) -> bool:
    """Whether the mark may lie in what the row is about: what nobody said of its place speaks against no row."""
    return (
        mark.organ in (None, row.organ)
        and (mark.laterality is None or row.laterality in (None, mark.laterality))
        and (mark.region is None or row.region in (None, mark.region))
    )
