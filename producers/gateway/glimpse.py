"""A glimpse of an object that waits, for the operator: one picture, cleaned as what leaves the van is."""

from itertools import product
from typing import Final

from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.lexicon import Organ, Side
from sonovan.producers.gateway.composing import MAX_OBJECT_BYTES, Clean, open_object, opened_object
from sonovan.producers.gateway.intake import Intake
from sonovan.producers.sources import CapturedFrame, CaptureOptions, Pixels

_ORGANS: Final[tuple[Organ | None, ...]] = (None, "breast", "thyroid")
_SIDES: Final[tuple[Side | None, ...]] = (None, "left", "right")
MOST_BYTES: Final = MAX_OBJECT_BYTES // 16
"""A larger object is not opened for a glimpse: it would hold up the page."""


def glimpse(intake: Intake, number: int, clean: Clean) -> Pixels | None:
    """The first picture of an object that can be shown; None where there is none, or where it would have to be held.

    What an object lacks or contradicts is passed over, for that is why it waits. Raises Transient, Fatal.
    """
    found = intake.find(number)
    if found is None or found.size > MOST_BYTES:
        return None
    try:
        with opened_object(intake, found) as path:
            for organ, side in product(_ORGANS, _SIDES):
                try:
                    source = open_object(path, found.claims, CaptureOptions(organ=organ, side=side))
                except InvalidRecord:
                    continue
                for shot in clean(source).read():
                    if isinstance(shot, CapturedFrame):
                        return None if shot.held else shot.pixels
                return None
    except InvalidRecord:
        return None
    return None
