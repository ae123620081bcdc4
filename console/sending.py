"""Publishes what people decide, and returns once Kafka has it."""

import threading
from collections.abc import Callable, Mapping
from typing import Final

from sonovan.contracts.broker import BrokerSettings
from sonovan.contracts.errors import Fatal, SonovanError
from sonovan.contracts.record import Record
from sonovan.contracts.topics import TOPICS, TopicSpec, Writer
from sonovan.transport.producer import BoundedProducer

SENT_WITHIN_S: Final = 20.0


def topics_written() -> Mapping[type[Record], TopicSpec]:
    """By its kind of record, each topic that the console writes."""
    return {spec.value: spec for spec in TOPICS.values() if Writer.CONSOLE in spec.writers}


class Sender:
    """Connects when something is sent for the first time. Any thread may send."""

    def __init__(self, settings: Callable[[], BrokerSettings]) -> None:
        """settings: how to reach Kafka as the account `console`, asked for when something is sent."""
        self._settings, self._lock = settings, threading.Lock()
        self._producer: BoundedProducer | None = None
        self._topics = topics_written()

    def __call__(self, record: Record) -> None:
        """Publish a record of a topic that the console writes.

        Raises Transient (not sent, or not known: send it again), Fatal, InvalidRecord `record_too_large`.
        """
        spec = self._topics.get(type(record))
        if spec is None:
            raise Fatal(f"the console writes no topic of {type(record).__name__}")
        try:
            key = str(getattr(record, spec.key)).encode()
            self._connected().send(spec.name, key, record.encode(), deadline_s=SENT_WITHIN_S).result(SENT_WITHIN_S)
        except Fatal:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the connection; another one is made when something is sent."""
        with self._lock:
            producer, self._producer = self._producer, None
        if producer is not None:
            try:
                producer.close()
            except SonovanError:
                return

    def _connected(self) -> BoundedProducer:
        with self._lock:
            if self._producer is None:
                self._producer = BoundedProducer(self._settings())
            return self._producer
