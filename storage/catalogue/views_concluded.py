"""Views of what readers concluded, what became of the women, and what waits for somebody."""

from typing import Final

CONCLUSIONS: Final = """
SELECT c.conclusion_id, c.screening_id, c.conclusion_number, c.role, c.amends, c.because, c.van_id, c.revision_id,
  c.revision_number, c.rules_version, c.reader, c.opened_at, c.signed_at, c.sides, c.frames, c.frames_seen,
  c.looked_at, c.bi_rads, c.ti_rads, c.c_tirads, c.action, c.calls_back, c.recommends, c.worry,
  NOT EXISTS (SELECT 1 FROM conclusion n WHERE n.screening_id = c.screening_id AND n.role = c.role
    AND (n.conclusion_number, n.conclusion_id) > (c.conclusion_number, c.conclusion_id)) AS in_force
FROM conclusion c
"""

SIGNED: Final = """
SELECT q.screening_id, q.conclusion_id, q.conclusion_number, q.role, q.reader, q.signed_at, q.revision_id,
  q.revision_number, q.bi_rads, q.ti_rads, q.c_tirads, q.action, q.calls_back, q.readings, q.differ,
  q.differ AND q.role <> 'arbitration' AS to_arbitrate
FROM (
  SELECT c.*, count(*) OVER (PARTITION BY screening_id) AS readings,
    min(recommends) OVER (PARTITION BY screening_id) <> max(recommends) OVER (PARTITION BY screening_id) AS differ,
    row_number() OVER (PARTITION BY screening_id ORDER BY CASE WHEN role = 'arbitration' THEN 0 ELSE 1 END,
      worry DESC, conclusion_number DESC, conclusion_id DESC) AS place
  FROM conclusions c WHERE c.in_force AND NOT (c.role = 'arbitration' AND EXISTS (
    SELECT 1 FROM conclusion n WHERE n.screening_id = c.screening_id AND n.role <> 'arbitration'
      AND n.conclusion_number >= c.conclusion_number))) q
WHERE q.place = 1
"""

SIGNED_SIDES: Final = """
SELECT d.screening_id, d.conclusion_id, d.organ, d.laterality, d.bi_rads, d.ti_rads, d.c_tirads, d.blocks, d.action,
  d.months, d.calls_back, s.reader, s.signed_at, s.conclusion_number, s.role
FROM concluded_side d JOIN signed s ON s.conclusion_id = d.conclusion_id
"""

FINDINGS_READ: Final = """
SELECT f.screening_id, f.conclusion_id, f.ordinal, f.finding_id, f.organ, f.laterality, f.verdict, f.frame_id,
  f.position, f.largest_mm, f.words, f.confirmed, f.changed, f.entered, f.undetermined, f.bi_rads, f.ti_rads,
  f.ti_rads_points, f.c_tirads, s.reader, s.signed_at, s.revision_id
FROM finding_read f JOIN signed s ON s.conclusion_id = f.conclusion_id
"""

OUTCOMES: Final = """
SELECT o.outcome_id, o.screening_id, o.kind, o.happened_on, o.organ, o.laterality, o.finding_id, o.result, o.bi_rads,
  o.bethesda, o.operator, o.recorded_at
FROM outcome o WHERE o.kind <> 'recorded_by_mistake' AND NOT EXISTS (
  SELECT 1 FROM outcome n WHERE n.amends = o.outcome_id AND n.screening_id = o.screening_id)
"""

OUTCOME_OF: Final = """
SELECT screening_id, max(happened_on) AS newest_on,
  max(CASE WHEN kind IN ('attended', 'mammography', 'mri', 'fna', 'core_biopsy', 'surgery') THEN happened_on END)
    AS attended_on,
  max(CASE WHEN kind = 'declined' THEN 1 ELSE 0 END) = 1 AS declined,
  max(CASE WHEN kind = 'lost_to_follow_up' THEN happened_on END) AS lost_on,
  max(CASE WHEN kind IN ('fna', 'core_biopsy', 'surgery') THEN 1 ELSE 0 END) = 1 AS biopsied,
  max(CASE WHEN result = 'malignant' AND kind IN ('fna', 'core_biopsy', 'surgery') THEN 1 ELSE 0 END) = 1 AS malignant,
  max(CASE WHEN result = 'benign' AND kind IN ('fna', 'core_biopsy', 'surgery') THEN 1 ELSE 0 END) = 1 AS benign,
  max(CASE WHEN kind = 'interval_cancer' THEN 1 ELSE 0 END) = 1 AS interval_cancer,
  sum(CASE WHEN kind IN ('called', 'not_reached') THEN 1 ELSE 0 END) AS calls,
  max(CASE WHEN kind = 'appointment_made' THEN happened_on END) AS appointment_on
FROM outcomes GROUP BY screening_id
"""


def _of_side(outcome: str) -> str:
    """Whether an outcome is of the side `d`: one without an organ, or without a side, is of each."""
    return f"""{outcome}.screening_id = d.screening_id AND ({outcome}.organ IS NULL OR {outcome}.organ = d.organ
    AND ({outcome}.laterality IS NULL OR d.laterality IS NULL OR {outcome}.laterality = d.laterality))"""


_SINCE_SIGNED: Final = "CAST(o.happened_on AS TEXT) >= substr(CAST(d.signed_at AS TEXT), 1, 10)"

_TO_BE_DONE_AGAIN: Final = f"""(SELECT 1 FROM outcomes n WHERE {_of_side("n")} AND n.result = 'not_diagnostic'
    AND (n.happened_on > o.happened_on
      OR n.happened_on = o.happened_on AND o.kind NOT IN ('fna', 'core_biopsy', 'surgery')))"""
"""An examination that was not diagnostic, after the outcome `o` or on its day: that she attended says no more than that
this was tried, while other tissue of the same day answers."""

_HEARD_OF_SINCE: Final = """(SELECT 1 FROM outcomes n WHERE n.screening_id = o.screening_id
    AND n.kind NOT IN ('lost_to_follow_up', 'interval_cancer')
    AND (n.happened_on > o.happened_on OR n.happened_on = o.happened_on AND n.recorded_at > o.recorded_at))"""
"""Somebody called or saw her, or made an appointment with her, after the outcome `o` gave her up."""

CALL_BACK_SIDES: Final = f"""
SELECT d.screening_id, d.organ, d.laterality, d.action FROM signed_sides d WHERE d.calls_back
  AND NOT EXISTS (SELECT 1 FROM outcomes o WHERE {_of_side("o")} AND {_SINCE_SIGNED}
    AND (o.kind = 'attended'
      OR o.kind IN ('mammography', 'mri', 'fna', 'core_biopsy', 'surgery') AND o.result <> 'not_diagnostic')
    AND NOT EXISTS {_TO_BE_DONE_AGAIN})
  AND NOT EXISTS (SELECT 1 FROM outcomes o WHERE {_of_side("o")} AND {_SINCE_SIGNED}
    AND o.kind = 'lost_to_follow_up' AND NOT EXISTS {_HEARD_OF_SINCE})
"""

CALL_BACK: Final = """
SELECT s.screening_id, s.van_id, s.site_code, s.examined_on, c.signed_at, c.reader, c.action, c.bi_rads, c.ti_rads,
  c.c_tirads, coalesce(o.calls, 0) AS calls, o.appointment_on, o.attended_on, coalesce(o.declined, false) AS declined,
  o.newest_on
FROM signed c JOIN screenings s ON s.screening_id = c.screening_id AND NOT s.void AND s.consent_screening
LEFT JOIN outcome_of o ON o.screening_id = c.screening_id
WHERE c.screening_id IN (SELECT d.screening_id FROM call_back_sides d)
"""

ALERT_STEPS: Final = """
SELECT a.alert_id, t.step, t.handed_to, t.because, t.operator, t.handled_at,
  t.raised_in = a.raised_in AS of_this_raising
FROM alert_step t JOIN alert a ON a.alert_id = t.alert_id
"""

CONCLUDED_VIEWS: Final[dict[str, tuple[str, str]]] = {
    "conclusions": (
        "every conclusion that a reader signed; `in_force`: no later one of the same role replaces it",
        CONCLUSIONS,
    ),
    "signed": (
        "the conclusion that counts of each screening: an arbitration that saw the readings as they are now, else the "
        "more worrying of its readings; `to_arbitrate`: two readings differ, and nobody has decided since",
        SIGNED,
    ),
    "signed_sides": ("each organ and side of the conclusion that counts", SIGNED_SIDES),
    "findings_read": (
        "each finding of the conclusion that counts, with the words that the reader chose",
        FINDINGS_READ,
    ),
    "outcomes": ("what became of her, without what was amended or recorded by mistake", OUTCOMES),
    "outcome_of": ("the outcomes of each screening in one row", OUTCOME_OF),
    "call_back_sides": (
        "each side that a reader asks her to come for, to which no outcome has answered since, and for which she was "
        "not given up, or only before the newest call, visit or appointment",
        CALL_BACK_SIDES,
    ),
    "call_back": ("who is asked to come, and has a side that stands in `call_back_sides`", CALL_BACK),
    "alert_steps": ("what was done with each alert: handed over, closed with what came of it", ALERT_STEPS),
}
"""Views to be made after `screenings` and before the programme's records."""
