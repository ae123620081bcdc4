"""What a site's rules would do with a screening: whom they would call, when and why. Pure; nothing is told."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sonovan.contracts.alerts import AboutFinding, LesionAlerted
from sonovan.contracts.results import Finding, ScreeningAssessed
from sonovan.storage.outbox import Call, Fact
from sonovan.stream_apps.alert.course import Concerns, course_alerts, course_of, facts_of
from sonovan.stream_apps.alert.ladder import Ladder
from sonovan.stream_apps.alert.step import RuleSet, alerts_of


@dataclass(frozen=True, slots=True)
class Told:
    """One alert, or what became of it: by which revision, and when whom would be called if nobody answers.

    revision: None for an alert of a course rule. number: its finding's in the revision's report, from 1; None where it
    is about something else, or gone. calls: empty where it is not raised, for whoever was called hears of the rest.
    """

    revision: ScreeningAssessed | None
    alert: LesionAlerted
    number: int | None
    calls: tuple[Call, ...]


@dataclass(frozen=True, slots=True)
class Trial:
    """told: in the order in which it would be. silent: findings of the newest revision that no alert stands for, with
    their numbers in its report."""

    told: tuple[Told, ...]
    silent: tuple[tuple[int, Finding], ...]


def try_rules(revisions: Iterable[ScreeningAssessed], rules: RuleSet, ladder: Ladder) -> Trial:
    """Take the revisions of one screening in their order; none of its alerts is answered.

    revisions: in any order and as often as they stand on the topic; at least one.
    """
    ordered = [each for _, each in sorted({each.revision_number: each for each in revisions}.items())]
    known: dict[str, LesionAlerted] = {}
    told = []
    for revision in ordered:
        for alert in alerts_of(revision, known, rules):
            known[alert.alert_id] = alert
            calls = ladder.calls(alert.severity, alert.as_of) if alert.state == "raised" else ()
            told.append(Told(revision, alert, _number(alert, revision.findings), calls))
    standing = {
        alert.about.finding_id
        for alert in known.values()
        if isinstance(alert.about, AboutFinding) and alert.state != "withdrawn"
    }
    numbered = enumerate(ordered[-1].findings, start=1)
    return Trial(tuple(told), tuple((number, each) for number, each in numbered if each.finding_id not in standing))


def try_course(records: Iterable[tuple[datetime, Concerns]], rules: RuleSet, ladder: Ladder) -> tuple[Told, ...]:
    """Take what is known of one screening in the order in which the broker appended it; none of its alerts is answered.

    records: revisions, conclusions, outcomes and amendments whose signature holds, with the broker's times, as often as
    they stand on their topics. Told of is what would be told: not an alert that ends before its time is over, and one
    whose time is still to come.
    """
    facts: dict[str, Fact] = {}
    known: dict[str, LesionAlerted] = {}
    told: list[Told] = []
    for at, record in sorted(records, key=lambda each: each[0]):
        for fact in facts_of(record, at):
            if fact.name not in facts or facts[fact.name].number < fact.number:
                facts[fact.name] = fact
        course = course_of(record.screening_id, [facts[name] for name in sorted(facts)])
        for timed in course_alerts(course, known, rules, at):
            known[timed.alert.alert_id] = timed.alert
            waiting = [each for each in told if each.alert.alert_id == timed.alert.alert_id and each.alert.as_of > at]
            told = [each for each in told if each not in waiting]
            raised = timed.alert.state == "raised"
            if raised or not waiting:
                calls = ladder.calls(timed.alert.severity, timed.due) if raised else ()
                told.append(Told(None, timed.alert, None, calls))
    return tuple(told)


def _number(alert: LesionAlerted, findings: Sequence[Finding]) -> int | None:
    if not isinstance(alert.about, AboutFinding):
        return None
    ids = [each.finding_id for each in findings]
    return ids.index(alert.about.finding_id) + 1 if alert.about.finding_id in ids else None
