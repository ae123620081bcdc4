"""Frames of which two networks have a result: the one that counts for their screening, and a shadow."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, text

from sonovan.storage.catalogue.bound import rows_of_query

MOST_FRAMES: Final = 20_000
"""Of the newest screenings; figures rest on no more."""

_PAIRS: Final = """
SELECT r.screening_id, r.sequence_id, r.frame_index, f.model_id AS running_model, r.model_id AS candidate_model,
  f.regions AS running_regions, r.regions AS candidate_regions, f.assessable AS running_assessable,
  r.assessable AS candidate_assessable, f.quality AS running_quality, r.quality AS candidate_quality,
  f.predicted_dice AS running_predicted, r.predicted_dice AS candidate_predicted,
  r.mask_key, r.mask_sha256, f.mask_key AS running_mask_key, f.mask_sha256 AS running_mask_sha256
FROM frame_replayed r
JOIN listed l ON l.screening_id = r.screening_id
JOIN screening s ON s.screening_id = r.screening_id AND NOT s.ended AND NOT s.silenced
JOIN frame f ON f.sequence_id = r.sequence_id AND f.frame_index = r.frame_index AND f.van_id = r.van_id
  AND f.fingerprint = s.fingerprint
WHERE r.fingerprint = :fingerprint AND f.fingerprint <> r.fingerprint
"""


@dataclass(frozen=True, slots=True)
class Side:
    """What one network says of a frame. mask_key: None where it outlined nothing."""

    model_id: str
    regions: int
    assessable: bool
    quality: float
    predicted_dice: float | None
    mask_key: str | None
    mask_sha256: str | None


@dataclass(frozen=True, slots=True)
class Both:
    """One frame by both networks."""

    screening_id: str
    sequence_id: str
    frame_index: int
    running: Side
    candidate: Side


def pairs(connection: Connection, fingerprint: str, sites: frozenset[str] | None) -> list[Both]:
    """Frames of the newest screenings, in order. fingerprint: of the shadow. sites: None is every one."""
    scope = "" if sites is None else "AND l.site_code IN :sites"
    query = f"{_PAIRS} {scope} ORDER BY r.screening_id DESC, r.sequence_id, r.frame_index LIMIT :most"
    given: dict[str, Any] = {"fingerprint": fingerprint, "most": MOST_FRAMES}
    if sites is not None:
        given["sites"] = sorted(sites)
    return [_both(row) for row in rows_of_query(connection, query, given)]


def pair(connection: Connection, fingerprint: str, screening_id: str, sequence_id: str, index: int) -> Both | None:
    """One frame by both; None where there is no such pair."""
    query = text(f"{_PAIRS} AND r.screening_id = :her AND r.sequence_id = :sweep AND r.frame_index = :index")
    given = {"fingerprint": fingerprint, "her": screening_id, "sweep": sequence_id, "index": index}
    row = connection.execute(query, given).mappings().first()
    return None if row is None else _both(dict(row))


def _both(row: Mapping[str, Any]) -> Both:
    def side(which: str, key: str, sha256: str) -> Side:
        return Side(
            row[f"{which}_model"], row[f"{which}_regions"], bool(row[f"{which}_assessable"]), row[f"{which}_quality"],
            row[f"{which}_predicted"], row[key], row[sha256],
        )  # fmt: skip

    return Both(
        row["screening_id"], row["sequence_id"], row["frame_index"],
        side("running", "running_mask_key", "running_mask_sha256"), side("candidate", "mask_key", "mask_sha256"),
    )  # fmt: skip
