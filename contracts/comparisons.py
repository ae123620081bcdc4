"""What a screening shows against the woman's earlier one: which lesions are new, seen before or not found again.

It is part of what a reader signs, and so of a topic that is kept for ever: nothing in it tells which screening the
earlier one was, or on which day (docs/decisions/0115).
"""

from typing import Literal, Self

from pydantic import Field, model_validator

from sonovan.contracts.because import Because
from sonovan.contracts.description import Location
from sonovan.contracts.lexicon import Organ, Side
from sonovan.contracts.limits import MAX_FINDINGS
from sonovan.contracts.record import Part, Sha256

Change = Literal["seen_before", "new", "not_found_again", "undecided"]
"""seen_before: a lesion of the earlier screening lies at its place. new: its side was seen well then, and none lay
there. not_found_again: it was there, its side was seen well now, and none is outlined there; it is never "gone".
undecided: software cannot tell, for what `because` names."""


class Compared(Part):
    """One lesion against the earlier screening.

    finding_id: of this screening; None for a lesion that the earlier one alone has, whose place `location` is.
    grown: None where its sizes cannot be compared. because: by how much it has grown, and every doubt.
    """

    change: Change
    finding_id: Sha256 | None
    organ: Organ
    laterality: Side | None
    location: Location | None = None
    grown: bool | None = None
    because: tuple[Because, ...] = Field(default=(), max_length=16)

    @model_validator(mode="after")
    def _fits_its_change(self) -> Self:
        if self.change in ("seen_before", "new") and self.finding_id is None:
            raise ValueError("what is new or was seen before is a finding of this screening")
        if self.change == "not_found_again" and self.finding_id is not None:
            raise ValueError("what is not found again is no finding of this screening")
        if self.grown is not None and self.change != "seen_before":
            raise ValueError("only what was seen before can have grown")
        return self


class Comparison(Part):
    """This screening against the earlier one. months: whole months between both; findings: of this one first."""

    months: int = Field(ge=0, le=1200)
    findings: tuple[Compared, ...] = Field(default=(), max_length=2 * MAX_FINDINGS)

    @model_validator(mode="after")
    def _tells_of_each_once(self) -> Self:
        known = [each.finding_id for each in self.findings if each.finding_id is not None]
        if len(set(known)) < len(known):
            raise ValueError("a finding stands twice")
        return self
