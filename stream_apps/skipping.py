"""Which messages an operator told a stage to pass: read whole before the first message is taken.

A worker that a message ends, again after each restart, must know of the skip before it takes that message. So this is
no Faust agent, and nothing is followed afterwards: a worker that needs a skip starts again anyway.
"""

import asyncio
import logging
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from sonovan.contracts.answers import RecordSkipped
from sonovan.contracts.broker import BrokerSettings
from sonovan.contracts.errors import Fatal, InvalidRecord
from sonovan.contracts.topics import TOPICS, Topic
from sonovan.stream_apps.faust_options import consumer_options, no_answer
from sonovan.stream_apps.kafka_io import REFUSALS

log = logging.getLogger(__name__)

RETRY_S: Final = 1.0

Passed = frozenset[tuple[str, int, int]]
"""(topic, partition, offset) of messages that are not taken."""


async def read_skips(broker: BrokerSettings, stage: str) -> Passed:
    """What this stage must pass.

    Raises Transient where the broker has not answered within its `connect_timeout_s`, Fatal where it refuses the topic.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + broker.connect_timeout_s
    while True:
        consumer = AIOKafkaConsumer(enable_auto_commit=False, **consumer_options(broker))
        try:
            await consumer.start()
            return await _read(consumer, stage)
        except REFUSALS as error:
            raise Fatal(f"the broker refuses {Topic.RECORD_SKIPPED}: {type(error).__name__}") from error
        except KafkaError as error:
            if loop.time() >= deadline:
                raise no_answer(broker) from error
            log.warning("skips: the broker is away (%s), trying again", type(error).__name__)
        finally:
            await consumer.stop()
        await asyncio.sleep(RETRY_S)


async def _read(consumer: AIOKafkaConsumer, stage: str) -> Passed:
    places = [
        TopicPartition(Topic.RECORD_SKIPPED.value, number) for number in range(TOPICS[Topic.RECORD_SKIPPED].partitions)
    ]
    consumer.assign(places)
    await consumer.seek_to_beginning(*places)
    ends = await consumer.end_offsets(places)
    found: set[tuple[str, int, int]] = set()
    while any([await consumer.position(place) < end for place, end in ends.items()]):
        for messages in (await consumer.getmany(timeout_ms=1000)).values():
            for message in messages:
                try:
                    skipped = RecordSkipped.decode(message.value)
                except InvalidRecord as error:
                    log.error("a skip that cannot be used (%s)", error.reason)
                    continue
                if skipped.stage == stage:
                    found.add((skipped.topic, skipped.partition, skipped.offset))
    return frozenset(found)
