"""Tables of figures: as a page shows them, each figure with a link to what is behind it, and as CSV."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

from starlette.responses import Response

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""How a cell begins that a spreadsheet would run."""


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in a cell, and where it leads. warn: it is to be looked at."""

    text: str
    href: str | None = None
    warn: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """A table of a page. columns: as people read them. anchor: names its rows in addresses, as `anchor-number`."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    anchor: str | None = None


def cell(value: object, href: str | None = None, *, warn: bool = False) -> Cell:
    """A value as people read it: nothing known is a dash."""
    return Cell(told(value) or "–", href, warn)


def told(value: object) -> str:
    """A value as text, the same in every language; empty where it is not known."""
    match value:
        case None:
            return ""
        case bool():
            return "1" if value else "0"
        case float():
            return f"{value:.4g}"
        case datetime():
            return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        case date():
            return value.isoformat()
        case _:
            return str(value)


def csv_of(name: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Response:
    """A file of comma-separated values, which a spreadsheet takes as text: nothing in it is run as a formula."""
    made = io.StringIO()
    writer = csv.writer(made, lineterminator="\r\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_harmless(told(value)) for value in row])
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return Response("\ufeff" + made.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)


def _harmless(text: str) -> str:
    if not text.startswith(_FORMULA):
        return text
    try:
        float(text)
    except ValueError:
        return "'" + text
    return text
