"""Reading many messages at once: each is given exactly once, however few are taken at a time, by one reader or two."""

from datetime import UTC, datetime

import pytest

from sonovan.centre import Centre
from sonovan.contracts.answers import RejectedRetried
from sonovan.contracts.topics import Topic
from sonovan.transport.bulk import Bulk
from sonovan.transport.producer import BoundedProducer
from sonovan.transport.tail import Message
from tests.clinical.records import sha

pytestmark = pytest.mark.services

TOPIC = Topic.REJECTED_RETRIED
MANY = 3000


@pytest.fixture(scope="module")
def written(centre: Centre) -> set[tuple[int, int]]:
    """Many messages more in a topic; the places of all that stand there."""
    with BoundedProducer(centre.kafka("retrier")) as producer:
        for number in range(MANY):
            record = RejectedRetried(rejection_id=sha(f"bulk {number}"), retried_at=datetime.now(UTC))
            producer.send(TOPIC, record.rejection_id.encode(), record.encode())
        producer.flush(60)
    with Bulk(centre.kafka("retrier"), (TOPIC,), {}) as reader:
        places = {(part, offset) for (_, part), (first, end) in reader.ends().items() for offset in range(first, end)}
    assert len(places) >= MANY
    return places


def places_of(messages: list[Message]) -> list[tuple[int, int]]:
    return [(each.partition, each.offset) for each in messages]


@pytest.mark.parametrize("at_once", [7, 500, 100_000])
def test_every_message_up_to_the_end_is_given_once(centre: Centre, written: set[tuple[int, int]], at_once: int) -> None:
    with Bulk(centre.kafka("retrier"), (TOPIC,), {}, at_once=at_once) as reader:
        assert reader.behind() == len(written)
        given = [place for batch in reader.to_the_end() for place in places_of(batch)]
        assert reader.behind() == 0
    assert sorted(given) == sorted(written)


def test_two_readers_share_the_partitions_and_one_goes_on_from_noted_offsets(
    centre: Centre, written: set[tuple[int, int]]
) -> None:
    noted = {(str(TOPIC), 0): 5}
    given = []
    for part in range(2):
        with Bulk(centre.kafka("retrier"), (TOPIC,), noted, part=part, parts=2, at_once=100) as reader:
            given += [place for batch in reader.to_the_end() for place in places_of(batch)]
    assert sorted(given) == sorted(place for place in written if place[0] != 0 or place[1] >= 5)
