"""Views of how screening is done: was each side seen well, how long it took, what was scanned again, by whom."""

from typing import Final

CLOSED_SWEEPS: Final = """
SELECT q.sequence_id, q.screening_id, q.operator FROM sequence_closing q
JOIN opening o ON o.screening_id = q.screening_id AND o.van_id = q.van_id
WHERE NOT EXISTS (SELECT 1 FROM sequence_closing n WHERE n.sequence_id = q.sequence_id AND n.van_id = q.van_id
  AND n.closing_number > q.closing_number)
"""

SWEEPS: Final = """
SELECT f.screening_id, f.organ, f.laterality, f.sequence_id, f.view, f.position, f.seconds, f.frames, f.frames_refused,
  c.operator
FROM (
  SELECT screening_id, organ, laterality, sequence_id, max(view) AS view, max(position) AS position,
    (max(time_ms) - min(time_ms)) / 1000.0 AS seconds, count(*) AS frames,
    sum(CASE WHEN assessable THEN 0 ELSE 1 END) AS frames_refused
  FROM frames WHERE NOT coalesce(shadow, false) GROUP BY screening_id, organ, laterality, sequence_id) f
LEFT JOIN closed_sweeps c ON c.sequence_id = f.sequence_id AND c.screening_id = f.screening_id
"""

_ONE_OPERATOR: Final = "CASE WHEN count(*) = count(operator) AND min(operator) = max(operator) THEN min(operator) END"
"""Who scanned all of several sweeps; NULL where several people did, or one sweep names nobody."""

SCANNED_SIDES: Final = f"""
WITH scanned AS MATERIALIZED (
  SELECT screening_id, organ, laterality, count(*) AS sweeps, sum(seconds) AS seconds,
    count(*) - count(DISTINCT coalesce(view, '') || '/' || coalesce(position, '')) AS rescans,
    sum(frames) AS frames, sum(frames_refused) AS frames_refused, {_ONE_OPERATOR} AS operator
  FROM sweeps GROUP BY screening_id, organ, laterality)
SELECT d.screening_id, s.van_id, s.site_code, s.opened_at, d.organ, d.laterality, d.regions, d.regions_seen,
  d.regions_seen_well, coalesce(f.sweeps, 0) AS sweeps, coalesce(f.rescans, 0) AS rescans, f.seconds,
  coalesce(f.frames, 0) AS frames, coalesce(f.frames_refused, 0) AS frames_refused,
  CASE WHEN f.sweeps IS NULL THEN w.operator ELSE f.operator END AS operator
FROM (
  SELECT screening_id, organ, laterality, count(*) AS regions,
    sum(CASE WHEN level IN ('not_examined', 'unknown') THEN 0 ELSE 1 END) AS regions_seen,
    sum(CASE WHEN level IN ('adequate', 'usable') THEN 1 ELSE 0 END) AS regions_seen_well
  FROM sides GROUP BY screening_id, organ, laterality) d
JOIN screenings s ON s.screening_id = d.screening_id AND NOT s.void
LEFT JOIN scanned f
ON f.screening_id = d.screening_id AND f.organ = d.organ AND coalesce(f.laterality, '') = coalesce(d.laterality, '')
LEFT JOIN (SELECT screening_id, {_ONE_OPERATOR} AS operator FROM scanned GROUP BY screening_id) w
ON w.screening_id = d.screening_id
"""
"""`scanned` reads every frame, and is therefore made once for both of its uses: by side, and by screening."""

WORK_FIGURES: Final[dict[str, str]] = {
    "screenings": "count(DISTINCT screening_id)",
    "sides": "count(*)",
    "coverage": "1.0 * sum(regions_seen) / sum(regions)",
    "adequacy": "1.0 * sum(regions_seen_well) / sum(regions)",
    "seconds_per_side": "avg(seconds)",
    "sweeps_per_side": "1.0 * sum(sweeps) / count(*)",
    "rescans_per_side": "1.0 * sum(rescans) / count(*)",
    "refused_share": "CASE WHEN sum(frames) = 0 THEN NULL ELSE 1.0 * sum(frames_refused) / sum(frames) END",
}
"""Figure of how somebody screens an organ → how it follows from rows of `scanned_sides`."""


def work_by(by: str, sides: str = "scanned_sides") -> str:
    """A query of how whoever these columns name screens, by organ; sides whose last of these columns is NULL count for
    nobody. sides: what has the rows of `scanned_sides`."""
    figures = ", ".join(f"{value} AS {name}" for name, value in WORK_FIGURES.items())
    return f"""
SELECT {by}, organ, {figures}
FROM {sides} WHERE {by.rpartition(" ")[2]} IS NOT NULL GROUP BY {by}, organ
"""


WORK_VIEWS: Final[dict[str, tuple[str, str]]] = {
    "closed_sweeps": ("the newest closing of each sweep: who scanned; not for readers", CLOSED_SWEEPS),
    "sweeps": (
        "each sweep of a screening's own network: how long, how many of its frames were refused, and who scanned it",
        SWEEPS,
    ),
    "scanned_sides": (
        "one row for each organ and side of a screening: regions planned, seen and seen well, seconds of scanning, "
        "sweeps, rescans (sweeps of a view and position beyond the first), and who scanned all of it; a side that "
        "nobody scanned is of whoever scanned all the rest",
        SCANNED_SIDES,
    ),
    "van_work": (
        "by van and organ: coverage and adequacy of regions, time, sweeps and rescans for each side",
        work_by("van_id"),
    ),
    "operator_work": (
        "the same by operator, a code of the site: of sides that one person scanned, and that name who it was",
        work_by("site_code, operator"),
    ),
}
"""Views to be made after those that they read."""
