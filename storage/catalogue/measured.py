"""The windows of a figure of quality, and the cases behind its agreement."""

import json
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Connection, text

from sonovan.contracts.quality import Window
from sonovan.storage.catalogue.bound import as_stored, rows_of_query
from sonovan.storage.catalogue.operations import MOST, Rows

Stratum = Mapping[str, Any]
"""A row of `quality_measurement`: what a figure is of."""

_OF: Final = "stratum, level, model_id, fingerprint, organ, van_id, manufacturer, scanner_model"


def windows(connection: Connection, name: str) -> tuple[Stratum | None, list[Window]]:
    """What a stratum is, None where nothing was measured of it, and its windows, the oldest first; MOST at most."""
    found = connection.execute(
        text(f"SELECT {_OF} FROM quality_measurement WHERE stratum = :name LIMIT 1"), {"name": name}
    ).mappings()
    stratum = found.first()
    query = text(
        "SELECT measured_window FROM quality_measurement WHERE stratum = :name AND window_number IS NOT NULL "
        "ORDER BY as_of DESC, at_offset DESC LIMIT :most"
    )
    rows = connection.execute(query, {"name": name, "most": MOST}).scalars().all()
    told: dict[int, Window] = {}
    for each in reversed(rows):
        window = Window.model_validate_json(each if isinstance(each, str) else json.dumps(each))
        told[window.number] = window  # one that was told twice stands once
    return (None if stratum is None else dict(stratum)), list(told.values())


def cases(connection: Connection, stratum: Stratum, sites: frozenset[str] | None) -> Rows:
    """Frames that readers drew blind beside this network's outlines, the least alike first. Of a scanner there are
    none: a review does not say what took its frame."""
    if stratum["level"] not in ("network", "van"):
        return []
    where = ["r.blind", "r.fingerprint = :fingerprint", "r.organ = :organ"]
    given = {"fingerprint": stratum["fingerprint"], "organ": stratum["organ"], "most": MOST}
    if stratum["van_id"] is not None:
        where.append("r.van_id = :van")
        given["van"] = stratum["van_id"]
    query = (
        "SELECT r.screening_id, r.sequence_id, r.frame_index, r.van_id, r.reader, r.reviewed_at, r.dice, r.iou, "
        "r.predicted_dice FROM counted_reviews r JOIN listed l ON l.screening_id = r.screening_id "
        f"WHERE {' AND '.join(where)}{{scope}} "
        "ORDER BY r.dice IS NULL, r.dice, r.screening_id, r.sequence_id, r.frame_index LIMIT :most"
    )
    return _of_sites(connection, query, given, sites)


def seen_within(connection: Connection, stratum: Stratum, window: Window, sites: frozenset[str] | None) -> Rows:
    """Screenings of the stratum's van, or of every van, that were assessed while a window was filled."""
    begins, ends = (as_stored(connection, each) for each in (window.began_at, window.ended_at))
    given = {"begins": begins, "ends": ends, "fingerprint": stratum["fingerprint"], "most": MOST}
    of_van = ""
    if stratum["van_id"] is not None:
        of_van, given["van"] = " AND s.van_id = :van", stratum["van_id"]
    query = (
        "SELECT s.screening_id, s.as_of, s.frames FROM screening s JOIN listed l ON l.screening_id = s.screening_id "
        "WHERE s.as_of >= :begins AND s.as_of <= :ends AND s.fingerprint = :fingerprint AND NOT s.ended"
        f"{of_van}{{scope}} ORDER BY s.as_of DESC, s.screening_id LIMIT :most"
    )
    return _of_sites(connection, query, given, sites)


def _of_sites(connection: Connection, query: str, given: dict[str, Any], sites: frozenset[str] | None) -> Rows:
    if sites is None:
        return rows_of_query(connection, query.format(scope=""), given)
    within = query.format(scope=" AND l.site_code IN :sites")
    return rows_of_query(connection, within, {**given, "sites": sorted(sites)})
