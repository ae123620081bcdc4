"""A view of what was rejected, and what became of it."""

from typing import Final

REJECTIONS: Final = """
SELECT r.rejection_id, r.rejected_at, r.stage, r.reason, r.van_id, r.topic, r.retryable, r.verified, r.kept,
  r.screening_id, r.frame_id,
  CASE WHEN t.at_ms >= coalesce(h.at_ms, 0) THEN CASE t.outcome WHEN 'sent' THEN 'sent' ELSE 'not_sent' END
    WHEN h.decision = 'discard' THEN 'discarded' WHEN h.decision = 'retry' THEN 'asked' ELSE 'open' END AS state,
  h.because, h.operator, h.handled_at, t.retried_at
FROM rejection r
LEFT JOIN rejection_handled h ON h.rejection_id = r.rejection_id AND NOT EXISTS (
  SELECT 1 FROM rejection_handled o WHERE o.rejection_id = h.rejection_id
  AND (o.at_ms > h.at_ms OR o.at_ms = h.at_ms AND o.handling_id > h.handling_id))
LEFT JOIN rejection_retried t ON t.rejection_id = r.rejection_id AND NOT EXISTS (
  SELECT 1 FROM rejection_retried o WHERE o.rejection_id = t.rejection_id
  AND (o.at_ms > t.at_ms OR o.at_ms = t.at_ms AND o.message_offset > t.message_offset))
"""

REJECTED_VIEWS: Final[dict[str, tuple[str, str]]] = {
    "rejections": (
        "each record that a stage could not use; `state`: open, asked (somebody wants it sent again), sent, not_sent "
        "(its bytes were gone, or may not be sent), discarded",
        REJECTIONS,
    ),
}
"""Every view of rejections: what it is, and its query."""
