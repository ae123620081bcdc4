"""Reads a stage's deferred messages back, as fast as their vans' turns allow. No faust here: a plain consumer."""

import asyncio
import logging
from collections import deque
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError

from sonovan.contracts.broker import BrokerSettings
from sonovan.contracts.errors import Fatal, InvalidRecord
from sonovan.contracts.limits import KIB
from sonovan.contracts.topics import Topic, deferred_group
from sonovan.stream_apps.deferring import Deferred, restored
from sonovan.stream_apps.faust_options import consumer_options
from sonovan.stream_apps.handling import Handling
from sonovan.stream_apps.kafka_io import REFUSALS
from sonovan.stream_apps.progress import Progress

log = logging.getLogger(__name__)

AT_ONCE: Final = 64
"""Messages that are fetched at a time."""

FETCH_BYTES: Final = 256 * KIB
"""Per partition; a broker sends a larger message alone."""

IDLE_MS: Final = 250
HELD_MS: Final = 20
"""How long a fetch waits where nothing is held for a van's turn, and where something is."""

RECONNECT_S: Final = 1.0


class DeferredReader:
    """Feeds a stage with its deferred messages, until it is cancelled.

    Partitions are shared between the workers of the stage; the key of a deferred message is its van, so that a van's
    deferred messages hold up no others but those of vans in the same partition. An offset is committed when all before
    it are done. What is under way when partitions move, the app's or these, is read again from the commit on.
    """

    def __init__(
        self, broker: BrokerSettings, topic: Topic, stage: str, handling: Handling, progress: Progress
    ) -> None:
        self._broker, self._topic, self._group = broker, topic, deferred_group(stage)
        self._handling, self._progress = handling, progress
        self._held: dict[TopicPartition, deque[Any]] = {}
        self._under_way: dict[TopicPartition, deque[Deferred]] = {}
        self._lost = False

    async def run(self) -> None:
        """Read until cancelled. Raises Fatal where the broker refuses the topic or the group."""
        while True:
            try:
                await self._read()
            except REFUSALS as error:
                raise Fatal(f"the broker refuses deferred messages: {type(error).__name__}") from error
            except KafkaError as error:
                log.warning("deferred messages: the broker is away (%s), trying again", type(error).__name__)
                await asyncio.sleep(RECONNECT_S)

    async def _read(self) -> None:
        """Read until the app's partitions move, or these did; then everything is read again from the commits on."""
        generation = self._handling.generation
        consumer = AIOKafkaConsumer(
            group_id=self._group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            session_timeout_ms=10_000,
            heartbeat_interval_ms=2_000,
            max_partition_fetch_bytes=FETCH_BYTES,
            **consumer_options(self._broker),
        )
        self.forget()
        self._lost = False
        consumer.subscribe([self._topic.value], listener=_Moving(self, consumer))
        try:
            await consumer.start()
            while generation == self._handling.generation and not self._lost:
                await self._progress.room()
                wait_ms = HELD_MS if any(self._held.values()) or any(self._under_way.values()) else IDLE_MS
                for place, records in (await consumer.getmany(timeout_ms=wait_ms, max_records=AT_ONCE)).items():
                    self._held.setdefault(place, deque()).extend(records)
                    consumer.pause(place)
                await self._feed(consumer)
                await self.commit(consumer)
        finally:
            await consumer.stop()

    async def _feed(self, consumer: Any) -> None:
        """Hand over what its vans have room for; fetch again where nothing is held any more."""
        for place, records in list(self._held.items()):
            while records and self._handling.has_room_for(_van(records[0])):
                record = records.popleft()
                try:
                    message = restored(record.headers, record.value or b"", self._handling.reads)
                except InvalidRecord as error:
                    log.error("%s/%d/%d is passed over: %s", place.topic, place.partition, record.offset, error.message)
                    continue
                deferred = Deferred(message, record.offset)
                self._under_way.setdefault(place, deque()).append(deferred)
                await self._handling.take_back(deferred, place.partition)
            if not records:
                self._held.pop(place, None)
                if place in consumer.paused():
                    consumer.resume(place)

    async def commit(self, consumer: Any) -> None:
        """Commit what is done, up to the first of each partition that is not."""
        offsets: dict[TopicPartition, int] = {}
        for place, under_way in self._under_way.items():
            while under_way and under_way[0].done:
                offsets[place] = under_way.popleft().offset + 1
        if offsets:
            try:
                await consumer.commit(offsets)
            except (CommitFailedError, IllegalStateError):  # they are another worker's now, which does them again
                self._lost = True

    def forget(self) -> None:
        """Let go of everything that was fetched."""
        self._held.clear()
        self._under_way.clear()


class _Moving(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """Lets go of what was held when deferred messages' partitions move."""

    def __init__(self, reader: DeferredReader, consumer: Any) -> None:
        self._reader, self._consumer = reader, consumer

    async def on_partitions_revoked(self, revoked: Any) -> None:
        """Commit what is done; the rest is read again by whoever has the partition then."""
        try:
            await self._reader.commit(self._consumer)
        except KafkaError as error:
            log.warning("deferred messages: what is done was not committed (%s)", type(error).__name__)
        self._reader.forget()

    async def on_partitions_assigned(self, assigned: Any) -> None:
        """Nothing is to be done: reading begins at the commits."""


def _van(record: Any) -> str:
    return (record.key or b"").decode(errors="replace")
