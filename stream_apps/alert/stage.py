"""The alert stage: revisions, what follows on them, answers and faults into the outbox, the outbox to everybody."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final

from sonovan.clinical.alert_settings import AlertSettings as RuleSettings
from sonovan.contracts.alerts import AlertAcknowledged, AlertHandled
from sonovan.contracts.amendments import ScreeningAmended
from sonovan.contracts.conclusions import ScreeningConcluded
from sonovan.contracts.erasures import ScreeningErased
from sonovan.contracts.errors import Fatal
from sonovan.contracts.faults import FaultAlerted
from sonovan.contracts.outcomes import OutcomeRecorded
from sonovan.contracts.results import ScreeningAssessed
from sonovan.contracts.settings import read_settings
from sonovan.contracts.topics import Topic, Writer
from sonovan.storage.outbox import Outbox
from sonovan.storage.outbox_engine import sqlite_url
from sonovan.stream_apps.alert.ladder import Ladder
from sonovan.stream_apps.alert.messages import answer, follow, take, take_fault
from sonovan.stream_apps.alert.recipients import everybody, ladder_of
from sonovan.stream_apps.alert.rule_file import read_rule_file
from sonovan.stream_apps.alert.sending import Late, Sender
from sonovan.stream_apps.alert.settings import AlertSettings
from sonovan.stream_apps.alert.step import RuleSet
from sonovan.stream_apps.alert.vans import VanWatch
from sonovan.stream_apps.retrying import retry
from sonovan.stream_apps.signed import RegistryWait, Verify, or_left_out, signed_record
from sonovan.stream_apps.stage import Given, Message, Outcome, Stage

READS: Final = (
    Topic.SCREENING_ASSESSED,
    Topic.SCREENING_CONCLUDED,
    Topic.OUTCOME_RECORDED,
    Topic.SCREENING_AMENDED,
    Topic.ALERT_ACKNOWLEDGED,
    Topic.ALERT_HANDLED,
    Topic.SCREENING_ERASED,
    Topic.FAULT_ALERTED,
    Topic.VAN_REPORTED,
)

DATABASE: Final = "database"
"""The outbox's, as something that the worker waits for (`progress.Progress.waits`)."""

UNKNOWN_VAN_WAIT_S: Final = 10.0
"""How long an amendment of a van that is not known, or with the signature of no known key, waits for the registry of
vans at the most; all of them together a tenth of the time, for every alert waits with them."""

NOTE_S: Final = 10.0
"""How much longer than its attempt a delivery is leased: the note in the database takes time as well."""


async def open_stage(given: Given) -> Stage:
    """Open the outbox, waiting for its database. Raises Fatal where that, or the site's rules, cannot be used."""
    settings = read_settings(AlertSettings)
    file = None if settings.rules_file is None else read_rule_file(settings.rules_file)
    recipients = everybody(settings, file, given.send, given.worker.intended_use)
    ladder = ladder_of(settings, file)
    missing = sorted({*ladder.names, *(() if file is None else file.faults)} - recipients.keys())
    if missing:
        raise Fatal(f"the rules name {missing[0]}, and SONOVAN_ALERT_WEBHOOK_URL is not set")
    url = _database_url(settings, given.worker.data_dir)
    outbox = await retry(
        lambda: asyncio.to_thread(Outbox, url), told=lambda why: given.progress.waits(DATABASE, str(why))
    )
    given.progress.has(DATABASE)
    sender = Sender(
        outbox,
        recipients,
        lease_s=_longest_attempt_s(settings) + NOTE_S,
        longest_pause_s=settings.retry_longest_s,
        late=Late(timedelta(seconds=settings.undelivered_after_s), given.progress.fault),
    )
    rules, faults_to = (RuleSet.of(RuleSettings()), ()) if file is None else (file.rule_set, file.faults)
    watch = VanWatch(outbox, given.vans, settings.van_bounds)
    tell = partial(_tell, given)
    return alert_stage(outbox, rules, ladder, given.vans.verify, sender, faults_to=faults_to, vans=watch, tell=tell)


def alert_stage(
    outbox: Outbox,
    rules: RuleSet,
    ladder: Ladder,
    verify: Verify,
    sender: Sender | None = None,
    *,
    faults_to: Sequence[str] = (),
    vans: VanWatch | None = None,
    tell: Callable[[FaultAlerted], Awaitable[object]] | None = None,
    now: Callable[[], float] = time.time,
    steady: Callable[[], float] = time.monotonic,
) -> Stage:
    """The stage with an outbox that is open. faults_to: who is told of faults.

    verify: who signed an amendment. One that cannot be used is left out: `assess` rejects it and answers its van.
    vans: takes what vans report; None leaves it out.
    tell: sends the faults of vans that are silent; None does not look for them.

    now: seconds since the epoch, by the clock of the sender. steady: seconds of a clock that nobody sets.
    """

    registry = RegistryWait(UNKNOWN_VAN_WAIT_S, steady)

    def judged(message: Message) -> Outcome:
        at, moment = message.at.appended_at, datetime.fromtimestamp(now(), UTC)
        if message.at.topic == Topic.ALERT_ACKNOWLEDGED:
            answered = AlertAcknowledged.decode(message.value)
            return Outcome(store=partial(answer, outbox, answered, ladder, at, moment))
        if message.at.topic == Topic.ALERT_HANDLED:
            handled = AlertHandled.decode(message.value)
            return Outcome(store=partial(answer, outbox, handled, ladder, at, moment))
        if message.at.topic == Topic.SCREENING_ERASED:
            return Outcome(store=partial(outbox.forget, ScreeningErased.decode(message.value).screening_id))
        if message.at.topic == Topic.FAULT_ALERTED:
            fault = FaultAlerted.decode(message.value)
            return Outcome(store=partial(take_fault, outbox, fault, faults_to, at, moment))
        if message.at.topic == Topic.VAN_REPORTED:
            report = None if vans is None else vans.report_of(message)
            if vans is None or report is None:
                return Outcome()
            return Outcome(store=partial(vans.take, report, at, moment))
        if message.at.topic == Topic.SCREENING_CONCLUDED:
            concluded = ScreeningConcluded.decode(message.value)
            return Outcome(store=partial(follow, outbox, concluded, rules, ladder, at, moment))
        if message.at.topic == Topic.SCREENING_AMENDED:
            return Outcome(store=partial(take_amendment, message, moment))
        if message.at.topic == Topic.OUTCOME_RECORDED:
            outcome = OutcomeRecorded.decode(message.value)
            return Outcome(store=partial(follow, outbox, outcome, rules, ladder, at, moment))
        assessed = ScreeningAssessed.decode(message.value)

        def take_and_follow() -> None:
            take(outbox, assessed, rules, ladder, at, moment)
            follow(outbox, assessed, rules, ladder, at, moment)

        return Outcome(store=take_and_follow)

    def take_amendment(message: Message, moment: datetime) -> None:
        at, topic = message.at.appended_at, Topic.SCREENING_AMENDED
        read = partial(signed_record, ScreeningAmended, topic, message.key, message.value, at, verify)
        amended = or_left_out(read, message.at, lambda: registry.goes_on(message.at, now() - at.timestamp()))
        if amended is not None:
            follow(outbox, amended, rules, ladder, at, moment)

    beside = [] if sender is None else [sender.run]
    if vans is not None and tell is not None:
        beside.append(partial(vans.run, tell))

    async def background() -> None:
        await asyncio.gather(*(each() for each in beside))

    return Stage(
        name=Writer.ALERT,
        reads=READS,
        process=judged,
        background=background if beside else None,
        close=outbox.close,
    )


async def _tell(given: Given, fault: FaultAlerted) -> None:
    await given.send(Topic.FAULT_ALERTED, fault.key, fault.encode())


def _longest_attempt_s(settings: AlertSettings) -> float:
    mail_s = 0.0 if settings.mail_server is None else settings.smtp_timeout_s
    return max(settings.webhook_timeout_s, mail_s)


def _database_url(settings: AlertSettings, data_dir: Path) -> str:
    if settings.database_url is not None:
        return settings.database_url.get_secret_value()
    return sqlite_url(data_dir / "outbox.sqlite")
