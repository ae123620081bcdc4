"""Whose turn it is to sign: first reader, second reader or arbitration, as the programme asks. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sonovan.clinical.conclusions import calls_back, in_force, most_pressing, to_arbitrate
from sonovan.clinical.reading import ReadingRules
from sonovan.contracts.conclusions import Role, ScreeningConcluded

Why = Literal["open", "amend", "done"]


@dataclass(frozen=True, slots=True)
class Turn:
    """What somebody may sign of a screening now.

    role: None where nothing may be signed, `why` says why. amends: their own conclusion in force, which they may amend.
    shown: the conclusions that they may see before they sign: none while they are a second reader who must not know.
    """

    role: Role | None
    why: Why
    amends: ScreeningConcluded | None = None
    shown: tuple[ScreeningConcluded, ...] = ()


def turn_of(conclusions: Sequence[ScreeningConcluded], reader: str, rules: ReadingRules) -> Turn:
    """What `reader` may sign, given all conclusions of the screening.

    A second reader is another person than the first and does not see what that one signed; whoever decides between two
    readings is a third and sees both. Whoever signed may amend what they signed. Where a reading was amended since the
    arbitration, so that both are to be decided between anew, whoever decided before may do so again.
    """
    standing = in_force(conclusions)
    mine = next((each for each in standing.values() if each.by == reader), None)
    everything = tuple(conclusions)
    first = standing.get("first")
    if first is None:
        return Turn("first", "open")
    wanted = wants_second(first, rules) and "second" not in standing
    if wanted and mine is None:
        return Turn("second", "open")
    undecided = rules.arbitration and to_arbitrate(conclusions)
    if undecided and (mine is None or mine.role == "arbitration"):
        return Turn("arbitration", "open", shown=everything)
    if mine is not None:
        shown = everything if not wanted else (mine,)
        return Turn(mine.role, "amend", amends=mine, shown=shown)
    return Turn(None, "done", shown=everything)


def wants_second(first: ScreeningConcluded, rules: ReadingRules) -> bool:
    """Whether the programme asks another reader to read what the first one signed."""
    if rules.second_reader == "called_back":
        return calls_back(most_pressing(first))
    return rules.second_reader == "all"
