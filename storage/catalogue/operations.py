"""What leads and engineers ask of the catalogue: vans, rejections, figures of quality, networks."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from sqlalchemy import Connection

from sonovan.contracts.topics import TOPICS
from sonovan.storage.catalogue.bound import rows_of_query

MOST: Final = 500
"""Rows of a list."""

Rows = Sequence[Mapping[str, Any]]

_SIGNED: Final = ", ".join(f"'{row.name}'" for row in TOPICS.values() if row.signed)
_MAY_HELP: Final = f"CASE WHEN r.retryable AND r.kept AND r.topic IN ({_SIGNED}) THEN 1 ELSE 0 END"
"""Whether it may help to send a record again: its reason can go away, its bytes are kept, and a van signed it."""
_REJECTED: Final = (
    "r.rejection_id, r.rejected_at, r.stage, r.reason, r.van_id, r.topic, r.verified, r.kept, r.screening_id, "
    f"r.frame_id, r.state, r.because, r.operator, r.handled_at, r.retried_at, {_MAY_HELP} AS may_help"
)
_OF_SITES: Final = "van_id IN (SELECT l.van_id FROM listed l WHERE l.site_code IN :sites)"


@dataclass(frozen=True, slots=True)
class OfVan:
    """What a van scanned."""

    van_id: str


@dataclass(frozen=True, slots=True)
class OfOperator:
    """What one person scanned alone, by the code of that person at a site."""

    site_code: str
    operator: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """Which rejections are asked for. sites: of whose vans; None is every van. Of the others None is any."""

    sites: frozenset[str] | None
    rejection_id: str | None = None
    reason: str | None = None
    van_id: str | None = None
    state: str | None = None


def fleet(connection: Connection, sites: frozenset[str] | None) -> Rows:
    """The view `vans`: each van's newest report. sites: of which a van has screenings; None is every van."""
    where, given = (f"WHERE {_OF_SITES}", {"sites": sorted(sites)}) if sites is not None else ("", {})
    return rows_of_query(connection, f"SELECT * FROM vans {where} ORDER BY van_id", given)


def rejections(connection: Connection, wanted: Rejected) -> tuple[Rows, Rows]:
    """How many records were rejected for each reason and stage, and the newest ones; rows of the view `rejections`."""
    of_sites, given = _where(Rejected(wanted.sites, state=wanted.state))
    counted = (
        "SELECT r.reason, r.stage, count(*) AS records, max(r.rejected_at) AS newest_at, "
        f"sum({_MAY_HELP}) AS may_help "
        f"FROM rejections r WHERE {of_sites} GROUP BY r.reason, r.stage ORDER BY records DESC"
    )
    by_reason = rows_of_query(connection, counted, given)
    where, given = _where(wanted)
    listed = (
        f"SELECT {_REJECTED} FROM rejections r WHERE {where} ORDER BY r.rejected_at DESC, r.rejection_id LIMIT :most"
    )
    return by_reason, rows_of_query(connection, listed, {**given, "most": MOST})


def _where(wanted: Rejected) -> tuple[str, dict[str, Any]]:
    parts, given = ["true"], dict[str, Any]()
    if wanted.sites is not None:
        parts.append(f"r.{_OF_SITES}")
        given["sites"] = sorted(wanted.sites)
    for name in ("rejection_id", "reason", "van_id", "state"):
        value = getattr(wanted, name)
        if value is not None:
            parts.append(f"r.{name} = :{name}")
            given[name] = value
    return " AND ".join(parts), given


def measured(connection: Connection) -> Rows:
    """The newest agreement with blind readers of each stratum that has one, and whether its newest window drifts."""
    query = """
      SELECT * FROM (SELECT m.*, row_number() OVER (PARTITION BY m.stratum ORDER BY m.as_of DESC, m.at_offset DESC)
        AS place, (SELECT w.drifted FROM quality_measurement w WHERE w.stratum = m.stratum
          AND w.window_number IS NOT NULL ORDER BY w.as_of DESC, w.at_offset DESC LIMIT 1) AS drifts
        FROM quality_measurement m WHERE m.verdict IS NOT NULL OR NOT EXISTS (
          SELECT 1 FROM quality_measurement v WHERE v.stratum = m.stratum AND v.verdict IS NOT NULL)) newest
      WHERE place = 1 ORDER BY CASE level WHEN 'network' THEN 0 WHEN 'van' THEN 1 ELSE 2 END, stratum LIMIT :most
    """
    return rows_of_query(connection, query, {"most": MOST})


def flags(connection: Connection, sites: frozenset[str] | None) -> Rows:
    """Frames that somebody should look at, the newest first."""
    scope, given = ("", {}) if sites is None else (" AND l.site_code IN :sites", {"sites": sorted(sites)})
    query = (
        "SELECT f.screening_id, f.sequence_id, f.frame_index, f.model_id, f.because, f.feature, f.value, f.as_of, "
        f"l.van_id, l.signed_at FROM flag f JOIN listed l ON l.screening_id = f.screening_id{scope} "
        "ORDER BY f.as_of DESC, f.screening_id, f.frame_index LIMIT :most"
    )
    return rows_of_query(connection, query, {**given, "most": MOST})


def networks(connection: Connection) -> Rows:
    """Each network: of how many screenings it is the one that counts, since when, and of how many it is a shadow."""
    query = """
      SELECT n.model_id, n.fingerprint, max(n.screenings) AS screenings, min(n.first_at) AS first_at,
        max(n.newest_at) AS newest_at, max(n.shadow_frames) AS shadow_frames, max(r.reviews) AS reviews,
        max(r.blind) AS blind_reviews, max(r.dice) AS dice, max(r.iou) AS iou
      FROM (
        SELECT model_id, fingerprint, count(*) AS screenings, min(as_of) AS first_at, max(as_of) AS newest_at,
          0 AS shadow_frames FROM screening GROUP BY model_id, fingerprint
        UNION ALL SELECT model_id, fingerprint, 0, NULL, NULL, count(*) FROM frame_replayed
        GROUP BY model_id, fingerprint
      ) n LEFT JOIN (
        SELECT model_id, fingerprint, count(*) AS reviews, sum(CASE WHEN blind THEN 1 ELSE 0 END) AS blind,
          avg(CASE WHEN blind THEN dice END) AS dice, avg(CASE WHEN blind THEN iou END) AS iou
        FROM counted_reviews GROUP BY model_id, fingerprint
      ) r ON r.model_id = n.model_id AND r.fingerprint = n.fingerprint
      GROUP BY n.model_id, n.fingerprint ORDER BY newest_at DESC, n.model_id
    """
    return rows_of_query(connection, query, {})


def scanned_sides(connection: Connection, sites: frozenset[str] | None, by: OfVan | OfOperator, organ: str) -> Rows:
    """Rows of the view `scanned_sides` of one van, or of one operator, and one organ, the least well seen first, of
    those the newest."""
    given: dict[str, Any] = {**asdict(by), "organ": organ, "most": MOST}
    whose = " AND ".join(f"{name} = :{name}" for name in asdict(by))
    scope = ""
    if sites is not None:
        scope, given["sites"] = "AND site_code IN :sites", sorted(sites)
    query = (
        f"SELECT * FROM scanned_sides WHERE {whose} AND organ = :organ {scope} "
        "ORDER BY 1.0 * regions_seen_well / regions, screening_id DESC, laterality LIMIT :most"
    )
    return rows_of_query(connection, query, given)
