"""Views of which network's results each revision rests on, and of what became of promotions."""

from typing import Final

REVISIONS: Final = """
SELECT r.screening_id, r.revision_number, r.revision_id, r.van_id, r.status, r.as_of, r.frames,
  CASE WHEN r.silenced THEN NULL ELSE r.findings END AS findings, r.model_id, r.fingerprint, r.rules_version,
  s.revision_id IS NOT NULL AS newest,
  EXISTS (SELECT 1 FROM revision b WHERE b.screening_id = r.screening_id AND b.revision_number < r.revision_number
    AND b.fingerprint <> r.fingerprint) AS after_another_network
FROM revision r LEFT JOIN screening s ON s.screening_id = r.screening_id AND s.revision_number = r.revision_number
  AND s.revision_id = r.revision_id
"""

PROMOTIONS: Final = """
SELECT p.promotion_id, p.screening_id, p.model_id, p.weights_sha256, p.fingerprint, p.because, p.operator,
  p.promoted_at, coalesce(s.fingerprint = p.fingerprint, false) AS counts,
  (SELECT min(r.revision_number) FROM revision r WHERE r.screening_id = p.screening_id
    AND r.fingerprint = p.fingerprint AND r.at_ms >= p.at_ms) AS first_revision_number
FROM promotion p LEFT JOIN screening s ON s.screening_id = p.screening_id AND s.van_id = p.van_id
"""

NETWORK_VIEWS: Final[dict[str, tuple[str, str]]] = {
    "revisions": (
        "every revision of every screening, with the network whose results it rests on; "
        "`after_another_network`: an earlier revision rests on another one's",
        REVISIONS,
    ),
    "promotions": (
        "who had a screening take another network's results, whether these count now, and since which revision",
        PROMOTIONS,
    ),
}
"""Every view of networks: what it is, and its query."""
