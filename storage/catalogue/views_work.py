"""Views of how screening is done: was each side seen well, how long it took, what was scanned again."""

from typing import Final

SWEEPS: Final = """
SELECT screening_id, organ, laterality, sequence_id, max(view) AS view, max(position) AS position,
  (max(time_ms) - min(time_ms)) / 1000.0 AS seconds, count(*) AS frames,
  sum(CASE WHEN assessable THEN 0 ELSE 1 END) AS frames_refused
FROM frames WHERE NOT coalesce(shadow, false) GROUP BY screening_id, organ, laterality, sequence_id
"""

SCANNED_SIDES: Final = """
SELECT d.screening_id, s.van_id, s.site_code, s.opened_at, d.organ, d.laterality, d.regions, d.regions_seen,
  d.regions_seen_well, coalesce(f.sweeps, 0) AS sweeps, coalesce(f.rescans, 0) AS rescans, f.seconds,
  coalesce(f.frames, 0) AS frames, coalesce(f.frames_refused, 0) AS frames_refused
FROM (
  SELECT screening_id, organ, laterality, count(*) AS regions,
    sum(CASE WHEN level IN ('not_examined', 'unknown') THEN 0 ELSE 1 END) AS regions_seen,
    sum(CASE WHEN level IN ('adequate', 'usable') THEN 1 ELSE 0 END) AS regions_seen_well
  FROM sides GROUP BY screening_id, organ, laterality) d
JOIN screenings s ON s.screening_id = d.screening_id AND NOT s.void
LEFT JOIN (
  SELECT screening_id, organ, laterality, count(*) AS sweeps, sum(seconds) AS seconds,
    count(*) - count(DISTINCT coalesce(view, '') || '/' || coalesce(position, '')) AS rescans,
    sum(frames) AS frames, sum(frames_refused) AS frames_refused
  FROM sweeps GROUP BY screening_id, organ, laterality) f
ON f.screening_id = d.screening_id AND f.organ = d.organ AND coalesce(f.laterality, '') = coalesce(d.laterality, '')
"""

VAN_WORK: Final = """
SELECT van_id, organ, count(DISTINCT screening_id) AS screenings, count(*) AS sides,
  1.0 * sum(regions_seen) / sum(regions) AS coverage,
  1.0 * sum(regions_seen_well) / sum(regions) AS adequacy,
  avg(seconds) AS seconds_per_side, 1.0 * sum(sweeps) / count(*) AS sweeps_per_side,
  1.0 * sum(rescans) / count(*) AS rescans_per_side,
  CASE WHEN sum(frames) = 0 THEN NULL ELSE 1.0 * sum(frames_refused) / sum(frames) END AS refused_share
FROM scanned_sides GROUP BY van_id, organ
"""

WORK_VIEWS: Final[dict[str, tuple[str, str]]] = {
    "sweeps": ("each sweep of a screening's own network: how long, and how many of its frames were refused", SWEEPS),
    "scanned_sides": (
        "one row for each organ and side of a screening: regions planned, seen and seen well, seconds of scanning, "
        "sweeps, and rescans (sweeps of a view and position beyond the first)",
        SCANNED_SIDES,
    ),
    "van_work": (
        "by van and organ: coverage and adequacy of regions, time, sweeps and rescans for each side",
        VAN_WORK,
    ),
}
"""Views to be made after those that they read."""
