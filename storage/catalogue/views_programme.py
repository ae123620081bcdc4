"""Views of the programme as a whole: what became of each screening, and who is due again."""

from typing import Final

PROGRAMME: Final = """
SELECT s.screening_id, s.site_code, s.van_id, s.opened_at, s.closed_at, s.status, c.signed_at, c.reader, c.action,
  coalesce(c.calls_back, false) AS recalled, c.bi_rads, c.ti_rads, c.c_tirads, o.attended_on,
  coalesce(o.biopsied, false) AS biopsied, coalesce(o.malignant, false) AS cancer,
  coalesce(o.benign, false) AS benign, coalesce(o.interval_cancer, false) AS interval_cancer
FROM screenings s LEFT JOIN signed c ON c.screening_id = s.screening_id
LEFT JOIN outcome_of o ON o.screening_id = s.screening_id
WHERE NOT s.void AND s.consent_screening
"""


def _has_frames(organ: str) -> str:
    """Whether a screening has frames of this organ, or a sweep that its van counts frames of: those of a woman who does
    not agree to a machine's reading are in no revision.

    It is looked up for each screening by an index: a join of both lists took PostgreSQL minutes.
    """
    return f"""(EXISTS (SELECT 1 FROM screening r JOIN adequacy a ON a.screening_id = r.screening_id
    AND a.revision_number = r.revision_number AND a.revision_id = r.revision_id
    WHERE r.screening_id = s.screening_id AND a.organ = '{organ}' AND a.frames > 0)
  OR EXISTS (SELECT 1 FROM sequence_closing q WHERE q.screening_id = s.screening_id AND q.van_id = s.van_id
    AND q.organ = '{organ}' AND q.frame_count > 0))"""


NEWEST_VISITS: Final = f"""
SELECT w.subject_key, max(CASE WHEN {_has_frames("breast")} THEN s.screening_id END) AS breast,
  max(CASE WHEN {_has_frames("thyroid")} THEN s.screening_id END) AS thyroid
FROM women w JOIN screenings s ON s.screening_id = w.screening_id AND NOT s.void AND s.consent_screening
GROUP BY w.subject_key
"""

_CAME_AGAIN: Final = "coalesce(CASE d.organ WHEN 'breast' THEN n.breast ELSE n.thyroid END > d.screening_id, false)"
"""Whether a later screening of the same woman counts as her coming again for this organ; d: what she is due after."""

_HER_NEWEST: Final = """LEFT JOIN women w ON w.screening_id = d.screening_id
LEFT JOIN newest_visits n ON n.subject_key = w.subject_key"""

DUE: Final = f"""
SELECT d.screening_id, s.site_code, s.van_id, d.organ, d.laterality, d.months, d.signed_at, d.reader,
  {_CAME_AGAIN} AS came_again
FROM signed_sides d JOIN screenings s ON s.screening_id = d.screening_id
{_HER_NEWEST}
WHERE d.action = 'follow_up' AND NOT s.void AND s.consent_screening
"""

DUE_AS_USUAL: Final = f"""
SELECT d.screening_id, s.site_code, s.van_id, d.organ, s.opened_at, d.signed_at, d.reader,
  {_CAME_AGAIN} AS came_again
FROM (SELECT screening_id, organ, max(signed_at) AS signed_at, max(reader) AS reader FROM signed_sides
  GROUP BY screening_id, organ
  HAVING min(action) = 'routine_screening' AND max(action) = 'routine_screening') d
JOIN screenings s ON s.screening_id = d.screening_id AND NOT s.void AND s.consent_screening
{_HER_NEWEST}
"""

INVITATIONS: Final = "SELECT i.site_code, i.month, i.organ, i.women FROM invited i"


def _scanned(organ: str) -> str:
    return f"""SELECT s.site_code, substr(CAST(s.opened_at AS TEXT), 1, 7) AS month, '{organ}' AS organ, w.subject_key
FROM programme s JOIN women w ON w.screening_id = s.screening_id
WHERE s.closed_at IS NOT NULL AND {_has_frames(organ)}"""


PARTICIPATION: Final = f"""
SELECT site_code, month, organ, max(invited) AS invited, coalesce(max(scanned), 0) AS scanned FROM (
  SELECT site_code, month, organ, women AS invited, CAST(NULL AS INTEGER) AS scanned FROM invited
  UNION ALL SELECT site_code, month, organ, CAST(NULL AS INTEGER), count(DISTINCT subject_key)
  FROM ({_scanned("breast")} UNION ALL {_scanned("thyroid")}) s GROUP BY site_code, month, organ
) m GROUP BY site_code, month, organ
"""

PROGRAMME_VIEWS: Final[dict[str, tuple[str, str]]] = {
    "programme": (
        "one row for each screening that counts: closed, signed, recalled, biopsied, cancer found, interval cancer",
        PROGRAMME,
    ),
    "newest_visits": (
        "by woman and organ, her newest screening that counts: not void, with her consent, and with something scanned "
        "of that organ; not for readers",
        NEWEST_VISITS,
    ),
    "due": (
        "each side for which a reader asked for ultrasound again after some months; `came_again`: a later screening "
        "of hers counts of which something of this organ was scanned",
        DUE,
    ),
    "due_as_usual": (
        "each organ of a screening of which a reader signed routine screening for every side; `came_again` as of "
        "`due`. How often a programme invites is a setting of the console",
        DUE_AS_USUAL,
    ),
    "invitations": ("how many women each site invited in a month, for an organ", INVITATIONS),
    "participation": (
        "by site, month (UTC) and organ: how many women were invited, NULL where nobody said so, and of how many "
        "something of this organ was scanned",
        PARTICIPATION,
    ),
}
"""Views to be made after `signed_sides` and `outcome_of`."""
