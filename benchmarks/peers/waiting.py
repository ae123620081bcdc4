"""Send records and return once the broker has them."""

import time
from collections.abc import Sequence
from typing import Final

from confluent_kafka import Producer

from benchmarks.peers.step import Record

GIVE_UP_S: Final = 30.0


def sent(producer: Producer, records: Sequence[Record]) -> None:
    """Raises RuntimeError where the broker does not take one. May be called from several threads with one producer."""
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
