"""Which sides a conclusion leaves open: they were planned or seen, and nothing is concluded of them. Pure.

Silence about a side is never a negative: the reader is told of it before signing, and the woman on her page.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sonovan.clinical.adequacy import EXCUSED
from sonovan.contracts.conclusions import ScreeningConcluded
from sonovan.contracts.lexicon import Organ, Side
from sonovan.contracts.results import Adequacy, Finding

NOTHING_TO_SEE: Final = frozenset({EXCUSED["absent"], EXCUSED["planned_by_mistake"]})
"""Why the operator did not scan a side, where nothing is left to be looked at: it is not there, or it was never to be
scanned. It is "not examined" all the same (docs/decisions/0084)."""


@dataclass(frozen=True, slots=True)
class LeftOpen:
    """One side of which nothing is concluded.

    examined: False where it was planned and no picture of it came. to_be_seen: whether somebody still has to look at
    it; False where the operator said NOTHING_TO_SEE of all that was planned there.
    """

    organ: Organ
    laterality: Side | None
    examined: bool
    to_be_seen: bool


def sides_left_open(
    conclusion: ScreeningConcluded, adequacy: Sequence[Adequacy], findings: Sequence[Finding]
) -> tuple[LeftOpen, ...]:
    """The sides of the revision that was read of which the conclusion says nothing, in the order of its rows.

    adequacy, findings: of that revision; together they name every side that was planned or seen.
    """
    concluded = {(each.organ, each.laterality) for each in conclusion.sides}
    unseen = sides_not_examined(adequacy, findings)
    planned_or_seen = [(each.organ, each.laterality) for each in adequacy]
    outlined = [(each.organ, each.laterality) for each in findings]
    needed = {(each.organ, each.laterality) for each in adequacy if NOTHING_TO_SEE.isdisjoint(each.reasons)}
    return tuple(
        LeftOpen(*place, examined=place not in unseen, to_be_seen=place not in unseen or place in needed)
        for place in dict.fromkeys([*planned_or_seen, *outlined])
        if place not in concluded
    )


def sides_not_examined(
    adequacy: Sequence[Adequacy], findings: Sequence[Finding]
) -> frozenset[tuple[Organ, Side | None]]:
    """The sides that were planned and of which no picture came: all their rows say so, and no finding is there.

    Where pictures came that the software took for another part of the body, a reader may see otherwise.
    """
    shown = {(each.organ, each.laterality) for each in adequacy if each.frames or each.level != "not_examined"}
    shown |= {(each.organ, each.laterality) for each in findings}
    return frozenset((each.organ, each.laterality) for each in adequacy) - shown
