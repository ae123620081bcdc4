"""What each account may not do at a real broker, and what a van that sends too much does to others: nothing."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType

from sonovan.centre import Centre
from sonovan.contracts.broker import BrokerSettings
from sonovan.contracts.errors import Fatal
from sonovan.contracts.limits import KIB, VAN_BYTES_PER_S
from sonovan.contracts.topics import FOR_EVER, PEOPLE, TOPICS, Topic, Writer, changelog_topic
from sonovan.transport.admin import Administrator
from sonovan.transport.client import client_options
from sonovan.transport.producer import BoundedProducer
from sonovan.transport.tail import Tail, read_all

pytestmark = pytest.mark.services

CHANGELOG = changelog_topic(Writer.ASSESS, "screenings")
PART = b"p" * (64 * KIB)
PARTS = 48
AT_ONCE = 8
NOTHING = b"key"
"""The key of messages that hold no record."""


@pytest.fixture(scope="module")
def site(apart: Centre) -> Centre:
    """A centre with something in every topic: nothing is refused where nothing is fetched."""
    with BoundedProducer(apart.kafka()) as producer:
        for name in (*map(str, TOPICS), CHANGELOG):
            producer.send(name, NOTHING, b"there").result(30)
    return apart


def may_write(settings: BrokerSettings, topic: str) -> bool:
    try:
        with BoundedProducer(settings) as producer:
            producer.send(topic, NOTHING, b"tried").result(30)
    except Fatal as error:
        return "refuses" not in str(error)
    return True


def may_read(settings: BrokerSettings, topic: str) -> bool:
    try:
        return len(read_all(settings, topic)) > 0
    except Fatal as error:
        return "refuses" not in str(error)


@pytest.mark.parametrize("person", PEOPLE)
def test_each_account_is_refused_what_is_not_its_own(site: Centre, person: Writer) -> None:
    settings = site.kafka(person)
    names = [*map(str, TOPICS), CHANGELOG]
    with ThreadPoolExecutor(AT_ONCE) as pool:  # most of the time is waiting for the broker
        writes = dict(zip(names, pool.map(partial(may_write, settings), names), strict=True))
        reads = dict(zip(names, pool.map(partial(may_read, settings), names), strict=True))
    assert {name for name in names if writes[name]} == {name for name, row in TOPICS.items() if person in row.writers}
    assert {name for name in names if reads[name]} == {name for name, row in TOPICS.items() if person in row.readers}


@pytest.mark.parametrize("person", PEOPLE)
def test_no_account_of_people_makes_accounts_topics_or_quotas(site: Centre, person: Writer) -> None:
    with Administrator(site.kafka(person)) as administrator:
        for attempt in (
            lambda: administrator.set_accounts({"van-of-mine": "a-password-of-mine"}),
            lambda: administrator.enrol_van("of-mine", "a-password-of-mine"),
            lambda: administrator.align_grants(),
        ):
            with pytest.raises(Fatal):
                attempt()


def test_the_operator_learns_where_a_topic_ends_and_not_what_is_in_it(site: Centre) -> None:
    with Tail(site.kafka("operator"), Topic.SCREENING_OPENED, "now") as tail:
        assert sum(tail.ends().values()) > 0
    assert not may_read(site.kafka("operator"), Topic.SCREENING_OPENED)


def test_a_van_over_its_quota_is_slowed_down_and_loses_nothing_and_a_van_beside_it_is_not(site: Centre) -> None:
    greedy, honest = site.enrol_van("greedy", 128 * KIB), site.enrol_van("honest")
    with Administrator(site.kafka()) as administrator:
        assert (administrator.van_quota("greedy"), administrator.van_quota("honest")) == (128 * KIB, VAN_BYTES_PER_S)
    took = dict[str, float]()

    def send(name: str, settings: BrokerSettings) -> None:
        began = time.monotonic()
        with BoundedProducer(settings) as producer:
            for each in [producer.send(Topic.FRAME_CAPTURED, name.encode(), PART) for _ in range(PARTS)]:
                each.result(120)
        took[name] = time.monotonic() - began

    senders = [threading.Thread(target=send, args=each) for each in (("greedy", greedy), ("honest", honest))]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join(180)
    # 3 MiB at 128 KiB/s are 24 s, of which the mean over ten seconds forgives some.
    assert took["greedy"] > 8
    assert took["honest"] < took["greedy"] / 2
    sent = [message.key for message in read_all(site.kafka(), Topic.FRAME_CAPTURED)]
    assert (sent.count(b"greedy"), sent.count(b"honest")) == (PARTS, PARTS)


def test_what_vans_may_fill_is_bounded_at_the_broker(site: Centre) -> None:
    """As the broker itself says, which deletes the oldest of a partition beyond it. Closings are kept for ever: a quota
    alone bounds them."""
    names = [name for name, row in TOPICS.items() if Writer.VAN in row.writers and row.retention_ms != FOR_EVER]
    client = KafkaAdminClient(**client_options(site.kafka()))
    try:
        topics = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
        told = client.describe_configs(topics, config_filter="modified")["topic"]
    finally:
        client.close()
    bounds = {name: int(settings["retention.bytes"]["value"]) for name, settings in told.items()}
    assert bounds == {str(name): TOPICS[name].retention_bytes for name in names}
    assert len(bounds) > 3
    assert all(0 < size < 2**40 for size in bounds.values())


def test_a_quota_is_taken_back_and_given_anew(site: Centre) -> None:
    site.enrol_van("changing", 128 * KIB)
    site.enrol_van("changing", None)
    with Administrator(site.kafka()) as administrator:
        assert administrator.van_quota("changing") is None
        site.enrol_van("changing")
        assert administrator.van_quota("changing") == VAN_BYTES_PER_S
        site.revoke_van("changing")
        assert administrator.van_quota("changing") is None
