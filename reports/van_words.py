"""What the page of the van's operator says, in one language of the catalogue."""

from typing import cast

from sonovan.contracts.because import Because
from sonovan.contracts.description import Location
from sonovan.contracts.lexicon import Organ, Position, Side
from sonovan.reports.details import place_of
from sonovan.reports.phrases import PHRASES
from sonovan.reports.words import Words


class VanWords(Words):
    """The words of the report, and those of the page."""

    def van(self, name: str, /, **figures: object) -> str:
        """A label or sentence of the page. Raises KeyError for a name that the catalogue does not have."""
        return PHRASES[self.language].van[name].format(**figures)

    def of(self, group: str, code: str) -> str:
        """The phrase `<group>_<code>`; without one what the report says of the code, else the code as it is."""
        return PHRASES[self.language].van.get(f"{group}_{code}") or self.reason(code)

    def answer(self, name: str) -> str:
        """What a field of the clinical record is called."""
        return self.lexicon(name) or self.text("age" if name == "age_years" else name)

    def found_at(self, organ: Organ, side: Side | None, location: Location | None) -> str:
        """Where something was found: organ and side, hour or region, distance to the nipple, as the report says it."""
        return place_of(organ, side, location, self)

    def lamp(self, found: Because) -> str:
        """A reason or a note of a light, with its figure or its place."""
        value = found.value
        if not isinstance(value, str):
            return self.van(f"lamp_{found.code}", value=value)
        organ, side, region, *_ = (*value.split("."), None, None)
        place = self.place(cast(Organ, organ), cast("Side | None", side), cast("Position | None", region))
        return self.van(f"lamp_{found.code}", place=place)
