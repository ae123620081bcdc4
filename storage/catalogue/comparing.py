"""Which earlier screening of the same woman another one is compared with, and what readers said of it.

The catalogue alone joins a woman's screenings, for openings are kept 90 days and no other record has her subject key.
"""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, text

from sonovan.contracts.conclusions import ScreeningConcluded
from sonovan.storage.catalogue.concluded import Reported, conclusions_of, reported
from sonovan.storage.catalogue.tables_erased import ERASED

_EARLIER: Final = f"""
SELECT e.screening_id, s.site_code, substr(CAST(s.opened_at AS TEXT), 1, 10) AS opened_on,
  substr(CAST(n.opened_at AS TEXT), 1, 10) AS now_on
FROM women w JOIN women e ON e.subject_key = w.subject_key AND e.screening_id < w.screening_id
JOIN screenings s ON s.screening_id = e.screening_id JOIN screenings n ON n.screening_id = w.screening_id
WHERE w.screening_id = :screening AND NOT s.void AND s.consent_screening AND s.consent_ai
  AND NOT n.void AND n.consent_screening AND n.consent_ai AND s.status IN ('complete', 'incomplete')
  AND NOT EXISTS (SELECT 1 FROM {ERASED.name} g WHERE g.screening_id = e.screening_id)
ORDER BY e.screening_id DESC LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class EarlierScreening:
    """The newest earlier screening that counts. opened_on, now_on: days, by the vans, of this one and of the other.

    revision: its newest one with a report. conclusions: every one that was signed.
    """

    screening_id: str
    site_code: str
    opened_on: str
    now_on: str
    revision: Reported
    conclusions: tuple[ScreeningConcluded, ...]


def earlier_of(connection: Connection, screening_id: str) -> EarlierScreening | None:
    """The screening with which this one is compared; None where there is none.

    It is of the woman to whom this one belongs by the amendments in force, has a report, is not erased or void, and she
    agrees, for both, to be screened and read by a machine.
    """
    row = connection.execute(text(_EARLIER), {"screening": screening_id}).one_or_none()
    revisions = [] if row is None else reported(connection, row.screening_id)
    if row is None or not revisions or revisions[0].silenced:
        return None
    return EarlierScreening(
        row.screening_id,
        row.site_code,
        str(row.opened_on),
        str(row.now_on),
        revisions[0],
        tuple(conclusions_of(connection, row.screening_id)),
    )
