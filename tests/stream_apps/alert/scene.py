"""Revisions of one screening, as the alert stage receives them; and a list of rules that tests alone have."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Literal

from sonovan.clinical.alert_rules import RULES, AlertRule, AlertSettings, Reasons
from sonovan.contracts.alerts import About, AboutScreening, AboutSide, AboutVan, LesionAlerted
from sonovan.contracts.because import Because
from sonovan.contracts.results import ScreeningAssessed, Status, WithdrawnFinding
from sonovan.stream_apps.alert.step import alerts_of
from tests.clinical.records import REPORT, SCREENING, adequacy, assessed, finding, sha

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


def blind_revision(number: int, screening_id: str = SCREENING) -> ScreeningAssessed:
    """Revision `number`, of which neither side can be assessed, and frames are missing."""
    rows = tuple(adequacy(laterality=side, level="inadequate", assessable_share=0.0) for side in ("left", "right"))
    return revision(number, {}, "incomplete", adequacy=rows, screening_id=screening_id, **REPORT)


class Stage:
    """Takes revisions one after another, and keeps each alert's newest record, as the outbox does."""

    def __init__(self, rules: Sequence[AlertRule] = RULES) -> None:
        self.known: dict[str, LesionAlerted] = {}
        self._rules = rules

    def take(self, assessed: ScreeningAssessed) -> list[LesionAlerted]:
        alerts = alerts_of(assessed, RULE, self.known, self._rules)
        self.known.update({alert.alert_id: alert for alert in alerts})
        return alerts


def limited_sides(assessed: ScreeningAssessed, _settings: AlertSettings) -> Iterator[tuple[About, Reasons]]:
    """A side that was not seen well enough."""
    for row in assessed.adequacy:
        if row.level != "adequate":
            share = Because(code="assessable_share", value=row.assessable_share, unit="1")
            yield AboutSide(organ=row.organ, laterality=row.laterality), (share,)


def unfinished(assessed: ScreeningAssessed, _settings: AlertSettings) -> Iterator[tuple[About, Reasons]]:
    """A screening of which frames are missing."""
    if assessed.status == "incomplete":
        yield AboutScreening(), (Because(code="frames_missing"),)


def blind_van(assessed: ScreeningAssessed, _settings: AlertSettings) -> Iterator[tuple[About, Reasons]]:
    """A van of whose screening no frame could be assessed."""
    if assessed.adequacy and all(row.assessable_share == 0 for row in assessed.adequacy):
        yield AboutVan(van_id=assessed.van_id), (Because(code="nothing_assessable", value=assessed.frames),)


TEST_RULES: Final = (
    *RULES,
    AlertRule("limited_side", "worklist", "side", limited_sides),
    AlertRule("unfinished", "suspicious", "screening", unfinished),
    AlertRule("blind_van", "urgent", "van", blind_van),
)
