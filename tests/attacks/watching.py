"""What attacks on running workers share: records that are changed and signed again, and what became of them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

from sonovan.contracts.answers import RecordRejected, VanAnswered
from sonovan.contracts.envelope import open_envelope, seal, seal_header
from sonovan.contracts.record import Record
from sonovan.contracts.topics import Topic, van_answered_topic
from sonovan.producers.items import Item
from tests.journeys.account import wait_for
from tests.journeys.van import Screening, Van, sweep
from tests.journeys.world import World


@contextmanager
def nobody_ends(world: World, *stages: str) -> Iterator[None]:
    """See that the workers of these stages are the same processes at the end."""
    before = [world.record(stage) for stage in stages]
    yield
    assert [world.record(stage) for stage in stages] == before
    assert all(world.runs(stage) for stage in stages)


def rejected(world: World, count: int, **fields: object) -> list[RecordRejected]:
    """The rejections with these values, once there are so many."""

    def found() -> list[RecordRejected]:
        there = world.records(Topic.RECORD_REJECTED, RecordRejected)
        return [one for one in there if all(getattr(one, name) == value for name, value in fields.items())]

    world.until(lambda: len(found()) >= count, f"{count} rejections with {fields}")
    return found()


def answers(world: World, van: Van) -> list[VanAnswered]:
    return world.records(van_answered_topic(van.van_id).name, VanAnswered)


def changed(value: bytes, private: bytes, **fields: object) -> bytes:
    """The envelope with other fields in its header, signed with this key."""
    envelope = open_envelope(value)
    header = json.loads(envelope.header) | fields
    return seal_header(json.dumps(header).encode(), private, envelope.payload)


def send(van: Van, *messages: tuple[Topic, str, bytes]) -> None:
    van.send_values([(topic, key.encode(), value, ()) for topic, key, value in messages])


def signed(van: Van, topic: Topic, record: Record, screening_id: str) -> tuple[Topic, str, bytes]:
    return topic, screening_id, seal(record, van.signer.private_key)


def control(screening: Screening, topic: Topic) -> Item:
    return next(item for item in screening.control if item.topic == topic)


def completes(world: World, van: Van) -> None:
    """An honest screening of this van comes to its report."""
    screening = van.screening(sweep(4))
    van.send(screening.items)
    wait_for(world, screening, "complete")
