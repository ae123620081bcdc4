"""What a handler is asked, and what it may refuse."""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl

from sonovan.console.roles import Person

LONGEST_VALUE: Final = 4000
"""No field takes more signs."""
MOST_FIELDS: Final = 500


class Fields:
    """Fields of a form or of an address; one may stand several times."""

    def __init__(self, fields: Sequence[tuple[str, str]] = ()) -> None:
        self.fields = tuple((name, value.strip()[:LONGEST_VALUE]) for name, value in fields)

    def get(self, name: str, default: str = "") -> str:
        """The first value of a field."""
        return next((value for each, value in self.fields if each == name), default)

    def all(self, name: str) -> list[str]:
        """Every value of a field that is not empty, each once."""
        return list(dict.fromkeys(value for each, value in self.fields if each == name and value))

    def __bool__(self) -> bool:
        return bool(self.fields)


async def _always() -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Asked:
    """One request that passed every check of its door.

    who: nobody (None) at doors that are open to all. path: what stood in the address. query, form: their fields.
    body: what was sent that is no form. token: what its forms and scripts must send back. theme: auto, light, dark.
    here: the address without its query, for navigation. origin: under which the console was asked for, which is one
    of its own. still: whether the session holds, for what streams.
    """

    who: Person | None = None
    path: Mapping[str, str] = field(default_factory=dict)
    query: Fields = field(default_factory=Fields)
    form: Fields = field(default_factory=Fields)
    body: bytes = field(default=b"", repr=False)
    language: str = "en"
    theme: str = "auto"
    token: str = field(default="", repr=False)
    secret: str = field(default="", repr=False)
    cookies: Mapping[str, str] = field(default_factory=dict, repr=False)
    address: str = ""
    here: str = "/"
    origin: str = ""
    still: Callable[[], Awaitable[bool]] = _always

    @property
    def person(self) -> Person:
        """Who asks, at a door that needs to know."""
        if self.who is None:
            raise Refused("nobody", 403)
        return self.who

    def json(self) -> dict[str, Any]:
        """The body as a JSON object. Raises Refused `unreadable` where it is none."""
        try:
            found = json.loads(self.body)
        except (ValueError, RecursionError):
            raise Refused("unreadable", 400) from None
        if not isinstance(found, dict):
            raise Refused("unreadable", 400)
        return found


class Refused(Exception):
    """A request is not answered as asked. code: a phrase `error_<code>`, with its figures."""

    def __init__(self, code: str, status: int = 400, **figures: object) -> None:
        super().__init__(code)
        self.code, self.status, self.figures = code, status, figures


def form_of(body: bytes) -> Fields:
    """The fields of a form's body. Raises Refused `unreadable` for one with too many fields or that is no UTF-8."""
    try:
        return Fields(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS))
    except ValueError:
        raise Refused("unreadable", 400) from None
