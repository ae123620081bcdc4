"""Revisions of several screenings, for the outbox."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final, Literal

from sonovan.clinical.alert_rules import AlertSettings
from sonovan.contracts.results import ScreeningAssessed, WithdrawnFinding
from sonovan.storage.outbox import Judge
from sonovan.stream_apps.alert.step import alerts_of
from tests.clinical.records import assessed, finding, sha

NOON: Final = datetime(2025, 3, 4, 12, 0, tzinfo=UTC)
RECIPIENTS: Final[Sequence[str]] = ("webhook", "topic")


def revision_of(screening: int, number: int, seen: Literal["suspicious", "gone"]) -> ScreeningAssessed:
    """Revision `number` of screening `screening`, in which its one lesion is to be seen or gone."""
    lesion = finding(screening)
    return assessed(
        screening_id=f"0192f0c1-2345-7abc-8def-{screening:012x}",
        revision_number=number,
        revision_id=sha(f"{screening} {number} {seen}"),
        findings=(lesion,) if seen == "suspicious" else (),
        withdrawn=() if seen == "suspicious" else (WithdrawnFinding(finding_id=lesion.finding_id),),
    )


def judged(heard: ScreeningAssessed) -> Judge:
    """The alert stage's judgement of one revision."""
    return lambda known: alerts_of(heard, AlertSettings(), known)
