"""What a van is told of a revision of its screening, on the van's own topic."""

from typing import Any

from sonovan.contracts.answers import VanAnswered
from sonovan.contracts.results import ScreeningAssessed
from sonovan.stream_apps.stage import Outgoing, receipt_to


def answer_on(assessed: ScreeningAssessed, name: str, **told: Any) -> Outgoing:
    """An answer about this revision. name: which of the answers about it, for its id. told: further fields."""
    return receipt_to(
        VanAnswered(
            van_id=assessed.van_id,
            kind="report",
            screening_id=assessed.screening_id,
            item_id=f"{assessed.screening_id}/{name}/{assessed.revision_id}",
            content_sha256=assessed.revision_id,
            revision_id=assessed.revision_id,
            revision_number=assessed.revision_number,
            **told,
        )
    )


def report_receipt(assessed: ScreeningAssessed) -> Outgoing:
    """What the van is told of a revision: that it is there, how complete, how many findings; no categories.

    None are counted where nothing is said of the pictures.
    """
    findings = None if assessed.silenced else len(assessed.findings)
    return answer_on(assessed, "report", status=assessed.status, findings=findings)
