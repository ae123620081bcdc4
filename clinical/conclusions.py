"""What a conclusion comes to as a whole: whether she is called back, and how worrying it is. Pure."""

from collections.abc import Iterable
from typing import Final

from sonovan.contracts.conclusions import ACTIONS, Action, Role, ScreeningConcluded, SideConcluded
from sonovan.contracts.lexicon import LEAST_WORRISOME_FIRST, Scheme

NOT_CALLED_BACK: Final[frozenset[Action]] = frozenset({"routine_screening", "follow_up"})
"""What asks nothing of her before her next visit. A short-interval follow-up is a visit of its own, and no recall:
Sickles and D'Orsi, Follow-up and outcome monitoring, in ACR BI-RADS Atlas, 5th ed. (2013), count as recalled who is
asked for more pictures or tissue at once."""


def in_force(conclusions: Iterable[ScreeningConcluded]) -> dict[Role, ScreeningConcluded]:
    """Of each role the conclusion that counts: that with the highest number, of equal numbers the higher id."""
    newest: dict[Role, ScreeningConcluded] = {}
    for each in sorted(conclusions, key=lambda one: (one.conclusion_number, one.conclusion_id)):
        newest[each.role] = each
    return newest


def weighed(conclusions: Iterable[ScreeningConcluded]) -> dict[Role, ScreeningConcluded]:
    """Of each role the conclusion in force; without an arbitration that did not see each of these readings.

    An arbitration decides between the readings that it saw, which are those of a lower number. A reader who signs or
    amends after it, or at the same moment under the same number, says what nobody has decided about.
    """
    standing = in_force(conclusions)
    decided = standing.pop("arbitration", None)
    if decided is not None and all(decided.conclusion_number > each.conclusion_number for each in standing.values()):
        standing["arbitration"] = decided
    return standing


def counting(conclusions: Iterable[ScreeningConcluded]) -> ScreeningConcluded | None:
    """The conclusion that counts of one screening: the arbitration, where it saw the readings as they are now, else the
    more worrying reading; None of none.

    The view `signed` of the catalogue says the same.
    """
    standing = weighed(conclusions)
    if (decided := standing.get("arbitration")) is not None:
        return decided
    return max(standing.values(), key=lambda one: (worry(one), one.conclusion_number, one.conclusion_id), default=None)


def to_arbitrate(conclusions: Iterable[ScreeningConcluded]) -> bool:
    """Whether two readings recommend something else for a side, and nobody has decided between them as they are now."""
    standing = weighed(conclusions)
    return "arbitration" not in standing and len({recommends(each) for each in standing.values()}) > 1


def calls_back(action: Action) -> bool:
    """Whether somebody must call her: she is asked to come before her next visit."""
    return action not in NOT_CALLED_BACK


def most_pressing(conclusion: ScreeningConcluded) -> Action:
    """Of what is recommended for its sides, what presses most."""
    return max((each.recommended.action for each in conclusion.sides), key=ACTIONS.index)


def worst_of(conclusion: ScreeningConcluded, scheme: Scheme) -> str | None:
    """The most worrisome category of one scheme among its sides; None where no side has one."""
    values = [value for each in conclusion.sides if (value := each.category(scheme)) is not None]
    return max(values, key=LEAST_WORRISOME_FIRST[scheme].index, default=None)


def worry(conclusion: ScreeningConcluded) -> int:
    """A number by which the more worrying of two conclusions is told: first what is recommended, then the categories.

    It compares two readings of one screening, of which the higher one counts until somebody has decided between them.
    """
    places = [_place(side, scheme) for side in conclusion.sides for scheme in LEAST_WORRISOME_FIRST]
    return 100 * ACTIONS.index(most_pressing(conclusion)) + max(places)


def recommends(conclusion: ScreeningConcluded) -> str:
    """Each side with what is recommended for it, in one spelling: where it is equal, two readings agree.

    Categories are not in it: 4A and 4B lead to the same biopsy, and the more worrying one counts.
    """
    said = [
        f"{each.organ}.{each.laterality or 'none'}={each.recommended.action}/{each.recommended.months or 0}"
        for each in conclusion.sides
    ]
    return " ".join(sorted(said))


def _place(side: SideConcluded, scheme: Scheme) -> int:
    value = side.category(scheme)
    return 0 if value is None else LEAST_WORRISOME_FIRST[scheme].index(value)
