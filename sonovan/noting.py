"""Commands note in the audit who did what, before it is done."""

import getpass
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from sonovan.storage.audit import Act, Audit


def note(
    state: Path,
    what: str,
    about: Mapping[str, str | int | bool | None],
    why: str | None = None,
    *,
    by: str | None = None,
    at: datetime | None = None,
) -> str:
    """Add one line to the audit of the state folder; its hash.

    by: a reader's code; the account on this machine where none is given. Raises Transient where the line cannot be
    kept: what was to be noted must not be done then.
    """
    return Audit(state).add(Act(what, by or operator(), at or datetime.now(UTC), about, why))


def operator() -> str:
    """The account on this machine, as a code that a record may hold."""
    name = re.sub(r"[^A-Za-z0-9_.-]", "-", getpass.getuser())[:64]
    return name if name[:1].isalnum() else "operator"
