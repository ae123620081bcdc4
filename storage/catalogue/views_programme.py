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

DUE: Final = """
SELECT d.screening_id, s.site_code, s.van_id, d.organ, d.laterality, d.months, d.signed_at, d.reader,
  EXISTS (SELECT 1 FROM women w JOIN women later ON later.subject_key = w.subject_key
    WHERE w.screening_id = d.screening_id AND later.screening_id > d.screening_id) AS came_again
FROM signed_sides d JOIN screenings s ON s.screening_id = d.screening_id
WHERE d.action = 'follow_up' AND NOT s.void AND s.consent_screening
"""

PROGRAMME_VIEWS: Final[dict[str, tuple[str, str]]] = {
    "programme": (
        "one row for each screening that counts: closed, signed, recalled, biopsied, cancer found, interval cancer",
        PROGRAMME,
    ),
    "due": (
        "each side for which a reader asked for ultrasound again after some months; `came_again`: she came since",
        DUE,
    ),
}
"""Views to be made after `signed_sides` and `outcome_of`."""
