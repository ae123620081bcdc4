"""What one message changes in the catalogue, as plain values that every database takes."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from pydantic import BaseModel

from sonovan.contracts.moments import ms_of

Row = Mapping[str, Any]
"""Column → value: text, number, bool, None; times and JSON as text. Without the columns that say where it stands."""

_ENCODE: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode
"""Made once: `json.dumps` makes an encoder at each call."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a message stands in its topic, and when the broker appended it (ms since 1970)."""

    topic: str
    partition: int
    offset: int
    at_ms: int

    @classmethod
    def of(cls, topic: str, partition: int, offset: int, appended_at: datetime) -> "Place":
        """From the append time as a datetime."""
        return cls(topic, partition, offset, ms_of(appended_at))


@dataclass(frozen=True, slots=True)
class Change:
    """The rows that one message makes, by table; none where it says nothing that is kept."""

    place: Place
    rows: Sequence[tuple[str, Row]]


def moment(value: datetime) -> str:
    """UTC to the millisecond, `2026-03-01T09:00:00.000Z`."""
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def text(value: Any) -> str:
    """JSON in one spelling: equal values are equal text."""
    return _ENCODE(value)


def listed(parts: Iterable[BaseModel]) -> str:
    """Parts of a record as a JSON list."""
    found = [each.model_dump(mode="json") for each in parts]
    return _ENCODE(found) if found else "[]"
