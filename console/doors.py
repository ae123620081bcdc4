"""The table of doors: which address is answered, to whom, and whether it is noted. What has no row is not answered."""

import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from starlette.responses import Response

from sonovan.console.asked import Asked
from sonovan.console.roles import Role

if TYPE_CHECKING:
    from sonovan.console.world import Console

Handler: TypeAlias = "Callable[[Console, Asked], Awaitable[Response]]"

LONGEST_BODY: Final = 64 * 1024
HER: Final = "screening_id"
"""A parameter of an address by this name is a woman's screening: its site is looked at before anything else, and
whoever opens such a door is noted."""
_PARAMETER: Final = re.compile(r"{(\w+)}")


@dataclass(frozen=True, slots=True)
class Door:
    """One row.

    roles: who may; empty is a door that is open to all, and needs no session. audited: the code of the act under which
    the audit notes each opening, with the parameters of the address; `once` notes it at the first time in a session
    alone (pictures of a page that was noted). longest: bytes that may be sent to it. background: asking for it is no
    sign that somebody is there (a page that renews itself). early: what a person may still owe (`Person.needs`) and
    yet be answered here. shown: the name in the navigation, phrase `nav_<shown>`, with its key after `g`.
    """

    method: Literal["GET", "POST"]
    path: str
    handler: Handler
    roles: frozenset[Role]
    audited: str | None = None
    once: bool = False
    longest: int = LONGEST_BODY
    background: bool = False
    early: tuple[str, ...] = ()
    shown: str | None = None
    key: str | None = None

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of what stands in the address."""
        return tuple(_PARAMETER.findall(self.path))


def door(
    method: Literal["GET", "POST"],
    path: str,
    handler: Handler,
    *,
    roles: Iterable[Role],
    audited: str | None = None,
    once: bool = False,
    longest: int = LONGEST_BODY,
    background: bool = False,
    early: tuple[str, ...] = (),
    shown: str | None = None,
    key: str | None = None,
) -> Door:
    """A row for people of some roles. Raises ValueError where it names no role, or a woman and no act."""
    made = Door(method, path, handler, frozenset(roles), audited, once, longest, background, early, shown, key)
    if not made.roles:
        raise ValueError(f"{path}: a door needs roles; one that is open to all is made by open_door")
    if HER in made.parameters and audited is None:
        raise ValueError(f"{path}: who looks at a woman is noted; name the act")
    if (shown is None) != (key is None):
        raise ValueError(f"{path}: what stands in the navigation has a key")
    return made


def open_door(method: Literal["GET", "POST"], path: str, handler: Handler) -> Door:
    """A row that needs no session: nothing behind it tells anything of anybody."""
    return Door(method, path, handler, frozenset())


def checked(doors: Iterable[Door]) -> tuple[Door, ...]:
    """All rows. Raises ValueError where two have the same method and address, or the same key."""
    found: dict[tuple[str, str], Door] = {}
    keys: set[str] = set()
    for each in doors:
        at = (each.method, _PARAMETER.sub("{}", each.path))
        if at in found:
            raise ValueError(f"{each.method} {each.path} stands twice in the table of doors")
        if each.key is not None and each.key in keys:
            raise ValueError(f"{each.path}: the key {each.key} is taken")
        found[at] = each
        keys |= {each.key} if each.key is not None else set()
    return tuple(found.values())
