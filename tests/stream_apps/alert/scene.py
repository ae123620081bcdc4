"""Revisions of one screening, as the alert stage hears them."""

from collections.abc import Mapping
from typing import Literal

from sonovan.clinical.alert_rules import AlertSettings
from sonovan.contracts.results import LesionAlerted, ScreeningAssessed, Status, WithdrawnFinding
from sonovan.stream_apps.alert.step import alerts_of
from tests.clinical.records import assessed, finding, sha

RULE = AlertSettings()
Seen = Literal["suspicious", "harmless", "gone"]


def revision(
    number: int, lesions: Mapping[int, Seen], status: Status = "complete", **other: object
) -> ScreeningAssessed:
    """Revision `number`; lesions: what it says of each lesion that was ever published."""
    scores = {"suspicious": 0.9, "harmless": 0.1}
    fields: dict[str, object] = {
        "revision_number": number,
        "revision_id": sha(f"{number} {sorted(lesions.items())}"),
        "status": status,
        "findings": tuple(finding(key, score_mean=scores[seen]) for key, seen in lesions.items() if seen != "gone"),
        "withdrawn": tuple(
            WithdrawnFinding(finding_id=finding(key).finding_id) for key, seen in lesions.items() if seen == "gone"
        ),
    }
    return assessed(**{**fields, **other})


class Ear:
    """Hears revisions one after another, and remembers each alert's last word, as the outbox does."""

    def __init__(self) -> None:
        self.known: dict[str, LesionAlerted] = {}

    def hear(self, heard: ScreeningAssessed) -> list[LesionAlerted]:
        said = alerts_of(heard, RULE, self.known)
        self.known.update({alert.alert_id: alert for alert in said})
        return said
