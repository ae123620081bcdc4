"""Revisions of one screening, as the alert stage receives them; and a list of rules that tests alone have."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final, Literal

from sonovan.clinical.alert_rules import AlertRule, Reasons
from sonovan.clinical.alert_settings import AlertSettings
from sonovan.contracts.alerts import (
    SEVERITIES,
    About,
    AboutScreening,
    AboutSide,
    AboutVan,
    AlertAcknowledged,
    LesionAlerted,
)
from sonovan.contracts.because import Because
from sonovan.contracts.results import ScreeningAssessed, Status, WithdrawnFinding
from sonovan.storage.outbox import Outbox
from sonovan.stream_apps.alert.ladder import WEBHOOK, Ladder, Rung
from sonovan.stream_apps.alert.messages import take as take_at
from sonovan.stream_apps.alert.step import RuleSet, acknowledged, alerts_of
from tests.clinical.records import NOON, REPORT, SCREENING, adequacy, assessed, finding, sha

RULES: Final = RuleSet.of(AlertSettings())
TO_WEBHOOK: Final = Ladder(rungs=tuple(Rung(severity=each, to=(WEBHOOK,)) for each in SEVERITIES))
"""Everything is told to the webhook at once, and to the topic."""
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


def blind_revision(number: int, screening_id: str = SCREENING) -> ScreeningAssessed:
    """Revision `number`, of which neither side can be assessed, and frames are missing."""
    rows = tuple(adequacy(laterality=side, level="inadequate", assessable_share=0.0) for side in ("left", "right"))
    return revision(number, {}, "incomplete", adequacy=rows, screening_id=screening_id, **REPORT)


class Stage:
    """Takes revisions one after another, and keeps each alert's newest record, as the outbox does."""

    def __init__(self, rules: RuleSet = RULES) -> None:
        self.known: dict[str, LesionAlerted] = {}
        self._rules = rules

    def take(self, assessed: ScreeningAssessed) -> list[LesionAlerted]:
        alerts = alerts_of(assessed, self.known, self._rules)
        self.known.update({alert.alert_id: alert for alert in alerts})
        return alerts

    def answer(self, answered: AlertAcknowledged) -> None:
        alert = acknowledged(self.known[answered.alert_id], answered, NOON)
        assert alert is not None
        self.known[alert.alert_id] = alert


def limited_sides(assessed: ScreeningAssessed) -> Iterator[tuple[About, Reasons]]:
    """A side that was not seen well enough."""
    for row in assessed.adequacy:
        if row.level != "adequate":
            share = Because(code="assessable_share", value=row.assessable_share, unit="1")
            yield AboutSide(organ=row.organ, laterality=row.laterality), (share,)


def unfinished(assessed: ScreeningAssessed) -> Iterator[tuple[About, Reasons]]:
    """A screening of which frames are missing."""
    if assessed.status == "incomplete":
        yield AboutScreening(), (Because(code="frames_missing"),)


def blind_van(assessed: ScreeningAssessed) -> Iterator[tuple[About, Reasons]]:
    """A van of whose screening no frame could be assessed."""
    if assessed.adequacy and all(row.assessable_share == 0 for row in assessed.adequacy):
        yield AboutVan(van_id=assessed.van_id), (Because(code="nothing_assessable", value=assessed.frames),)


_OF_TESTS: Final = (
    AlertRule("limited_side", "worklist", "side", limited_sides),
    AlertRule("unfinished", "suspicious", "screening", unfinished),
    AlertRule("blind_van", "urgent", "van", blind_van),
)
TEST_RULES: Final = replace(RULES, rules=(*RULES.rules, *_OF_TESTS))


def take(outbox: Outbox, assessed: ScreeningAssessed, now: datetime, rules: RuleSet = RULES) -> int:
    """What the stage does with a revision that is appended now, where the webhook is told of everything."""
    return take_at(outbox, assessed, rules, TO_WEBHOOK, now, now)
