"""Between alerts and the outbox: what a revision is to it, what an alert is to it, and who must be told."""

import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from sonovan.contracts.alerts import AboutVan, AlertAcknowledged, AlertHandled, AlertState, LesionAlerted
from sonovan.contracts.errors import Fatal, InvalidRecord
from sonovan.contracts.faults import FaultAlerted
from sonovan.contracts.moments import ms_of
from sonovan.contracts.results import ScreeningAssessed
from sonovan.contracts.topics import Topic
from sonovan.storage.outbox import Call, Delivery, Fact, Kind, Message, Outbox, Version
from sonovan.stream_apps.alert.course import Concerns, course_alerts, course_of, facts_of
from sonovan.stream_apps.alert.ladder import Ladder
from sonovan.stream_apps.alert.step import RuleSet, acknowledged, alerts_of
from sonovan.stream_apps.stage import Send

CONTENT_TYPE = "application/json"

SETTLES: Final = timedelta(minutes=5)
"""A worker that was away reads what came meanwhile topic by topic: before it says that somebody is late, it waits so
long for what may stand on another topic already."""

KINDS: Final[Mapping[AlertState, Kind]] = {
    "raised": "opens",
    "corrected": "changes",
    "acknowledged": "settles",
    "vanished": "settles",
    "withdrawn": "ends",
}
"""What each state of an alert is to the outbox: whom it calls, and what becomes of the calls that are still to come."""


def take(
    outbox: Outbox, assessed: ScreeningAssessed, rules: RuleSet, ladder: Ladder, at: datetime, now: datetime
) -> int:
    """Have the outbox keep what follows from this revision, for everybody on the ladder; how many alerts that were.

    at: when the revision was appended; the ladder counts from then, or from `now` where a clock says it is to come.
    Raises Transient and Fatal as the outbox does, and Fatal where it holds an alert that cannot be read here.
    """

    def decide(known: Mapping[str, bytes]) -> list[Message]:
        before = {name: kept_alert(body) for name, body in known.items()}
        return [message_of(alert, ladder, min(at, now)) for alert in alerts_of(assessed, before, rules)]

    return outbox.take(version_of(assessed, rules), decide, now)


def follow(outbox: Outbox, record: Concerns, rules: RuleSet, ladder: Ladder, at: datetime, now: datetime) -> int:
    """Have the outbox keep what a record tells of the course of its screening, and what follows from all of it.

    at: when the record was appended. Raises as `take`.
    """
    appended = min(at, now)

    def decide(known: Mapping[str, bytes], facts: Sequence[Fact]) -> list[Message]:
        before = {name: kept_alert(body) for name, body in known.items()}
        course = course_of(record.screening_id, facts)
        timed = course_alerts(course, before, rules, appended)
        settled = now + SETTLES
        return [message_of(each.alert, ladder, max(each.due, settled) if each.waits else each.due) for each in timed]

    return outbox.learn(record.screening_id, facts_of(record, appended), decide, now)


def answer(
    outbox: Outbox, answered: AlertAcknowledged | AlertHandled, ladder: Ladder, at: datetime, now: datetime
) -> None:
    """Have the outbox keep that somebody sees to an alert: it calls nobody else, and tells those whom it has called.
    So it does where an alert is handed over, or closed by somebody who had not answered it before.

    at: when the answer was appended. Raises Transient and Fatal as `take`, InvalidRecord for an unknown alert.
    """

    def decide(body: bytes) -> Message | None:
        alert = acknowledged(kept_alert(body), answered, at)
        return None if alert is None else message_of(alert, ladder, min(at, now))

    if not outbox.amend(answered.alert_id, decide, now):
        raise InvalidRecord("alert_unknown", "an answer to an alert that this outbox has not raised")


def version_of(assessed: ScreeningAssessed, rules: RuleSet) -> Version:
    """The revision as a version of its screening. The van's alerts are asked for only where a rule is about vans."""
    scopes = [assessed.screening_id, *(assessed.van_id for rule in rules.rules if rule.about == "van")]
    return Version(assessed.screening_id, assessed.revision_number, assessed.revision_id, frozenset(scopes))


def message_of(alert: LesionAlerted, ladder: Ladder, at: datetime) -> Message:
    """The alert as the outbox keeps it: whole, as on the topic; each channel shows what its receiver may see.

    The label tells apart a severity from a higher one, and what one outbox sent from what a new one sends after the
    first was lost.
    """
    return Message(
        scope=alert.about.van_id if isinstance(alert.about, AboutVan) else alert.screening_id,
        thread=alert.alert_id,
        label=f"{alert.severity}.{alert.revision_id[:16]}",
        content_type=CONTENT_TYPE,
        body=alert.encode(),
        kind=KINDS[alert.state],
        calls=ladder.calls(alert.severity, at),
        follow=ladder.follow(alert.severity, at),
    )


def take_fault(outbox: Outbox, fault: FaultAlerted, names: Sequence[str], at: datetime, now: datetime) -> None:
    """Have the outbox keep that a fault begins, for everybody in `names`, or that it has ended, for whoever was told.

    at: when it was appended, to the millisecond: an older one that comes again tells nothing. An offset would not do,
    for a broker that was set up anew begins at 0. Faults are told at any hour: they know no quiet hours and no ladder.
    """

    def decide(known: Mapping[str, bytes]) -> list[Message]:
        before = known.get(fault.fault_id)
        stands = before is not None and kept(before).state == "raised"
        if stands == (fault.state == "raised"):
            return []
        kind: Kind = "opens" if fault.state == "raised" else "ends"
        calls = tuple(Call(name, min(at, now)) for name in names)
        return [Message(fault.fault_id, fault.fault_id, fault.fault, CONTENT_TYPE, fault.encode(), kind, calls)]

    digest = hashlib.sha256(fault.encode()).hexdigest()
    outbox.take(Version(fault.fault_id, ms_of(at), digest, frozenset({fault.fault_id})), decide, now)


def kept(body: bytes) -> LesionAlerted | FaultAlerted:
    """What the outbox keeps: an alert or a fault. Raises Fatal as `kept_alert` does."""
    try:
        return FaultAlerted.decode(body) if _OF_A_FAULT in body else LesionAlerted.decode(body)
    except InvalidRecord as error:
        raise Fatal(f"the outbox holds a message that this version cannot read ({error.reason})") from None


_OF_A_FAULT: Final = b'"schema":"fault.alerted/'


def kept_alert(body: bytes) -> LesionAlerted:
    """The alert that `message_of` had the outbox keep.

    Raises Fatal where it cannot be read, as after a newer version of this program kept it: going on would lose it.
    """
    message = kept(body)
    if not isinstance(message, LesionAlerted):
        raise Fatal("the outbox holds a fault where an alert is looked for")
    return message


def to_topic(send: Send) -> Callable[[Delivery], Awaitable[None]]:
    """The channel that leads to the topic `lesion.alerted.v1`: the record as it was kept."""

    async def deliver(delivery: Delivery) -> None:
        alert = kept_alert(delivery.body)
        await send(Topic.LESION_ALERTED, alert.screening_id.encode(), delivery.body)

    return deliver
