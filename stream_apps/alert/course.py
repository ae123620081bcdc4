"""The course of one screening to the alerts that must stand: what the outbox keeps of it, and what follows. Pure.

The stage has the outbox keep every record that a course rule may rest on as a fact, and decides anew from all of them
each time: so it is the same whatever the order in which revisions, conclusions, outcomes and amendments arrive, and
however often. Nothing of whose a screening is is kept.
An alert that must wait is owed at once, and due when its time is over. What ends it before then drops it unsent.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pydantic import ValidationError

from sonovan.clinical.alert_changes import side_changes, signed_changes, signed_higher
from sonovan.clinical.alert_rules import RULE_NO_LONGER_MET, SCREENING_VOID, why_course_silent, why_silent
from sonovan.clinical.course import Amended, Course, Reported, Silenced, amended_of
from sonovan.clinical.course_rules import (
    LARGE_GROWTH,
    OUTCOME_KNOWN,
    OUTCOME_MISSING,
    REPORT_SIGNED,
    REPORT_UNSIGNED,
    WOMAN_CHANGED,
    CourseRule,
    Met,
    outcome_known,
)
from sonovan.contracts.alerts import AboutSide, LesionAlerted
from sonovan.contracts.amendments import AmendmentNumber, ScreeningAmended, silences
from sonovan.contracts.because import Because
from sonovan.contracts.conclusions import ScreeningConcluded
from sonovan.contracts.errors import Fatal, InvalidRecord
from sonovan.contracts.moments import moment_of, ms_of
from sonovan.contracts.outcomes import OutcomeRecorded
from sonovan.contracts.record import Moment, Part, Sha256, VanId
from sonovan.contracts.results import ScreeningAssessed
from sonovan.storage.outbox import Fact
from sonovan.stream_apps.alert.belonging import new_id
from sonovan.stream_apps.alert.step import RuleSet, stands

Concerns = ScreeningAssessed | ScreeningConcluded | OutcomeRecorded | ScreeningAmended
"""The records of which a course is made."""

_REPORTED: Final = "reported"
_SILENT: Final = "silent"
_SIGNED: Final = "signed."
_OUTCOME: Final = "outcome."
_AMENDED: Final = "amended."


class _Report(Part):
    revision_id: Sha256
    at: Moment


class _Silence(Part):
    """numbers and van_id: none where a version of this program kept it that did not know them."""

    why: Because | None
    numbers: tuple[AmendmentNumber, ...] = ()
    van_id: VanId | None = None


@dataclass(frozen=True, slots=True)
class Timed:
    """An alert, and when it is told. waits: of somebody who is late, at its rule's time; all else is told at once."""

    alert: LesionAlerted
    due: datetime
    waits: bool = False


def facts_of(record: Concerns, at: datetime) -> list[Fact]:
    """What the outbox keeps of a record: what rules read. at: when the broker appended it.

    Of an amendment on which no rule rests its number: of two with one number the first counts, as in `assess`.
    """
    at_ms = ms_of(at)
    match record:
        case ScreeningConcluded():
            judged = tuple(each.model_copy(update={"words": (), "categories": ()}) for each in record.findings)
            kept = record.model_copy(update={"looked_at": (), "findings": judged, "despite": ()})
            return [Fact(f"{_SIGNED}{record.conclusion_id}", at_ms, kept.encode())]
        case OutcomeRecorded():
            return [Fact(f"{_OUTCOME}{record.outcome_id}", at_ms, record.encode())]
        case ScreeningAssessed():
            numbers = tuple(each.amendment_number for each in record.amendments if silences((each,)))
            silence = _Silence(why=why_silent(record), numbers=numbers, van_id=record.van_id)
            facts = [Fact(_SILENT, record.revision_number, silence.model_dump_json().encode())]
            if record.status != "preliminary":
                report = _Report(revision_id=record.revision_id, at=at)
                facts.append(Fact(_REPORTED, record.revision_number, report.model_dump_json().encode()))
            return facts
        case ScreeningAmended():
            name = f"{_AMENDED}{record.van_id}.{record.amendment_number}"
            return [Fact(name, 0, amended_of(record, at).model_dump_json().encode())]


def course_of(screening_id: str, facts: Iterable[Fact]) -> Course:
    """The course that facts tell. Raises Fatal where one cannot be read here, as after a newer version kept it."""
    reported, silenced, van_id = None, None, None
    signed: list[tuple[datetime, ScreeningConcluded]] = []
    outcomes: list[OutcomeRecorded] = []
    amended: list[Amended] = []
    for fact in facts:
        try:
            if fact.name == _REPORTED:
                kept = _Report.model_validate_json(fact.body)
                reported = Reported(kept.revision_id, kept.at)
            elif fact.name == _SILENT:
                silence = _Silence.model_validate_json(fact.body)
                silenced, van_id = _silenced(silence), silence.van_id
            elif fact.name.startswith(_SIGNED):
                signed.append((moment_of(fact.number), ScreeningConcluded.decode(fact.body)))
            elif fact.name.startswith(_AMENDED):
                amended.append(Amended.model_validate_json(fact.body))
            else:
                outcomes.append(OutcomeRecorded.decode(fact.body))
        except (InvalidRecord, ValidationError):
            raise Fatal("the outbox holds a fact that this version cannot read") from None
    # The console takes a conclusion's van from the revision that was read.
    van_id = van_id or next((made.van_id for _, made in signed), None)
    return Course(screening_id, van_id, reported, silenced, tuple(signed), tuple(outcomes), tuple(amended))


def _silenced(silence: _Silence) -> Silenced | None:
    if silence.why is None:
        return None
    return Silenced("void" if silence.why.code == SCREENING_VOID else "consent", frozenset(silence.numbers))


def course_alerts(course: Course, known: Mapping[str, LesionAlerted], rules: RuleSet, at: datetime) -> list[Timed]:
    """What must be told because of this course: raised first, in the rules' order, then what is gone.

    known: the newest record of every alert of this screening, by alert id. at: when what is new was appended.
    An alert is raised once, and again only after its cause was gone, or where a higher category was signed. One whose
    side, category or growth a reader has signed otherwise since is corrected; where it is still to be told, it is told
    at its time as it is now. It is withdrawn when its rule is no longer met, also where somebody has acknowledged it:
    then there is nothing left to decide. One of a rule that is not used any more stays.
    """
    told, met = [], set[str]()
    for rule in rules.course_rules if course.silent_by is None else ():
        for found in rule.find(course):
            alert = _raised(course, rule, found, rules.version, known)
            met.add(alert.alert_id)
            before = known.get(alert.alert_id)
            if before is None or not stands(before):
                told.append(Timed(alert, alert.as_of, waits=bool(rule.after)))
            else:
                told += _signed_otherwise(before, alert, rules.change_share, at, waits=bool(rule.after))
    return [*told, *_gone(course, known, rules.course_rules, met, at)]


def _signed_otherwise(
    before: LesionAlerted, now: LesionAlerted, share: float, at: datetime, *, waits: bool
) -> Iterator[Timed]:
    """What must be told of an alert that stands and whose rule is met; nothing where it says what was signed.

    now: as it would be raised. It counts from when the alert first did: a reader who signs again gives no new time.
    """
    changes = (*side_changes(before.about, now.about), *signed_changes(before.because, now.because, share))
    higher = signed_higher(before.because, now.because)
    if not changes and not higher:
        return
    if before.state == "raised" and before.as_of > at:  # nobody was told yet
        yield Timed(now.model_copy(update={"as_of": before.as_of}), before.as_of, waits=waits)
        return
    because = (*changes, *now.because)
    if higher:
        yield Timed(now.model_copy(update={"because": because, "as_of": at}), at, waits=waits)
        return
    kept = {
        "state": "corrected",
        "because": because,
        "as_of": at,
        "severity": before.severity,
        "raised_in": before.raised_in,
        "acknowledged_by": before.acknowledged_by,
        "acknowledged_at": before.acknowledged_at,
    }
    yield Timed(now.model_copy(update=kept), at)


def _gone(
    course: Course, known: Mapping[str, LesionAlerted], rules: Sequence[CourseRule], met: set[str], at: datetime
) -> Iterator[Timed]:
    names = {rule.name for rule in rules}
    for name, before in sorted(known.items()):
        if before.rule in names and name not in met and stands(before):
            new = {"state": "withdrawn", "because": (_why_gone(course, before),), "as_of": at}
            yield Timed(before.model_copy(update=new), at)


def _why_gone(course: Course, before: LesionAlerted) -> Because:
    if (silent := why_course_silent(course)) is not None:
        return silent
    if before.rule == REPORT_UNSIGNED and course.counts is not None:
        return Because(code=REPORT_SIGNED)
    if before.rule == OUTCOME_MISSING and isinstance(before.about, AboutSide) and outcome_known(course, before.about):
        return Because(code=OUTCOME_KNOWN)
    if before.rule == LARGE_GROWTH and course.woman_changed:
        return Because(code=WOMAN_CHANGED)
    return Because(code=RULE_NO_LONGER_MET)


def _raised(
    course: Course, rule: CourseRule, found: Met, version: str, known: Mapping[str, LesionAlerted]
) -> LesionAlerted:
    return LesionAlerted(
        alert_id=new_id(course.screening_id, found.about, rule.name, known),
        screening_id=course.screening_id,
        revision_id=found.revision_id,
        raised_in=_raised_in(found),
        about=found.about,
        state="raised",
        severity=rule.severity,
        rule=rule.name,
        rules_version=version,
        because=found.because,
        evidence=(),
        as_of=found.since + rule.after,
    )


def _raised_in(found: Met) -> str:
    """What an answer must name. Two conclusions may read one revision; an answer to one is none to the other."""
    signed = found.conclusion_id
    return found.revision_id if signed is None else hashlib.sha256(signed.encode()).hexdigest()
