"""The rows of a data set for research, read from the catalogue as it was at a moment, with consent as it is now."""

import json
from collections import defaultdict
from datetime import date
from typing import Any, Final

from sqlalchemy import Connection, text

from sonovan.contracts.conclusions import ScreeningConcluded
from sonovan.contracts.errors import Transient
from sonovan.storage.catalogue.schema import version
from sonovan.storage.dataset_rows import FrameRow, ReviewRow, ScreeningRow

_NEWEST: Final = """
SELECT r.* FROM revision r WHERE r.at_ms <= :until AND NOT EXISTS (
  SELECT 1 FROM revision n WHERE n.screening_id = r.screening_id AND n.at_ms <= :until AND (
    n.revision_number > r.revision_number OR (n.revision_number = r.revision_number AND n.revision_id > r.revision_id)))
"""

_SCREENINGS: Final = f"""
SELECT o.screening_id, w.subject_key, o.site_code,
  coalesce(CAST(r.examined_on AS TEXT), substr(CAST(o.opened_at AS TEXT), 1, 10)) AS examined_on,
  (SELECT c.age_years FROM clinical_record c WHERE c.screening_id = o.screening_id AND c.van_id = o.van_id
    AND c.at_ms <= :until ORDER BY c.features_number DESC LIMIT 1) AS age_years,
  o.consent_research AND coalesce(f.no_research, 0) = 0 AS research,
  coalesce(f.no_research, 0) = 1 AS withdrew,
  o.consent_screening AND coalesce(f.no_screening, 0) = 0 AS screening,
  o.consent_ai AND coalesce(f.no_ai, 0) = 0 AND NOT r.silenced AS ai, coalesce(f.void, 0) = 1 AS void
FROM opening o JOIN women w ON w.screening_id = o.screening_id
JOIN ({_NEWEST}) r ON r.screening_id = o.screening_id AND r.van_id = o.van_id
LEFT JOIN in_force f ON f.screening_id = o.screening_id
WHERE o.at_ms <= :until ORDER BY o.screening_id
"""

_FRAMES: Final = f"""
SELECT f.screening_id, f.sequence_id, f.frame_index, f.organ, coalesce(q.laterality, f.laterality) AS laterality,
  f.view, f.mode, f.rows_px AS rows, f.columns_px AS columns, f.codec, f.pixels_sha256, f.quality, f.assessable,
  f.image_key, f.image_sha256, f.mask_key, f.mask_sha256, f.model_id
FROM frame f JOIN ({_NEWEST}) r ON r.screening_id = f.screening_id AND r.van_id = f.van_id
  AND r.fingerprint = f.fingerprint AND NOT r.silenced
LEFT JOIN sequence_result q ON q.sequence_id = f.sequence_id AND q.revision_id = r.revision_id
WHERE f.at_ms <= :until ORDER BY f.sequence_id, f.frame_index
"""

_CONCLUSIONS: Final = """
SELECT screening_id, record FROM conclusion WHERE at_ms <= :until ORDER BY screening_id, conclusion_number
"""

_OUTCOMES: Final = """
SELECT o.screening_id, o.kind, o.happened_on, o.organ, o.laterality, o.result, o.bi_rads, o.bethesda
FROM outcome o WHERE o.at_ms <= :until AND o.kind <> 'recorded_by_mistake' AND NOT EXISTS (
  SELECT 1 FROM outcome n WHERE n.amends = o.outcome_id AND n.screening_id = o.screening_id AND n.at_ms <= :until)
ORDER BY o.screening_id, o.happened_on, o.outcome_id
"""

_REVIEWS: Final = """
SELECT review_id, sequence_id, frame_index, image_sha256, reader, blind, mask_key, mask_sha256
FROM review WHERE at_ms <= :until ORDER BY review_id
"""


def read_dataset(connection: Connection, until_ms: int) -> tuple[list[ScreeningRow], list[FrameRow], list[ReviewRow]]:
    """Screenings that have a revision, their frames by its network, and all reviews, as the broker had them then.

    until_ms: until when, since 1970. Amendments count whenever they came: consent that is taken back later is taken
    back.
    Raises Transient where there is no catalogue yet.
    """
    if version(connection) is None:
        raise Transient("there is no catalogue yet: start the worker `catalog` and wait until it has read the topics")
    signed, became = _conclusions(connection, until_ms), defaultdict[str, list[dict[str, Any]]](list)
    for row in _rows(connection, _OUTCOMES, until_ms):
        became[row["screening_id"]].append(row)
    screenings = [
        ScreeningRow(
            conclusions=tuple(signed.get(row["screening_id"], ())),
            outcomes=tuple(_outcome(each, _day(row)) for each in became[row["screening_id"]]),
            **{**row, **_truth(row, ("research", "withdrew", "screening", "ai", "void")), "examined_on": _day(row)},
        )
        for row in _rows(connection, _SCREENINGS, until_ms)
    ]
    frames = [FrameRow(**{**row, **_truth(row, ("assessable",))}) for row in _rows(connection, _FRAMES, until_ms)]
    reviews = [ReviewRow(**{**row, **_truth(row, ("blind",))}) for row in _rows(connection, _REVIEWS, until_ms)]
    return screenings, frames, reviews


def _conclusions(connection: Connection, until_ms: int) -> dict[str, list[ScreeningConcluded]]:
    """By screening, every conclusion that was signed then."""
    signed = defaultdict[str, list[ScreeningConcluded]](list)
    for row in _rows(connection, _CONCLUSIONS, until_ms):
        told = row["record"]
        record = ScreeningConcluded.from_document(json.loads(told) if isinstance(told, str) else told)
        signed[record.screening_id].append(record)
    return signed


def _outcome(row: dict[str, Any], examined_on: date) -> str:
    """An outcome in codes. Its day stands as days since the examination, for dates are shifted."""
    place = [f"{row['organ']}.{row['laterality'] or 'none'}"] if row["organ"] else []
    figures = [f"BI-RADS:{row['bi_rads']}"] if row["bi_rads"] else []
    figures += [f"Bethesda:{row['bethesda']}"] if row["bethesda"] else []
    result = [row["result"]] if row["result"] else []
    days = (date.fromisoformat(str(row["happened_on"])) - examined_on).days
    return " ".join([row["kind"], *place, *result, *figures, f"{days:+d}d"])


def _rows(connection: Connection, query: str, until_ms: int) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.execute(text(query), {"until": until_ms}).mappings()]


def _truth(row: dict[str, Any], names: tuple[str, ...]) -> dict[str, bool]:
    """SQLite says 1 where PostgreSQL says true."""
    return {name: bool(row[name]) for name in names}


def _day(row: dict[str, Any]) -> date:
    return date.fromisoformat(row["examined_on"])
