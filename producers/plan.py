"""What a screening is to cover: both sides of each organ, unless the operator says otherwise."""

from collections.abc import Sequence
from typing import Final

from pydantic import ValidationError

from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.lexicon import Organ, Side, sides_of
from sonovan.contracts.van import PlannedRegion

BOTH_SIDES: Final[tuple[Side, ...]] = ("left", "right")
"""Of a thyroid both lobes; the isthmus is planned only where somebody says so."""


def both_sides(organs: Sequence[Organ]) -> tuple[PlannedRegion, ...]:
    """Both sides of each organ, each once, in the order of the organs."""
    return tuple(PlannedRegion(organ=organ, side=side) for organ in dict.fromkeys(organs) for side in BOTH_SIDES)


def planned_regions(items: Sequence[str] | None, organs: Sequence[Organ]) -> tuple[PlannedRegion, ...] | None:
    """The plan in an operator's words, for each organ that is scanned; None where there are no words.

    items: `left`, `right`, `isthmus`, each alone or with a region behind a colon: `left:upper_outer`.
    Raises InvalidRecord `option_invalid` for another word, or a side that none of the organs has.
    """
    if not items or not organs:
        return None
    planned: dict[PlannedRegion, None] = {}
    for item in items:
        side, _, region = item.partition(":")
        own = [organ for organ in dict.fromkeys(organs) if side in sides_of(organ)]
        try:
            found = [
                PlannedRegion.model_validate({"organ": one, "side": side, "region": region or None}) for one in own
            ]
        except ValidationError:
            found = []
        if not found:
            known = ", ".join(dict.fromkeys(side for organ in organs for side in sides_of(organ)))
            raise InvalidRecord("option_invalid", f"--plan {item}: say one of {known}, then :region if it is less")
        planned.update(dict.fromkeys(found))
    return tuple(planned)
