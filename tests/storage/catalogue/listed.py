"""Rows of the worklist for tests and benchmarks, written into the table as they are."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, insert

from sonovan.contracts.ids import mint_id
from sonovan.storage.catalogue.changes import moment
from sonovan.storage.catalogue.tables_listed import LISTED

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
_MOMENTS = ("opened_at", "closed_at", "left_at", "as_of", "signed_at")


def row(**other: Any) -> dict[str, Any]:
    """A complete negative screening of yesterday, unless told otherwise. number: makes its id."""
    number = other.pop("number", 0)
    opened = other.get("opened_at", NOW - timedelta(hours=20))
    made: dict[str, Any] = {
        "screening_id": mint_id(1_772_000_000_000 + number, lambda size: sha256(str(number).encode()).digest()[:size]),
        "van_id": "van-1",
        "site_code": "site-1",
        "slip_number": f"S{number:05d}",
        "opened_at": opened,
        "closed_at": None if opened is None else opened + timedelta(minutes=20),
        "stays": False,
        "left_at": None,
        "breast": True,
        "thyroid": False,
        "status": "complete",
        "revision_number": 2,
        "as_of": opened,
        "frames": 300,
        "findings": 0,
        "referred": False,
        "marked": False,
        "silenced": False,
        "unseen": 0,
        "rank": 0.0,
        "signed_at": None,
        "signed_by": None,
        "signed_revision_number": None,
        "readings": 0,
        "to_arbitrate": False,
        "single_reading": None,
        "waiting": True,
        "changed_ms": 1,
    }
    return {**made, **other}


def put(connection: Connection, rows: Iterable[dict[str, Any]]) -> None:
    """Write rows as they are."""
    plain = connection.dialect.name == "postgresql"
    made = [
        {
            name: moment(value) if name in _MOMENTS and value is not None and not plain else value
            for name, value in each.items()
        }
        for each in rows
    ]
    if made:
        connection.execute(insert(LISTED), made)
