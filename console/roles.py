"""Who does what in a programme. A person may have several roles; what no role opens stays shut."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """operator scans on a van, reader reads and signs, lead is answerable for readers and results, engineer keeps it
    running, auditor looks at who did what, administrator says who comes in as what and sees no woman."""

    OPERATOR = "operator"
    READER = "reader"
    LEAD = "lead"
    ENGINEER = "engineer"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"


NEEDS: Final = ("password", "code", "enrol")
"""What a person may still owe; each is the address at which it is shown."""
EVERYBODY: Final = frozenset(Role)
CLINICAL: Final = frozenset({Role.READER, Role.LEAD})
OVERSIGHT: Final = frozenset({Role.LEAD, Role.ENGINEER})
"""Who looks at how vans, stages and networks do."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who asks. code: of the account, never a name. sites: whose women they may see; None is every site.

    needs: what must be done before anything else is shown: `password` (given by somebody else), `enrol` (set up a
    second factor) or `code` (show it); empty where nothing.
    """

    code: str
    roles: frozenset[Role]
    sites: frozenset[str] | None
    needs: str = ""

    def sees(self, site: str | None) -> bool:
        """Whether they may see what belongs to a site; what belongs to no known site only who may see every one."""
        return self.sites is None or site in self.sites

    def sees_all_of(self, sites: frozenset[str] | None) -> bool:
        """Whether each of these sites is among theirs. sites: None is every site."""
        return self.sites is None or (sites is not None and sites <= self.sites)

    def may(self, roles: frozenset[Role]) -> bool:
        """Whether one of their roles is among these."""
        return bool(self.roles & roles)
