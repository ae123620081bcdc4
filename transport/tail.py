"""Read a topic without a consumer group: from its beginning, from now or from given offsets."""

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final, Literal, Self

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaTimeoutError

from sonovan.contracts.broker import BrokerSettings
from sonovan.contracts.envelope import open_envelope
from sonovan.contracts.errors import InvalidRecord, Transient
from sonovan.contracts.record import Record
from sonovan.transport.client import client_options
from sonovan.transport.failures import translating
from sonovan.transport.plan import spec_named

_POLL_MS: Final = 200

Start = Literal["beginning", "now"] | datetime | Mapping[int, int]
"""Where reading starts. A time: with the first message that the broker appended then or later. A mapping gives the next
offset per partition; others are read from their start."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a topic. `appended_at` is the broker's time; a `value` of None deletes the key."""

    topic: str
    partition: int
    offset: int
    appended_at: datetime
    key: bytes | None
    value: bytes | None
    headers: dict[str, bytes]

    def decode(self) -> Record | None:
        """The record in the message; None for a deletion.

        A van's envelope is opened, and its signature is not verified. Raises InvalidRecord if the bytes are not what
        the topic table says.
        """
        if self.value is None:
            return None
        spec = spec_named(self.topic)
        return spec.value.decode(open_envelope(self.value).header if spec.signed else self.value)

    def readable(self) -> Record | None:
        """The record in the message; None for a deletion, and for what is no record.

        For whoever reads through a topic: stages reject what they cannot read, and it stays where it stands.
        """
        try:
            return self.decode()
        except InvalidRecord:
            return None


class Tail:
    """A topic being read, all partitions, without a consumer group; a context manager.

    Where reading starts is fixed when this is constructed: what is sent afterwards is seen.
    Raises Transient where no broker answers or the topic is not there, Fatal where the account may not read it.
    """

    def __init__(self, settings: BrokerSettings, topic: str, start: Start = "beginning") -> None:
        self.topic = topic
        self._waiting: deque[Message] = deque()
        self._patience_s = settings.connect_timeout_s
        with translating(f"connecting to {settings.bootstrap}"):
            self._consumer = KafkaConsumer(
                **client_options(settings),
                group_id=None,
                enable_auto_commit=False,
                allow_auto_create_topics=False,
                fetch_max_bytes=settings.max_message_bytes,
                max_partition_fetch_bytes=settings.max_message_bytes,
                max_poll_records=64,
            )
        try:
            self._assign(start)
        except BaseException:
            self.close()
            raise

    def _assign(self, start: Start) -> None:
        with translating(f"reading {self.topic}"):
            numbers = self._consumer.partitions_for_topic(self.topic)
            if not numbers:
                self._ask_why_unknown()
                raise Transient(f"topic {self.topic} is not there; create it with: sonovan topics create")
            self._partitions = [TopicPartition(self.topic, number) for number in sorted(numbers)]
            self._consumer.assign(self._partitions)
            for partition, offset in self._starts(start).items():
                self._consumer.seek(partition, offset)

    def _starts(self, start: Start) -> dict[TopicPartition, int]:
        ends: dict[TopicPartition, int] = self._consumer.end_offsets(self._partitions)
        if start == "now":
            return ends
        if isinstance(start, datetime):
            moment_ms = round(start.timestamp() * 1000)
            found = self._consumer.offsets_for_times(dict.fromkeys(self._partitions, moment_ms))
            return {part: ends[part] if found.get(part) is None else found[part].offset for part in self._partitions}
        begins: dict[TopicPartition, int] = self._consumer.beginning_offsets(self._partitions)
        if start == "beginning":
            return begins
        # What was read up to may have expired since, or belong to a topic that was deleted and made again.
        wanted = {part: start.get(part.partition, 0) for part in self._partitions}
        return {part: wanted[part] if begins[part] <= wanted[part] <= ends[part] else begins[part] for part in wanted}

    def _ask_why_unknown(self) -> None:
        """Raise if the account may not see the topic; a list of all topics silently leaves such topics out."""
        with suppress(KafkaTimeoutError):
            self._consumer.beginning_offsets([TopicPartition(self.topic, 0)], timeout_ms=round(self._patience_s * 1000))

    def positions(self) -> dict[int, int]:
        """Partition → offset of the next message that `messages` will yield."""
        fetched = self._fetched()
        for message in self._waiting:
            fetched[message.partition] = min(fetched[message.partition], message.offset)
        return fetched

    def ends(self) -> dict[int, int]:
        """Partition → offset that the next message written will get."""
        with translating(f"reading {self.topic}"):
            found = self._consumer.end_offsets(self._partitions)
        return {partition.partition: offset for partition, offset in found.items()}

    def messages(
        self, *, until: Callable[[Message], bool] | None = None, deadline_s: float | None = None
    ) -> Iterator[Message]:
        """Messages as they come, in order within a partition; ends after the first that `until` accepts.

        Ends as well when `deadline_s` seconds have passed, None: never. May be called again to read on. A broker
        that goes away is waited for.
        """
        give_up_at = None if deadline_s is None else time.monotonic() + deadline_s
        while give_up_at is None or time.monotonic() < give_up_at:
            if not self._waiting:
                self._waiting.extend(self._poll())
            while self._waiting:
                message = self._waiting.popleft()
                yield message
                if until is not None and until(message):
                    return

    def to_the_end(self, deadline_s: float) -> list[Message]:
        """Everything up to where the topic ends now; may be called again to read on.

        Raises Transient when that takes longer than `deadline_s`; nothing read so far is lost to the next call.
        """
        ends = self.ends()
        give_up_at = time.monotonic() + deadline_s
        while any(offset < ends[partition] for partition, offset in self._fetched().items()):
            if time.monotonic() > give_up_at:
                raise Transient(f"{self.topic} was not read to its end within {deadline_s:g} s")
            self._waiting.extend(self._poll())
        read, self._waiting = self._waiting, deque()
        self._waiting.extend(message for message in read if message.offset >= ends[message.partition])
        return [message for message in read if message.offset < ends[message.partition]]

    def _fetched(self) -> dict[int, int]:
        with translating(f"reading {self.topic}"):
            return {partition.partition: self._consumer.position(partition) for partition in self._partitions}

    def _poll(self) -> list[Message]:
        with translating(f"reading {self.topic}"):
            batches = self._consumer.poll(timeout_ms=_POLL_MS)
        return [message_of(found) for batch in batches.values() for found in batch]

    def close(self) -> None:
        """End the connection."""
        self._consumer.close(autocommit=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def read_all(settings: BrokerSettings, topic: str, *, deadline_s: float = 60.0) -> list[Message]:
    """Every message of a topic up to its present end, in the order of their appending."""
    with Tail(settings, topic) as tail:
        found = tail.to_the_end(deadline_s)
    return sorted(found, key=lambda message: (message.appended_at, message.partition, message.offset))


def message_of(found: Any) -> Message:  # kafka-python ships no types
    """A message of kafka-python as ours."""
    appended_at = datetime.fromtimestamp(found.timestamp / 1000, UTC)
    headers = dict(found.headers)
    return Message(found.topic, found.partition, found.offset, appended_at, found.key, found.value, headers)
