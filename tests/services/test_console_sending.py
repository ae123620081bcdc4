"""The console publishes with its own account: a record is there once `send` returns, and no other topic is written."""

from collections.abc import Iterator

import pytest
from kafka import KafkaAdminClient, TopicPartition
from kafka.structs import OffsetAndMetadata

from sonovan.centre import Centre
from sonovan.console.sending import Sender
from sonovan.contracts.answers import RejectedRetried
from sonovan.contracts.erasures import ScreeningErased
from sonovan.contracts.errors import Fatal
from sonovan.contracts.ids import mint_id
from sonovan.contracts.topics import APP_IDS, Topic, Writer
from sonovan.transport.client import client_options
from sonovan.transport.lag import lags
from sonovan.transport.tail import read_all

pytestmark = pytest.mark.services


@pytest.fixture
def send(centre: Centre) -> Iterator[Sender]:
    made = Sender(lambda: centre.kafka("console"))
    yield made
    made.close()


def test_a_record_is_in_its_topic_once_it_was_sent(centre: Centre, send: Sender) -> None:
    record = ScreeningErased.model_validate(
        {"screening_id": mint_id(), "because": "she_asked", "by": "op-1", "erased_at": "2026-01-01T00:00:00Z"}
    )
    send(record)
    send.close()
    send(record)
    key = record.screening_id.encode()
    found = [each for each in read_all(centre.kafka("reader"), Topic.SCREENING_ERASED) if each.key == key]
    assert [each.value for each in found] == [record.encode()] * 2


def test_what_the_console_does_not_write_is_refused_before_it_is_sent(send: Sender) -> None:
    record = RejectedRetried.model_validate(
        {"rejection_id": "0" * 64, "screening_id": mint_id(), "retried_at": "2026-01-01T00:00:00Z"}
    )
    with pytest.raises(Fatal, match="writes no topic of RejectedRetried"):
        send(record)


def test_the_console_sees_how_far_a_stage_is_behind_by_its_own_account(centre: Centre) -> None:
    place = TopicPartition(Topic.SCREENING_OBSERVED.value, 0)
    admin = KafkaAdminClient(**client_options(centre.kafka()))
    try:  # from the beginning, where a worker would begin in any case
        admin.alter_group_offsets(APP_IDS[Writer.QUALITY], {place: OffsetAndMetadata(0, "", -1)})
    finally:
        admin.close()
    found = {(each.stage, each.topic): each for each in lags(centre.kafka("console"))}
    assert found[Writer.QUALITY, place.topic].partitions <= 1
    with pytest.raises(Fatal):
        lags(centre.kafka("registrar"))
