"""One line of a doctor: what was looked at, whether it is well, and what to do where it is not."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from sonovan.contracts.errors import Fatal, InvalidRecord, Transient


@dataclass(frozen=True, slots=True)
class Line:
    """What was found of one thing.

    about: the kind of thing (`disk`, `topics`). subject: which one of its kind, "" where there is one alone.
    found: what is so, in words. remedy: what to do; "" where the thing is well.
    """

    about: str
    subject: str
    found: str
    remedy: str = ""

    @property
    def well(self) -> bool:
        """Whether nothing is to be done."""
        return not self.remedy

    def document(self) -> dict[str, Any]:
        """The line for a program."""
        return {**asdict(self), "well": self.well}


Lines = Iterator[Line]


def looked_at(about: str, look: Callable[[], Lines], remedy: str) -> Lines:
    """The lines that a look gives; one more that names the reason where it cannot be ended.

    One thing that does not answer must not keep the others from being looked at. remedy: for that case. An error that
    says neither that something is away nor that it refuses is a defect, and is raised.
    """
    try:
        yield from look()
    except (Transient, Fatal, InvalidRecord) as error:
        yield Line(about, "", f"could not be looked at: {error}", remedy)
