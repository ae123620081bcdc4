"""Why a rule says what it says, as codes with figures; `sonovan.reports` has the words for every code."""

from typing import Annotated

from pydantic import Field

from sonovan.contracts.record import Part, Token


class Because(Part):
    """One reason behind a category, an advice or an alert.

    `code` names what was found, `value` is its figure or coded word (None where the code says it all), and `unit` is
    the figure's unit in the spelling of UCUM (`mm`, `mm2`, `1` for a share); None for a word or a count.
    """

    code: Token
    value: Annotated[int, Field(ge=-(2**53), le=2**53)] | float | Token | None = None
    unit: Token | None = None
