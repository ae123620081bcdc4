"""Transport against a real broker."""

import os
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType

from sonovan.centre import Centre, down, up
from sonovan.contracts.answers import RejectedRetried
from sonovan.contracts.broker import BrokerSettings
from sonovan.contracts.errors import Fatal, InvalidRecord, Transient
from sonovan.contracts.ids import mint_id
from sonovan.contracts.topics import Topic, van_answered_topic
from sonovan.deploy import services
from sonovan.transport.admin import Administrator
from sonovan.transport.client import client_options
from sonovan.transport.producer import BoundedProducer, Pending
from sonovan.transport.tail import Tail, read_all
from tests.waiting import until

pytestmark = pytest.mark.services

await_true = partial(until, what="the condition came true", deadline_s=30.0)
FRAMES = Topic.FRAME_CAPTURED.value
RETRIED = Topic.REJECTED_RETRIED.value
KEY = b"a-sequence"


@pytest.fixture(scope="module")
def van(centre: Centre) -> BrokerSettings:
    return centre.enrol_van("transport-1")


@pytest.fixture(scope="module")
def own_state(service_tools: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    path = tmp_path_factory.mktemp("own") / "state"
    yield path
    down(path)


@pytest.fixture
def own_centre(own_state: Path) -> Centre:
    """Services that a test may kill: `up` recovers them for the next one."""
    return up(own_state, apps=())


def test_a_fresh_broker_is_as_the_table_says(centre: Centre) -> None:
    with Administrator(centre.kafka()) as administrator:
        assert administrator.check() == []


def test_what_differs_is_named_and_mended(centre: Centre) -> None:
    tick = ConfigResource(ConfigResourceType.TOPIC, Topic.SCREENING_TICKED.value, {"retention.ms": "1000"})
    client = KafkaAdminClient(**client_options(centre.kafka()))
    client.alter_configs([tick])
    client.create_topics({"stray.v1": {"num_partitions": 1, "replication_factor": 1}}, wait_for_metadata=True)
    with Administrator(centre.kafka()) as administrator:
        try:
            await_true(lambda: len(administrator.check()) == 2)
            stray, retention = administrator.check()
        finally:
            client.delete_topics(["stray.v1"])
            client.close()
        assert stray == "stray.v1: not in the table"
        assert retention == "screening.ticked.v1: retention.ms is 1000, the table says 86400000"
        assert administrator.create_topics() == []
        await_true(lambda: administrator.check() == [])


def test_a_sent_record_is_read_back_with_the_brokers_time(centre: Centre) -> None:
    record = RejectedRetried(rejection_id="0" * 64, screening_id=mint_id(), retried_at="2001-01-01T00:00:00Z")
    settings = centre.kafka("retrier")
    with BoundedProducer(settings) as producer:
        sent = producer.send(RETRIED, b"k", record.encode(), [("note", b"x")]).result(30)
    (found,) = [message for message in read_all(settings, RETRIED) if message.value == record.encode()]
    assert (found.partition, found.offset, found.appended_at) == (sent.partition, sent.offset, sent.appended_at)
    assert found.headers == {"note": b"x"}
    assert found.decode() == record
    assert found.appended_at.year > 2001


def test_tail_from_now_sees_only_what_comes_and_stops_where_told(centre: Centre) -> None:
    settings = centre.kafka("retrier")
    with BoundedProducer(settings) as producer, Tail(settings, RETRIED, "now") as tail:
        assert tail.positions() == tail.ends()
        for number in range(5):
            producer.send(RETRIED, b"one-partition", b"tail-%d" % number).result(30)
        seen = [m.value for m in tail.messages(until=lambda m: m.value == b"tail-2", deadline_s=30)]
        assert seen == [b"tail-0", b"tail-1", b"tail-2"]
        assert [m.value for m in tail.to_the_end(30)] == [b"tail-3", b"tail-4"]
        assert list(tail.messages(deadline_s=0.5)) == []


def test_what_comes_while_a_tail_reads_to_the_end_is_left_for_the_next_call(centre: Centre) -> None:
    class Asked(Tail):
        """Asked for its end once, before anything came."""

        def ends(self) -> dict[int, int]:
            return before

    settings = centre.kafka("retrier")
    with BoundedProducer(settings) as producer, Asked(settings, RETRIED, "now") as tail:
        before = Tail.ends(tail)
        before[producer.send(RETRIED, b"one-partition", b"in-time").result(30).partition] += 1
        producer.send(RETRIED, b"one-partition", b"late").result(30)
        assert [m.value for m in tail.to_the_end(30)] == [b"in-time"]
        before = Tail.ends(tail)
        assert [m.value for m in tail.to_the_end(30)] == [b"late"]


def test_a_van_writes_its_topics_and_reads_its_answers(centre: Centre, van: BrokerSettings) -> None:
    answers = van_answered_topic("transport-1").name
    with BoundedProducer(van) as producer:
        producer.send(FRAMES, KEY, b"frame").result(30)
    with BoundedProducer(centre.kafka("segment")) as producer:
        producer.send(answers, b"k", b"receipt").result(30)
    assert [message.value for message in read_all(van, answers)] == [b"receipt"]


def test_a_van_neither_reads_other_answers_nor_frames_nor_writes_results(centre: Centre, van: BrokerSettings) -> None:
    centre.enrol_van("transport-10")
    with BoundedProducer(van) as producer:  # a topic without records refuses nothing: nothing is fetched
        producer.send(Topic.SCREENING_OPENED.value, KEY, b"opening").result(30)
        producer.send(FRAMES, KEY, b"frame").result(30)
    for topic in (van_answered_topic("transport-10").name, FRAMES, Topic.SCREENING_OPENED.value):
        with pytest.raises(Fatal, match="refuses"):
            read_all(van, topic)
    for topic in (Topic.FRAME_SEGMENTED.value, van_answered_topic("transport-1").name, Topic.VAN_ENROLLED.value):
        with pytest.raises(Fatal, match="refuses"), BoundedProducer(van) as producer:
            producer.send(topic, KEY, b"forged").result(30)


def test_a_revoked_van_is_refused(centre: Centre) -> None:
    settings = centre.enrol_van("transport-gone")
    centre.revoke_van("transport-gone")
    with pytest.raises(Fatal), BoundedProducer(settings) as producer:
        producer.send(FRAMES, KEY, b"late").result(30)
    with Administrator(centre.kafka()) as administrator:
        assert administrator.check() == []


def test_a_wrong_password_is_fatal(centre: Centre) -> None:
    wrong = centre.kafka("retrier").model_copy(update={"username": "nobody"})
    for connect in (BoundedProducer, Administrator, lambda settings: Tail(settings, RETRIED)):
        with pytest.raises(Fatal, match="refuses"):
            connect(wrong)


def test_a_record_beyond_the_limit_is_refused_before_it_is_sent(centre: Centre) -> None:
    settings = centre.kafka("retrier")
    with BoundedProducer(settings) as producer:
        with pytest.raises(InvalidRecord) as caught:
            producer.send(FRAMES, KEY, bytes(settings.max_message_bytes + 1))
        assert caught.value.reason == "record_too_large"
        assert producer.in_flight_bytes == 0


def test_the_largest_record_passes(centre: Centre) -> None:
    settings = centre.kafka("retrier")
    with BoundedProducer(settings) as producer:
        producer.send(FRAMES, b"large", os.urandom(settings.max_message_bytes - 4096)).result(60)


def test_no_broker_is_transient(centre: Centre) -> None:
    nowhere = centre.kafka().model_copy(update={"bootstrap": "127.0.0.1:9", "connect_timeout_s": 0.5})
    for connect in (BoundedProducer, Administrator, lambda settings: Tail(settings, RETRIED)):
        with pytest.raises(Transient, match="not available"):
            connect(nowhere)


def test_an_unknown_topic_is_transient(centre: Centre) -> None:
    settings = centre.kafka().model_copy(update={"connect_timeout_s": 1.0})
    with pytest.raises(Transient), BoundedProducer(settings) as producer:
        producer.send("no.such.v1", KEY, b"x").result(5)
    with pytest.raises(Transient, match="sonovan topics create"):
        read_all(settings, "no.such.v1")


def test_a_broker_that_dies_leaves_nothing_counted_as_sent_and_the_producer_goes_on(own_centre: Centre) -> None:
    settings = own_centre.kafka("retrier")
    payload = os.urandom(200_000)
    with BoundedProducer(settings, in_flight_bytes=256 * 1024, delivery_timeout_s=6) as producer:
        acknowledged = [producer.send(FRAMES, KEY, b"%03d" % n + payload).result(30).offset for n in range(3)]
        services.kill_one(own_centre.state, "kafka")
        lost: Pending = producer.send(FRAMES, KEY, b"lost" + payload)
        with pytest.raises(Transient):
            lost.result(0.3)
        blocked = threading.Event()

        def one_more() -> None:
            with pytest.raises(Transient):
                producer.send(FRAMES, KEY, payload, deadline_s=0.5)
            blocked.set()

        waiter = threading.Thread(target=one_more)
        waiter.start()
        assert blocked.wait(30), "a producer at its bound must block, then give up"
        waiter.join()
        await_true(lost.done)
        with pytest.raises(Transient):
            lost.result(0)
        assert producer.in_flight_bytes == 0

        services.start_one(own_centre.state, "kafka")
        again = producer.send(FRAMES, KEY, b"again" + payload).result(30)
    stored = {
        message.offset: message.value for message in read_all(own_centre.kafka("reader"), FRAMES) if message.key == KEY
    }
    assert set(acknowledged) <= stored.keys()
    assert stored[again.offset] == b"again" + payload


def test_closing_with_the_broker_gone_ends_in_time_and_says_unsent(own_centre: Centre) -> None:
    producer = BoundedProducer(own_centre.kafka("retrier"))
    producer.send(FRAMES, KEY, b"first").result(30)
    services.kill_one(own_centre.state, "kafka")
    pending = producer.send(FRAMES, KEY, b"lost")
    began = time.monotonic()
    producer.close(deadline_s=1)
    assert time.monotonic() - began < 10
    with pytest.raises(Transient):
        pending.result(1)
