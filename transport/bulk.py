"""Read many topics at once and fast, from noted offsets to where they end now: for whoever needs all of them."""

from collections.abc import Collection, Iterator, Mapping
from types import TracebackType
from typing import Any, Final, Self

from kafka import KafkaConsumer, TopicPartition

from sonovan.contracts.broker import BrokerSettings
from sonovan.contracts.errors import Transient
from sonovan.contracts.limits import MIB
from sonovan.transport.client import client_options
from sonovan.transport.failures import translating
from sonovan.transport.tail import Message, message_of

_POLL_MS: Final = 500
_LOOK: Final = 4
"""After so many polls without a message the broker is asked what it has deleted."""
_QUIET: Final = 120
"""So many polls without a message, although some are missing, and the broker counts as away."""

Spot = tuple[str, int]
"""A topic and a partition."""


class Bulk:
    """Some topics being read without a consumer group, a part of their partitions or all; a context manager."""

    def __init__(
        self,
        settings: BrokerSettings,
        topics: Collection[str],
        begin: Mapping[Spot, int],
        *,
        part: int = 0,
        parts: int = 1,
        at_once: int = 2000,
    ) -> None:
        """begin: the next offset of each partition, others are read from their start. at_once: messages of one step.

        part, parts: this reader has the partitions whose number modulo `parts` is `part`.
        Raises Transient where no broker answers or a topic is not there, Fatal where the account may not read it.
        """
        with translating(f"connecting to {settings.bootstrap}"):
            self._consumer = KafkaConsumer(
                **client_options(settings),
                group_id=None,
                enable_auto_commit=False,
                auto_offset_reset="earliest",  # where messages were deleted meanwhile: from the first that is left
                allow_auto_create_topics=False,
                fetch_max_bytes=32 * MIB,
                max_partition_fetch_bytes=settings.max_message_bytes,
                max_poll_records=at_once,
            )
        try:
            with translating("reading topics"):
                self._assign(topics, begin, part, parts)
        except BaseException:
            self.close()
            raise

    def _assign(self, topics: Collection[str], begin: Mapping[Spot, int], part: int, parts: int) -> None:
        self._places = []
        for topic in topics:
            numbers = self._consumer.partitions_for_topic(topic)
            if not numbers:
                raise Transient(f"topic {topic} is not there; create it with: sonovan topics create")
            self._places += [TopicPartition(topic, number) for number in sorted(numbers) if number % parts == part]
        self._consumer.assign(self._places)
        starts, ends = self._consumer.beginning_offsets(self._places), self._consumer.end_offsets(self._places)
        self._next: dict[TopicPartition, int] = {}
        self._goal: dict[TopicPartition, int] = {}
        for place in self._places:
            wanted = begin.get((place.topic, place.partition), 0)
            # What was read up to may have expired since, or belong to a topic that was deleted and made again.
            self._next[place] = wanted if starts[place] <= wanted <= ends[place] else starts[place]
            self._consumer.seek(place, self._next[place])

    def reached(self) -> dict[Spot, int]:
        """Up to which offset `to_the_end` has last read each partition that has messages."""
        begins = self._consumer.beginning_offsets(self._places)
        return {(place.topic, place.partition): end for place, end in self._goal.items() if end > begins[place]}

    def ends(self) -> dict[Spot, tuple[int, int]]:
        """Where each partition begins, and where the next message will stand."""
        with translating("reading topics"):
            begins = self._consumer.beginning_offsets(self._places)
        return {(place.topic, place.partition): (begins[place], end) for place, end in self._ends().items()}

    def behind(self) -> int:
        """How many messages there are up to where the topics end now."""
        return sum(max(0, end - self._next[place]) for place, end in self._ends().items())

    def to_the_end(self) -> Iterator[list[Message]]:
        """Everything up to where the topics end now, some messages at a time; may be called again to read on.

        Raises Transient when the broker gives nothing for a minute though something is missing.
        """
        ends = self._goal = self._ends()
        quiet = 0
        while any(self._next[place] < end for place, end in ends.items()):
            with translating("reading topics"):
                found: Mapping[TopicPartition, list[Any]] = self._consumer.poll(timeout_ms=_POLL_MS)
                quiet = 0 if found else quiet + 1
                if quiet and quiet % _LOOK == 0:  # what is missing may have been deleted, its time being over
                    for place, first in self._consumer.beginning_offsets(self._places).items():
                        self._next[place] = max(self._next[place], first)
            if quiet > _QUIET:
                raise Transient("the broker gives nothing though topics are not read to their end")
            batch: list[Message] = []
            for place, messages in found.items():
                self._next[place] = messages[-1].offset + 1
                batch += map(message_of, messages)
            if batch:
                yield batch

    def _ends(self) -> dict[TopicPartition, int]:
        with translating("reading topics"):
            ends: dict[TopicPartition, int] = self._consumer.end_offsets(self._places)
        return ends

    def close(self) -> None:
        """End the connection."""
        self._consumer.close(autocommit=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
