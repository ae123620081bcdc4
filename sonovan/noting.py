"""Commands note in the audit who did what, before it is done."""

import getpass
import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from sonovan.storage.audit import Act, Audit

STATEMENT_CHARACTERS: Final = 4000


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


def note_question(state: Path, statement: str, rows: int, into_file: bool) -> str:
    """Note who asks the catalogue what, before it is asked; the line's hash. Raises Transient as `note`.

    statement: kept as it was typed, its first STATEMENT_CHARACTERS; no view has a name that it could ask for.
    """
    about: dict[str, str | int | bool | None] = {
        "sql": statement[:STATEMENT_CHARACTERS], "sql_sha256": hashlib.sha256(statement.encode()).hexdigest(),
        "rows": rows, "into_file": into_file,
    }  # fmt: skip
    return note(state, "catalog.asked", about)


def operator() -> str:
    """The account on this machine, as a code that a record may hold."""
    name = re.sub(r"[^A-Za-z0-9_.-]", "-", getpass.getuser())[:64]
    return name if name[:1].isalnum() else "operator"
