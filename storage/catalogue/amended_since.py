"""What the catalogue knows of a screening's amendments beside a revision that was read, late ones as well."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import TypeAdapter
from sqlalchemy import Connection, text

from sonovan.contracts.amendments import AmendmentInForce

NOW: Final = """
SELECT amendment_number, kind, because, laterality, sequence_ids, withdraws_screening, withdraws_ai
FROM amendments WHERE screening_id = {screening} AND kind <> 'seen' ORDER BY amendment_number
"""
"""The amendments in force, whether or not a revision was made of them; for `sonovan export report` as well, which asks
with the id in place."""

_OF_REVISIONS: Final = """
SELECT r.revision_id, r.amendments FROM revision r
JOIN opening o ON o.screening_id = r.screening_id AND o.van_id = r.van_id
WHERE r.screening_id = :screening ORDER BY r.revision_number DESC, r.revision_id DESC
"""

_NAMED: Final = TypeAdapter(tuple[AmendmentInForce, ...])


@dataclass(frozen=True, slots=True)
class Amendments:
    """What a screening's amendments are by each that says so.

    read: as the revision names them that was read. newest: as the newest revision does, a preliminary one too. now: the
    records of amendments in force, of which one that came after the screening's rows were deleted is in no revision.
    """

    read: tuple[AmendmentInForce, ...]
    newest: tuple[AmendmentInForce, ...]
    now: tuple[AmendmentInForce, ...]


def amendments_beside(connection: Connection, screening_id: str, revision_id: str) -> Amendments:
    """The amendments of a screening, beside those of the revision that was read."""
    given = {"screening": screening_id}
    revisions = {
        row.revision_id: _NAMED.validate_python(_json(row.amendments))
        for row in connection.execute(text(_OF_REVISIONS), given)
    }
    now = connection.execute(text(NOW.format(screening=":screening")), given).mappings()
    newest = next(iter(revisions.values()), ())
    return Amendments(revisions.get(revision_id, ()), newest, amendments_of([dict(row) for row in now]))


def amendments_of(rows: Sequence[Mapping[str, Any]]) -> tuple[AmendmentInForce, ...]:
    """Rows of NOW as a revision would name them; their sweeps are all that were named, arrived or not."""
    return tuple(
        AmendmentInForce(
            amendment_number=row["amendment_number"],
            kind=row["kind"],
            because=row["because"],
            laterality=row["laterality"] if row["kind"] == "side" else None,
            sequence_ids=tuple(_json(row["sequence_ids"]) or ()),
            withdrawn=(
                *(("screening",) if row["withdraws_screening"] else ()),
                *(("ai",) if row["withdraws_ai"] else ()),
            ),
        )
        for row in rows
    )


def _json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value
