"""Which earlier screening of the same woman another one is compared with, and what readers said of it.

The catalogue alone joins a woman's screenings, for openings are kept 90 days and no other record has her subject key.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import Connection, text

from sonovan.contracts.conclusions import ScreeningConcluded
from sonovan.storage.catalogue.concluded import Reported, conclusions_of, reported

EARLIER: Final = """
SELECT c.earlier_screening_id, e.site_code, substr(CAST(e.opened_at AS TEXT), 1, 10) AS opened_on,
  substr(CAST(n.opened_at AS TEXT), 1, 10) AS now_on
FROM compared_with c JOIN screenings e ON e.screening_id = c.earlier_screening_id
JOIN screenings n ON n.screening_id = c.screening_id WHERE c.screening_id = {screening}
"""
"""Asks views alone, so that whoever only reads the catalogue may ask it. `screening`: a parameter, or a quoted id."""


@dataclass(frozen=True, slots=True)
class Visit:
    """An earlier screening that counts. days: from its opening to that of the later one, by the vans' clocks."""

    screening_id: str
    site_code: str
    days: int


@dataclass(frozen=True, slots=True)
class EarlierScreening:
    """A visit with its newest revision that has a report, and every conclusion that was signed of it."""

    visit: Visit
    revision: Reported
    conclusions: tuple[ScreeningConcluded, ...]


def visit_of(row: tuple[Any, ...]) -> Visit:
    """The visit in a row of `EARLIER`."""
    screening_id, site_code, opened_on, now_on = map(str, row)
    days = (date.fromisoformat(now_on) - date.fromisoformat(opened_on)).days
    return Visit(screening_id, site_code, max(days, 0))


def earlier_of(connection: Connection, screening_id: str) -> EarlierScreening | None:
    """The screening with which this one is compared (view `compared_with`); None where there is none with a report.

    It is of the woman to whom this one belongs by the amendments in force, is not erased or void, and she agrees, for
    both, to be screened and read by a machine.
    """
    asked = text(EARLIER.format(screening=":screening"))
    row = connection.execute(asked, {"screening": screening_id}).one_or_none()
    if row is None:
        return None
    visit = visit_of(tuple(row))
    revisions = reported(connection, visit.screening_id)
    if not revisions:
        return None
    return EarlierScreening(visit, revisions[0], tuple(conclusions_of(connection, visit.screening_id)))
