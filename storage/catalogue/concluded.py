"""What the console asks of the catalogue to have a screening signed: what there is to read, and what was signed."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, text

from sonovan.contracts.conclusions import ScreeningConcluded
from sonovan.contracts.outcomes import OutcomeRecorded
from sonovan.storage.catalogue.bound import as_stored, rows_of_query
from sonovan.storage.catalogue.cine import StoredPicture

_REPORTED: Final = """
SELECT r.revision_id, r.revision_number, r.status, r.van_id, r.silenced, r.ended, r.report_json_key,
  r.report_json_sha256
FROM revision r JOIN opening o ON o.screening_id = r.screening_id AND o.van_id = r.van_id
WHERE r.screening_id = :screening AND r.report_json_key IS NOT NULL ORDER BY r.revision_number DESC, r.revision_id DESC
"""

_NEWEST: Final = "SELECT revision_number FROM screening WHERE screening_id = :screening"

_SIGNED: Final = """
SELECT record FROM conclusion WHERE screening_id = :screening ORDER BY conclusion_number, conclusion_id
"""

_DRAWN: Final = """
SELECT mask_key, mask_sha256 FROM review
WHERE screening_id = :screening AND sequence_id = :sequence AND frame_index = :frame AND image_sha256 = :image
  AND reader = :reader AND reviewed_at <= :signed
ORDER BY review_id DESC LIMIT 1
"""

_OUTCOMES: Final = """
SELECT outcome_id, kind, happened_on, organ, laterality, finding_id, result, bi_rads, bethesda, operator, recorded_at
FROM outcomes WHERE screening_id = :screening ORDER BY happened_on, outcome_id
"""

_CALL_BACK: Final = """
SELECT c.*, w.slip_number FROM call_back c LEFT JOIN women w ON w.screening_id = c.screening_id
ORDER BY c.signed_at, c.screening_id
"""

_CALL_BACK_SIDES: Final = """
SELECT screening_id, organ, laterality, action FROM call_back_sides ORDER BY screening_id, organ, laterality
"""

_ALERTS: Final = """
SELECT a.alert_id, a.screening_id, a.raised_in, a.about, a.about_kind, a.state, a.severity, a.rule, a.because,
  a.acknowledged_by, a.acknowledged_at, a.as_of, s.van_id, o.site_code, w.slip_number,
  (SELECT t.because FROM alert_step t WHERE t.alert_id = a.alert_id AND t.raised_in = a.raised_in
    AND t.step = 'closed' ORDER BY t.at_ms DESC, t.at_offset DESC LIMIT 1) AS closed_because,
  (SELECT max(t.at_ms) FROM alert_step t WHERE t.alert_id = a.alert_id AND t.raised_in = a.raised_in
    AND t.step = 'closed') AS closed_ms,
  (SELECT max(n.answered_by) FROM alert_answer n WHERE n.alert_id = a.alert_id AND n.raised_in = a.raised_in)
    AS answered_by
FROM alert a LEFT JOIN screening s ON s.screening_id = a.screening_id
LEFT JOIN opening o ON o.screening_id = a.screening_id AND o.van_id = s.van_id
LEFT JOIN women w ON w.screening_id = a.screening_id
"""

_PLACE: Final = """
SELECT s.screening_id, s.van_id, s.site_code, s.opened_at, s.examined_on, w.slip_number, c.action, c.signed_at
FROM screenings s LEFT JOIN women w ON w.screening_id = s.screening_id
LEFT JOIN signed c ON c.screening_id = s.screening_id WHERE s.screening_id = :screening
"""

_YESTERDAY: Final = """
SELECT s.screening_id, s.van_id, s.site_code, s.opened_at, s.status, s.revision_number, w.slip_number, c.signed_at,
  c.action, c.calls_back, c.to_arbitrate
FROM screenings s LEFT JOIN signed c ON c.screening_id = s.screening_id
LEFT JOIN women w ON w.screening_id = s.screening_id
WHERE s.opened_at >= :from AND s.opened_at < :before AND NOT s.void AND s.consent_screening
ORDER BY s.van_id, s.opened_at, s.screening_id
"""

_SCANNED_BY: Final = """
SELECT DISTINCT c.screening_id, c.operator FROM closed_sweeps c
JOIN opening o ON o.screening_id = c.screening_id
WHERE o.opened_at >= :from AND o.opened_at < :before AND c.operator IS NOT NULL ORDER BY c.operator
"""


@dataclass(frozen=True, slots=True)
class Reported:
    """A revision with a report: what a reader signs. silenced, ended: as in the revision."""

    revision_id: str
    revision_number: int
    status: str
    van_id: str
    silenced: bool
    ended: bool
    report_json_key: str
    report_json_sha256: str


def reported(connection: Connection, screening_id: str) -> list[Reported]:
    """Every revision of the opener's van that has a report, the newest first."""
    rows = connection.execute(text(_REPORTED), {"screening": screening_id}).mappings()
    return [Reported(**{**row, "silenced": bool(row["silenced"]), "ended": bool(row["ended"])}) for row in rows]


def newest_number(connection: Connection, screening_id: str) -> int | None:
    """The number of the newest revision, a preliminary one too; None before any."""
    found = connection.execute(text(_NEWEST), {"screening": screening_id}).scalar_one_or_none()
    return None if found is None else int(found)


def conclusions_of(connection: Connection, screening_id: str) -> list[ScreeningConcluded]:
    """Every conclusion of a screening as it was signed, by number."""
    rows = connection.execute(text(_SIGNED), {"screening": screening_id}).scalars()
    return [ScreeningConcluded.from_document(_json(row)) for row in rows]


def drawn_before(
    connection: Connection, picture: StoredPicture, reader: str, signed_at: datetime
) -> tuple[str, str] | None:
    """Key and sha256 of the mask that a reader drew last on a frame before signing; None where there is none, or where
    the reader outlined nothing last."""
    asked = {
        "screening": picture.screening_id,
        "sequence": picture.sequence_id,
        "frame": picture.frame_index,
        "image": picture.image_sha256,
        "reader": reader,
        "signed": as_stored(connection, signed_at),
    }
    row = connection.execute(text(_DRAWN), asked).one_or_none()
    return None if row is None or row.mask_key is None else (row.mask_key, row.mask_sha256)


def outcomes_of(connection: Connection, screening_id: str) -> list[OutcomeRecorded]:
    """What became of her, without what was replaced, by day."""
    rows = connection.execute(text(_OUTCOMES), {"screening": screening_id}).mappings()
    return [
        OutcomeRecorded.model_validate(
            {**{name: value for name, value in row.items() if name != "operator"},
             "screening_id": screening_id, "by": row["operator"]}
        )
        for row in rows
    ]  # fmt: skip


def to_call_back(connection: Connection, sites: Sequence[str] | None) -> list[dict[str, Any]]:
    """Who is asked to come and has not come, longest first. sites: None is every site.

    sides: those for which she has still to come, each by its `organ`, `laterality` and `action`.
    """
    sides: dict[str, list[dict[str, Any]]] = {}
    for each in connection.execute(text(_CALL_BACK_SIDES)).mappings():
        sides.setdefault(each["screening_id"], []).append(dict(each))
    found = _of_sites(connection, _CALL_BACK, {}, sites)
    return [{**row, "sides": sides.get(row["screening_id"], [])} for row in found]


def alerts_now(connection: Connection, sites: Sequence[str] | None, *, closed: bool = False) -> list[dict[str, Any]]:
    """Alerts that stand, the newest first; those that were closed, or whose cause is gone unseen, where asked for."""
    found = _of_sites(connection, _ALERTS, {}, sites)
    for each in found:
        each["about"], each["because"] = _json(each["about"]), _json(each["because"])
    standing = [each for each in found if (each["closed_because"] is None and each["state"] != "withdrawn") != closed]
    return sorted(standing, key=lambda each: str(each["as_of"]), reverse=True)


def day_of_vans(
    connection: Connection, begins: datetime, ends: datetime, sites: Sequence[str] | None
) -> list[dict[str, Any]]:
    """The women whose screenings vans opened from `begins` on and before `ends`, and what has become of each since.

    operators: the codes of who scanned her, none where nobody said so.
    """
    day = {"from": as_stored(connection, begins), "before": as_stored(connection, ends)}
    found = _of_sites(connection, _YESTERDAY, day, sites)
    scanned_by: dict[str, list[str]] = {}
    for row in connection.execute(text(_SCANNED_BY), day):
        scanned_by.setdefault(row.screening_id, []).append(row.operator)
    return [{**row, "operators": tuple(scanned_by.get(row["screening_id"], ()))} for row in found]


def alert_of(connection: Connection, alert_id: str, sites: Sequence[str] | None) -> dict[str, Any] | None:
    """How one alert stands; None where there is none at these sites."""
    found = _of_sites(connection, f"{_ALERTS} WHERE a.alert_id = :alert", {"alert": alert_id}, sites)
    return found[0] if found else None


def place_of(connection: Connection, screening_id: str) -> dict[str, Any] | None:
    """Van, site, day and slip of a screening, and what is recommended by the conclusion that counts."""
    row = connection.execute(text(_PLACE), {"screening": screening_id}).mappings().one_or_none()
    return None if row is None else dict(row)


def _of_sites(
    connection: Connection, query: str, given: dict[str, Any], sites: Sequence[str] | None
) -> list[dict[str, Any]]:
    if sites is None:
        return rows_of_query(connection, query, given)
    within = f"SELECT * FROM ({query}) told WHERE site_code IN :sites"
    return rows_of_query(connection, within, {**given, "sites": sorted(sites)})


def _json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value
