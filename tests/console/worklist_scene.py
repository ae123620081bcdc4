"""A worklist with a row in every queue, for tests of the console; moments are those of the tests' clock."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from tests.console.world import Clock
from tests.storage.catalogue.listed import put, row

NOW = datetime.fromtimestamp(Clock().now_ms / 1000, UTC)


def made() -> list[dict[str, Any]]:
    """Suspicious ones of two sites, an inadequate one, a negative one, one on the couch, one that waits too long, one
    that was signed before a newer revision came."""
    day = {"opened_at": NOW - timedelta(hours=5), "site_code": "north"}
    return [
        row(number=1, rank=-0.9, findings=2, **day),
        row(number=2, rank=-0.5, findings=1, marked=True, **day),
        row(number=3, rank=-2.0, referred=True, **day),
        row(number=4, rank=-0.7, findings=1, **{**day, "site_code": "south"}),
        row(number=5, unseen=2, status="incomplete", **day),
        row(number=6, **day),
        row(number=7, **{**day, "opened_at": NOW - timedelta(minutes=12)}, closed_at=None, status="preliminary"),
        row(number=8, **{**day, "opened_at": NOW - timedelta(days=5)}),
        row(
            number=9, **day, waiting=False, signed_at=NOW, signed_by="dr-9", signed_revision_number=1, readings=1,
        ),
        *(row(number=10 + each, **{**day, "opened_at": NOW - timedelta(hours=7, minutes=each)}) for each in range(5)),
    ]  # fmt: skip


def rows(connection: Connection) -> None:
    """Put them into a catalogue."""
    put(connection, made())


def ids() -> dict[int, str]:
    """Number → screening."""
    return {number: each["screening_id"] for number, each in enumerate(made(), start=1)}
