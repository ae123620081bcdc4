"""One arrival from bytes to an acknowledgement: catch up, decide, store, send, write rows; all of it without Faust."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from typing import Any, Protocol

from aiokafka.errors import KafkaError

from sonovan.contracts.errors import InvalidRecord, Transient
from sonovan.contracts.results import IntendedUse, ScreeningAssessed
from sonovan.contracts.topics import Topic
from sonovan.storage.stores import ObjectStore
from sonovan.stream_apps.assess.intake import Arrival
from sonovan.stream_apps.assess.report import store_report
from sonovan.stream_apps.assess.rows import HEARD, WATERMARK, Draft, Table, WatermarkRow
from sonovan.stream_apps.assess.settings import AssessSettings
from sonovan.stream_apps.assess.step import Message, Outcome, assess, due_ticks, word_of
from sonovan.stream_apps.assess.takeover import read_published, reflect, watermark
from sonovan.stream_apps.kafka_io import App, Sending, answer, deliver
from sonovan.stream_apps.rejecting import Coordinates, Unusable, message_key, reject
from sonovan.stream_apps.retrying import retry
from sonovan.stream_apps.vans import VanFollower

log = logging.getLogger(__name__)

Tables = Mapping[Table, MutableMapping[bytes, bytes]]
Writes = Mapping[tuple[Table, str], bytes | None]


class Acknowledged(Protocol):
    """As much of a Faust event as is needed here."""

    def ack(self) -> bool: ...


class Handler:
    """Takes arrivals one at a time, in the agent's own loop: the only place where rows are written."""

    def __init__(
        self,
        app: App,
        store: ObjectStore,
        vans: VanFollower,
        tables: Tables,
        rows_durable: Callable[[], Awaitable[None]],
        consumer_options: Mapping[str, Any],
        settings: AssessSettings,
        intended_use: IntendedUse,
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        """rows_durable: returns when the changelogs have every row written so far, or raises KafkaError.

        consumer_options: aiokafka's connection options, for `takeover`. now: seconds since the epoch.
        """
        self._app, self._store, self._vans = app, store, vans
        self._tables, self._rows_durable = tables, rows_durable
        self._consumer_options, self._settings, self._intended_use = consumer_options, settings, intended_use
        self._now = now
        self._caught_up: set[int] = set()
        self._generation = 0
        self._io = ThreadPoolExecutor(2, "report")

    async def handle(self, event: Acknowledged, arrival: Arrival) -> None:
        """Everything for one arrival; its offset may be committed only after this returned.

        Raises Fatal; waits through whatever is Transient.
        """
        at, generation = arrival.at, self._generation
        if at.partition not in self._caught_up:
            await self._catch_up(at.partition)
        draft = Draft(self._row)
        try:
            outcome = await self._decide(arrival, draft)
        except InvalidRecord as error:
            await self._reject(error, at, arrival.value)
            if generation == self._generation:
                event.ack()
            return
        if outcome.revision is not None:
            store = partial(store_report, outcome.revision, self._store, self._intended_use)
            await retry(lambda: self._in_thread(store))
        # What was heard is durable before anything is said of it: whoever comes after a crash knows no less than the
        # newest revision does, and never says an older one again (docs/decisions/0006). That it was said comes last.
        if not await self._keep(_heard(draft.writes), generation):
            return
        offset = await self._send(outcome.messages)
        if offset is not None:
            draft.put("published", WATERMARK, WatermarkRow(next_offset=offset + 1))
        if await self._keep(_said(draft.writes), generation):
            event.ack()

    async def forget(self) -> None:
        """Partitions are being moved: what is in flight must write nothing, and whoever gets them catches up again."""
        self._generation += 1
        self._caught_up.clear()

    async def tick(self) -> None:
        """Speak to the screenings whose time has come. A timer writes no rows: it sends `screening.ticked`."""
        now = datetime.fromtimestamp(self._now(), UTC)
        waiting = {key.decode(): value for key, value in self._tables["waiting"].items()}
        for tick in due_ticks(waiting, now):
            await deliver(self._app, Topic.SCREENING_TICKED, tick.screening_id.encode(), tick.encode())

    def close(self) -> None:
        """Give back the threads."""
        self._io.shutdown(wait=False, cancel_futures=True)

    async def _decide(self, arrival: Arrival, draft: Draft) -> Outcome:
        step = partial(assess, arrival, draft, self._vans.registry.key_of, self._settings.incomplete_after)
        try:
            return step()
        except Unusable as error:
            van_id = error.subject.van_id
            if error.reason != "van_unknown" or van_id is None:
                raise
            age_s = max(self._now() - arrival.at.appended_at.timestamp(), 0.0)
            if not await self._vans.wait_for(van_id, max(self._settings.unknown_van_wait_s - age_s, 0.0)):
                raise
        draft.writes.clear()
        return step()

    async def _send(self, messages: tuple[Message, ...]) -> int | None:
        """Send in order, await each; the offset of the revision, if one is among them.

        The revision follows when what belongs to it is durable: once it stands in its topic, nobody makes it again.
        """
        known = [each for each in messages if self._has_topic(each)]
        parts = [each for each in known if each.topic == Topic.SEQUENCE_ASSESSED]
        await self._send_together(parts)
        rest = [each for each in known if each.topic != Topic.SEQUENCE_ASSESSED]
        offsets = zip(rest, await self._send_together(rest), strict=True)
        return next((offset for each, offset in offsets if each.topic == Topic.SCREENING_ASSESSED), None)

    async def _send_together(self, messages: Sequence[Message]) -> list[int]:
        sendings = [Sending(self._app, each.topic, each.key.encode(), each.record.encode()) for each in messages]
        for sending in sendings:
            await sending.queued()
        return [await sending.durable() for sending in sendings]

    def _has_topic(self, message: Message) -> bool:
        """A van that was never enrolled has no topic of answers to be told on."""
        van_id = getattr(message.record, "van_id", None)
        return not message.topic.startswith("van.answered.") or (
            van_id is not None and self._vans.registry.knows(van_id)
        )

    async def _reject(self, error: InvalidRecord, at: Coordinates, value: bytes) -> None:
        rejection = reject("assess", error, at, value)
        record, kept = rejection.record, rejection.quarantine
        log.warning("rejected %s/%d/%d: %s (%s)", at.topic, at.partition, at.offset, error.reason, record.rejection_id)
        put = partial(self._store.put, kept.bucket, kept.key, kept.data, kept.content_type)
        await retry(lambda: self._in_thread(put))
        await deliver(self._app, Topic.RECORD_REJECTED, message_key(record), record.encode())
        if rejection.receipt is not None and self._vans.registry.knows(rejection.receipt.van_id):
            await answer(self._app, rejection.receipt)

    async def _catch_up(self, partition: int) -> None:
        async def read() -> tuple[list[ScreeningAssessed], int]:
            try:
                return await read_published(self._consumer_options, partition, watermark(Draft(self._row)))
            except KafkaError as error:
                raise Transient(f"the broker is away ({type(error).__name__})") from error

        generation = self._generation
        revisions, end = await retry(read)
        # Whoever sent them may have died before the van was told.
        await self._send(tuple(word_of(each) for each in revisions))
        draft = Draft(self._row)
        reflect(draft, revisions, end)
        if await self._keep(draft.writes, generation):
            self._caught_up.add(partition)

    def _row(self, table: Table, key: str) -> bytes | None:
        return self._tables[table].get(key.encode())

    async def _keep(self, writes: Writes, generation: int) -> bool:
        """Write rows and wait until the changelogs have them, written again where that fails.

        False where partitions have moved meanwhile: a row written now could overwrite a newer one of the next owner.
        """

        async def write() -> None:
            if generation != self._generation:
                return
            for (table, key), data in writes.items():
                if data is None:
                    self._tables[table].pop(key.encode(), None)
                else:
                    self._tables[table][key.encode()] = data
            try:
                await self._rows_durable()
            except KafkaError as error:
                raise Transient(f"the broker does not take rows ({type(error).__name__})") from error

        await retry(write)
        return generation == self._generation

    async def _in_thread(self, action: Callable[[], None]) -> None:
        await asyncio.get_running_loop().run_in_executor(self._io, action)


def _heard(writes: Writes) -> Writes:
    return {place: data for place, data in writes.items() if place[0] in HEARD}


def _said(writes: Writes) -> Writes:
    return {place: data for place, data in writes.items() if place[0] not in HEARD}
