"""One revision from bytes to an acknowledgement: judge, commit to the outbox, acknowledge; without Faust."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Protocol

from sonovan.clinical.alert_rules import RULES, AlertRule, AlertSettings
from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.results import ScreeningAssessed
from sonovan.contracts.topics import Topic
from sonovan.storage.outbox import Outbox
from sonovan.storage.stores import ObjectStore
from sonovan.stream_apps.alert.messages import take
from sonovan.stream_apps.kafka_io import App, deliver
from sonovan.stream_apps.rejecting import Coordinates, message_key, reject
from sonovan.stream_apps.retrying import retry

log = logging.getLogger(__name__)


class Acknowledged(Protocol):
    """As much of a Faust event as is needed here."""

    def ack(self) -> bool: ...


class Handler:
    """Takes revisions one at a time."""

    def __init__(
        self,
        app: App,
        store: ObjectStore,
        outbox: Outbox,
        rule: AlertSettings,
        recipients: Sequence[str],
        now: Callable[[], float],
        rules: Sequence[AlertRule] = RULES,
    ) -> None:
        """recipients: to whom each alert is owed. now: seconds since the epoch."""
        self._app, self._store, self._outbox = app, store, outbox
        self._rule, self._recipients, self._now, self._rules = rule, tuple(recipients), now, rules
        self._generation = 0

    async def handle(self, event: Acknowledged, at: Coordinates, value: bytes | None) -> None:
        """Everything for one record; waits through whatever is Transient, raises Fatal.

        One that was in flight while partitions moved is not acknowledged: whoever has the partition now takes it
        again, and says nothing twice.
        """
        generation = self._generation
        try:
            assessed = ScreeningAssessed.decode(value or b"")
        except InvalidRecord as error:
            await self._reject(error, at, value or b"")
        else:
            now = datetime.fromtimestamp(self._now(), UTC)
            owe = partial(take, self._outbox, assessed, self._rule, self._recipients, now, self._rules)
            await retry(lambda: asyncio.to_thread(owe))
        if generation == self._generation:
            event.ack()

    async def forget(self) -> None:
        """Partitions are being moved: what is in flight must not be acknowledged in their next generation."""
        self._generation += 1

    async def _reject(self, error: InvalidRecord, at: Coordinates, value: bytes) -> None:
        rejection = reject("alert", error, at, value)
        record, kept = rejection.record, rejection.quarantine
        log.warning("rejected %s/%d/%d: %s (%s)", at.topic, at.partition, at.offset, error.reason, record.rejection_id)
        put = partial(self._store.put, kept.bucket, kept.key, kept.data, kept.content_type)
        await retry(lambda: asyncio.to_thread(put))
        await deliver(self._app, Topic.RECORD_REJECTED, message_key(record), record.encode())
