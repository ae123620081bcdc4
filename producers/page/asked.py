"""What a page is asked and what it answers, without any protocol: a handler is a function from one to the other."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from sonovan.producers.page.page import Page

HTML: Final = "text/html; charset=utf-8"
LONGEST_VALUE: Final = 200
"""No field of any form takes more signs."""


class Form:
    """The fields of a form; a field may stand several times."""

    def __init__(self, fields: Sequence[tuple[str, str]] = ()) -> None:
        self.fields = tuple((name, value.strip()[:LONGEST_VALUE]) for name, value in fields)

    def get(self, name: str) -> str:
        """The first value of a field, empty where it is not there."""
        return next((value for each, value in self.fields if each == name), "")

    def all(self, name: str) -> list[str]:
        """Every value of a field that is not empty, each once."""
        return list(dict.fromkeys(value for each, value in self.fields if each == name and value))

    def has(self, name: str, value: str) -> bool:
        """Whether a field has this value."""
        return value in self.all(name)

    def __bool__(self) -> bool:
        return bool(self.fields)


@dataclass(frozen=True, slots=True)
class Asked:
    """One request that passed every check. params: of the path. token: what its forms must send back. operator: the
    code of who scans on this van, None where nobody said so.
    """

    params: Mapping[str, str] = field(default_factory=dict)
    form: Form = field(default_factory=Form)
    language: str = "en"
    token: str = field(default="", repr=False)
    operator: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent back. location: where the browser goes next, within this page; None stays."""

    body: bytes = b""
    content_type: str = HTML
    status: int = 200
    location: str | None = None


class Refused(Exception):
    """The operator must do something else first. code: a phrase of the page `error_<code>`, with its figures."""

    def __init__(self, code: str, **figures: object) -> None:
        super().__init__(code)
        self.code, self.figures = code, figures


Handler: TypeAlias = "Callable[[Page, Asked], Answer]"


def go(location: str) -> Answer:
    """Have the browser load another page, by GET."""
    return Answer(status=303, location=location)
