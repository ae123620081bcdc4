"""Send records: with a bound on the bytes that are unacknowledged, and counting as sent only what is acknowledged."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final, Self

from kafka import KafkaProducer
from kafka.errors import KafkaTimeoutError

from sonovan.contracts.broker import BrokerSettings
from sonovan.contracts.errors import Transient
from sonovan.transport.client import client_options
from sonovan.transport.failures import translating
from sonovan.transport.in_flight import InFlightBytes

DEFAULT_IN_FLIGHT_BYTES: Final = 256 * 1024
DEFAULT_DELIVERY_TIMEOUT_S: Final = 60.0

_END_WITHIN_S: Final = 1.0

Headers = Sequence[tuple[str, bytes]]


@dataclass(frozen=True, slots=True)
class Sent:
    """The place that the broker gave to a record, and the broker's time of appending it."""

    topic: str
    partition: int
    offset: int
    appended_at: datetime


class Pending:
    """A record that was handed over. It was sent only if `result()` returns; one that expired counts as unsent."""

    def __init__(self, topic: str, future: Any) -> None:  # kafka-python ships no types
        self._topic = topic
        self._future = future

    def done(self) -> bool:
        """Whether `result` would return or raise at once."""
        return bool(self._future.is_done)

    def result(self, timeout_s: float) -> Sent:
        """The record's place in the topic. Waits up to `timeout_s` seconds for the acknowledgement.

        Raises Transient (unsent, or not yet known: send it again), Fatal (the broker refuses this account)
        or InvalidRecord `record_too_large`.
        """
        with translating(f"sending to {self._topic}"):
            written = self._future.get(timeout=timeout_s)
        appended_at = datetime.fromtimestamp(written.timestamp / 1000, UTC)
        return Sent(written.topic, written.partition, written.offset, appended_at)


class BoundedProducer:
    """A Kafka producer with a bound on what is unacknowledged; a context manager.

    It waits for all replicas in sync, is idempotent and does not compress, since frames are coded already.
    in_flight_bytes: `send` waits while a further message would make more than this unacknowledged. A message of any
    size is admitted when nothing else is.
    delivery_timeout_s: a record without acknowledgement after this time counts as unsent. The next `send` then connects
    anew, and what else was unacknowledged counts as unsent as well.
    After a Fatal error this producer cannot be used any more: kafka-python fails all that follows with the same error.
    Raises Transient if no broker answers within `settings.connect_timeout_s`, Fatal if it refuses the account.
    """

    def __init__(
        self,
        settings: BrokerSettings,
        *,
        in_flight_bytes: int = DEFAULT_IN_FLIGHT_BYTES,
        delivery_timeout_s: float = DEFAULT_DELIVERY_TIMEOUT_S,
    ) -> None:
        self._settings = settings
        self._room = InFlightBytes(in_flight_bytes)
        self._delivery_timeout_s = delivery_timeout_s
        self._changing = threading.Lock()
        self._expired = threading.Event()
        self._producer = self._connect()

    def _connect(self) -> Any:
        with translating(f"connecting to {self._settings.bootstrap}"):
            return KafkaProducer(
                **client_options(self._settings),
                acks="all",
                enable_idempotence=True,
                compression_type=None,
                max_request_size=self._settings.max_message_bytes,
                allow_auto_create_topics=False,
                delivery_timeout_ms=round(self._delivery_timeout_s * 1000),
                request_timeout_ms=round(self._delivery_timeout_s * 500),
                max_block_ms=round(self._settings.connect_timeout_s * 1000),
            )

    def _renew(self) -> None:
        """A new client after a record has expired.

        kafka-python 3.0.12 lets go of its producer id when a record expires that was on its way once, and never asks
        for another (`TransactionManager.init_producer_id` acts in its first state only): what is handed over then is
        neither sent nor does it expire.
        """
        with self._changing:
            if self._expired.is_set():
                self._end(0.0)
                self._producer = self._connect()
                self._expired = threading.Event()

    @property
    def in_flight_bytes(self) -> int:
        """Bytes handed over and not yet acknowledged."""
        return self._room.held

    def send(
        self, topic: str, key: bytes, value: bytes, headers: Headers = (), *, deadline_s: float | None = None
    ) -> Pending:
        """Hand one record over; waits for room up to `deadline_s` seconds (default: the delivery timeout).

        Raises Transient when there is no room by then or the topic is unknown, InvalidRecord `record_too_large`.
        """
        self._renew()
        size = len(key) + len(value)
        self._room.admit(size, self._delivery_timeout_s if deadline_s is None else deadline_s)
        try:
            with translating(f"sending to {topic}"):
                future = self._producer.send(topic, key=key, value=value, headers=list(headers))
        except BaseException:
            self._room.release(size)
            raise
        expired = self._expired
        future.add_errback(lambda error: expired.set() if isinstance(error, KafkaTimeoutError) else None)
        future.add_both(lambda _outcome: self._room.release(size))
        return Pending(topic, future)

    def flush(self, deadline_s: float) -> None:
        """Wait until every record is acknowledged or failed. Raises Transient when some still are on their way."""
        if not self._room.wait_empty(deadline_s):
            raise Transient(f"{self._room.held} bytes were not acknowledged within {deadline_s:g} s")

    def close(self, deadline_s: float = 5.0) -> None:
        """End the client; what is unacknowledged after `deadline_s` seconds counts as unsent: its `Pending` says so."""
        with self._changing:
            self._end(deadline_s)

    def _end(self, deadline_s: float) -> None:
        if not self._room.wait_empty(deadline_s):
            # KafkaProducer.close flushes first, raises at its timeout and leaves the sender thread running (3.0.12).
            self._producer._sender.force_close()
        self._producer.close(timeout=max(deadline_s, _END_WITHIN_S))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
