"""The alert stage: revisions into the outbox, the outbox to its recipients. Run by `sonovan worker alert`."""

import asyncio
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final

from sonovan.clinical.alert_rules import RULES, AlertRule
from sonovan.clinical.alert_rules import AlertSettings as Numbers
from sonovan.contracts.results import ScreeningAssessed
from sonovan.contracts.settings import read_settings
from sonovan.contracts.topics import Topic, Writer
from sonovan.storage.outbox import Outbox
from sonovan.storage.outbox_engine import sqlite_url
from sonovan.stream_apps.alert.messages import take, to_topic
from sonovan.stream_apps.alert.sending import TOPIC, WEBHOOK, Deliver, Late, Sender
from sonovan.stream_apps.alert.settings import AlertSettings
from sonovan.stream_apps.alert.webhook import Webhook
from sonovan.stream_apps.retrying import retry
from sonovan.stream_apps.stage import Given, Message, Outcome, Stage

READS: Final = (Topic.SCREENING_ASSESSED,)

DATABASE: Final = "database"
"""The outbox's, as something that the worker waits for (`progress.Progress.waits`)."""

NOTE_S: Final = 10.0
"""How much longer than its attempt a delivery is leased: the note in the database takes time as well."""


async def open_stage(given: Given) -> Stage:
    """Open the outbox, waiting for its database. Raises Fatal where that cannot be used."""
    settings = read_settings(AlertSettings)
    url = _database_url(settings, given.worker.data_dir)
    outbox = await retry(
        lambda: asyncio.to_thread(Outbox, url), told=lambda why: given.progress.waits(DATABASE, str(why))
    )
    given.progress.has(DATABASE)
    recipients = _recipients(given, settings)
    sender = Sender(
        outbox,
        recipients,
        lease_s=settings.webhook_timeout_s + NOTE_S,
        longest_pause_s=settings.retry_longest_s,
        late=Late(timedelta(seconds=settings.undelivered_after_s), given.progress.fault),
    )
    return alert_stage(outbox, settings.rule, tuple(recipients), sender)


def alert_stage(
    outbox: Outbox,
    numbers: Numbers,
    recipients: Sequence[str],
    sender: Sender | None = None,
    *,
    rules: Sequence[AlertRule] = RULES,
    now: Callable[[], float] = time.time,
) -> Stage:
    """The stage with an outbox that is open. recipients: to whom each alert is owed. now: seconds since the epoch."""

    def judged(message: Message) -> Outcome:
        assessed = ScreeningAssessed.decode(message.value)
        moment = datetime.fromtimestamp(now(), UTC)
        return Outcome(store=partial(take, outbox, assessed, numbers, recipients, moment, rules))

    return Stage(
        name=Writer.ALERT,
        reads=READS,
        process=judged,
        background=None if sender is None else sender.run,
        close=outbox.close,
    )


def _database_url(settings: AlertSettings, data_dir: Path) -> str:
    if settings.database_url is not None:
        return settings.database_url.get_secret_value()
    return sqlite_url(data_dir / "outbox.sqlite")


def _recipients(given: Given, settings: AlertSettings) -> dict[str, Deliver]:
    recipients: dict[str, Deliver] = {TOPIC: to_topic(given.send)}
    if settings.webhook_url is not None:
        url, secrets = settings.webhook_url.get_secret_value(), settings.webhook_secrets
        webhook = Webhook(url, secrets, settings.webhook_timeout_s, time.time, given.worker.intended_use)
        recipients[WEBHOOK] = webhook.post
    return recipients
