"""faststream: one frame after the other, acknowledged once the handler has returned (`NACK_ON_ERROR`)."""

import asyncio
import sys

from faststream import AckPolicy, FastStream
from faststream.confluent import KafkaBroker
from faststream.confluent.annotations import KafkaMessage
from faststream.security import SASLScram512

from benchmarks.peers.step import CAPTURED, Step, consuming, group, librdkafka, producing

OWN = ("group.id", "auto.offset.reset", "enable.auto.commit", "acks", "linger.ms")
"""What the library sets itself."""


def app() -> FastStream:
    """The application with its one subscriber."""
    step, known = Step(), librdkafka()
    more = {name: value for name, value in (consuming() | producing()).items() if name not in OWN}
    broker = KafkaBroker(
        known["bootstrap.servers"],
        security=SASLScram512(known["sasl.username"], known["sasl.password"], use_ssl=False),
        acks="all",
        config=more,
        logger=None,
    )

    @broker.subscriber(
        CAPTURED, group_id=group(), auto_offset_reset="earliest", ack_policy=AckPolicy.NACK_ON_ERROR, decoder=_bytes
    )
    async def segment(body: bytes, message: KafkaMessage) -> None:
        for topic, key, value in await asyncio.to_thread(step.records, body, message.raw_message.key()):
            await broker.publish(value, topic, key=key, no_confirm=False)

    return FastStream(broker, logger=None)


async def _bytes(message: KafkaMessage) -> bytes:
    return bytes(message.body)


if __name__ == "__main__":
    sys.exit(asyncio.run(app().run()))
