"""sentry-arroyo: the step in threads, offsets committed behind it in order."""

import signal
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

from arroyo.backends.kafka import KafkaConsumer, KafkaPayload
from arroyo.backends.kafka.configuration import build_kafka_consumer_configuration
from arroyo.processing import StreamProcessor
from arroyo.processing.strategies import (
    CommitOffsets,
    ProcessingStrategy,
    ProcessingStrategyFactory,
    RunTaskInThreads,
)
from arroyo.types import Commit, Message, Partition, Topic
from confluent_kafka import Producer

from benchmarks.peers.step import CAPTURED, SETTINGS, Record, Step, consuming, group, librdkafka, producing

OWN = ("group.id", "auto.offset.reset", "enable.auto.commit")
"""What the library sets itself."""
GIVE_UP_S = 30.0


class Factory(ProcessingStrategyFactory[KafkaPayload]):
    """Segment and send in threads, then commit."""

    def __init__(self) -> None:
        self._step, self._producer = Step(), Producer(librdkafka(**producing()))

    def create_with_partitions(
        self, commit: Commit, partitions: Mapping[Partition, int]
    ) -> ProcessingStrategy[KafkaPayload]:
        """See the library."""

        def segmented(message: Message[KafkaPayload]) -> None:
            payload = message.payload
            sent(self._producer, self._step.records(payload.value, payload.key))

        # A thread computes, stores and sends a frame: as many as the product computes and stores at once, together.
        threads = SETTINGS.compute_threads + 1
        return RunTaskInThreads(segmented, threads, SETTINGS.in_flight, CommitOffsets(commit))


def sent(producer: Producer, records: Sequence[Record]) -> None:
    """Send records and return once the broker has them.

    Raises RuntimeError where the broker does not take one. May be called from several threads with one producer.
    """
    delivered: list[object] = []
    for topic, key, value in records:
        producer.produce(topic, value, key, on_delivery=lambda error, _: delivered.append(error))
    give_up_at = time.monotonic() + GIVE_UP_S
    while len(delivered) < len(records):
        producer.poll(0.01)
        if time.monotonic() > give_up_at:
            raise RuntimeError(f"the broker did not take a record within {GIVE_UP_S:.0f} s")
    if failed := [error for error in delivered if error is not None]:
        raise RuntimeError(f"the broker did not take a record: {failed[0]}")


def main() -> int:
    """Run until SIGTERM."""
    settings = librdkafka()
    servers = settings.pop("bootstrap.servers").split(",")
    more: dict[str, Any] = {name: value for name, value in consuming().items() if name not in OWN}
    configuration = build_kafka_consumer_configuration(
        settings, auto_offset_reset="earliest", group_id=group(), bootstrap_servers=servers
    )
    processor = StreamProcessor(KafkaConsumer(configuration | more), Topic(CAPTURED), Factory())
    signal.signal(signal.SIGTERM, lambda *_: processor.signal_shutdown())
    processor.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
