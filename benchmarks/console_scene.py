"""A catalogue of many screenings for the benchmarks of the console: filled by statements, listed by the real code."""

from datetime import UTC, datetime
from typing import Final

from sqlalchemy import text

from sonovan.storage.catalogue.database import Database
from sonovan.storage.catalogue.listing import list_all

SITES: Final = 8
VANS: Final = 24

_IDS: Final = """
CREATE TEMP TABLE scene ON COMMIT DROP AS
SELECT n, lpad(to_hex(:begin_ms + n * 60000), 12, '0') AS stamp, md5(CAST(n AS text)) AS tail,
  (n * 7919 % 1000) / 1000.0 AS drawn, 'site-' || (1 + n % :sites) AS site, 'van-' || (1 + n % :vans) AS van,
  to_timestamp((:begin_ms + n * 60000) / 1000.0) AS opened_at
FROM generate_series(CAST(1 AS bigint), :screenings) n
"""
_ID: Final = (
    "substr(stamp, 1, 8) || '-' || substr(stamp, 9, 4) || '-7' || substr(tail, 1, 3) || '-8' || substr(tail, 4, 3)"
    " || '-' || substr(tail, 7, 12)"
)
_FILL: Final = (
    """INSERT INTO opening (screening_id, van_id, subject_key, slip_number, site_code, opened_at, consent_screening,
      consent_ai, consent_research, consent_sharing, planned, at_ms, at_partition, at_offset)
    SELECT %ID, van, md5(tail) || md5(tail), 'A' || n, site, opened_at, true, true, false, false,
      '[{"organ": "breast", "side": "left"}]', :begin_ms + n * 60000, 0, n FROM scene""",
    """INSERT INTO screening_closing (screening_id, van_id, closing_number, sequence_ids, quality_warnings, covered,
      excused, stays, closed_at, at_ms, at_partition, at_offset)
    SELECT %ID, van, 1, '[]', '[]', NULL, '[]', false, opened_at + interval '14 minutes', :begin_ms + n * 60000, 0, n
    FROM scene WHERE n <= :screenings - 20""",
    """INSERT INTO screening (screening_id, revision_number, revision_id, van_id, status, as_of, frames, findings,
      silenced, ended, suspicion, referred, model_id, fingerprint, at_ms, at_partition, at_offset)
    SELECT %ID, 2, md5(tail) || md5(tail), van, CASE WHEN n % 20 = 0 THEN 'incomplete' ELSE 'complete' END,
      opened_at + interval '20 minutes', 300, CASE WHEN drawn > 0.7 THEN 1 ELSE 0 END, false, false,
      CASE WHEN drawn > 0.7 THEN drawn - 0.7 ELSE 0 END, n % 50 = 0, 'lesion-1', md5('f'), :begin_ms + n * 60000, 0, n
    FROM scene""",
    """INSERT INTO adequacy (screening_id, revision_number, revision_id, ordinal, organ, laterality, region, level,
      assessable_share, frames, reasons, at_ms, at_partition, at_offset)
    SELECT %ID, 2, md5(tail) || md5(tail), side, 'breast', CASE side WHEN 1 THEN 'left' ELSE 'right' END, NULL,
      CASE WHEN n % 15 = 0 AND side = 2 THEN 'inadequate' ELSE 'adequate' END, 1.0, 150, '[]', :begin_ms + n * 60000, 0,
      n FROM scene, generate_series(1, 2) side""",
    """INSERT INTO conclusion (conclusion_id, screening_id, conclusion_number, role, van_id, revision_id,
      revision_number, rules_version, reader, signed_at, sides, frames, frames_seen, looked_at, bi_rads, action,
      calls_back, recommends, worry, record, at_ms, at_partition, at_offset)
    SELECT %ID, %ID, 1, 'first', van, md5(tail) || md5(tail), 2, '1.0', 'reader-' || n % 20,
      opened_at + interval '5 hours', 2, 300, 300, '[]', CASE WHEN drawn > 0.9 THEN '4A' ELSE '1' END,
      CASE WHEN drawn > 0.9 THEN 'tissue_diagnosis' ELSE 'routine_screening' END, drawn > 0.9, 'as it is', 100, '{}',
      :begin_ms + n * 60000, 0, n FROM scene WHERE n <= :screenings * 0.6""",
)


def fill(database: Database, screenings: int, now: datetime) -> None:
    """So many screenings, one a minute up to now. The oldest 60 % are signed, so that readers are two weeks behind at
    50,000; the last 20 are still on the couch. The rows of the worklist are made by the catalogue's own statement.
    """
    begin_ms = round(now.timestamp() * 1000) - (screenings + 1) * 60_000
    given = {"begin_ms": begin_ms, "screenings": screenings, "sites": SITES, "vans": VANS}
    with database.writing() as connection:
        connection.execute(text(_IDS), given)
        for statement in _FILL:
            made = statement.replace("%ID", _ID)
            connection.execute(text(made), {name: given[name] for name in given if f":{name}" in made})
        list_all(connection)
    with database.writing() as connection:
        connection.execute(text("COMMIT"))
        connection.execute(text("ANALYZE"))


def now() -> datetime:
    """The benchmark's moment."""
    return datetime.now(UTC)
