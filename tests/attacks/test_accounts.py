"""What each account may not do at a real broker, and what a van that sends too much does to others: nothing."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sonovan.centre import Centre, down, up
from sonovan.contracts.broker import BrokerSettings
from sonovan.contracts.errors import Fatal
from sonovan.contracts.limits import KIB, VAN_BYTES_PER_S
from sonovan.contracts.topics import PEOPLE, TOPICS, Topic, Writer, changelog_topic
from sonovan.transport.admin import Administrator
from sonovan.transport.producer import BoundedProducer
from sonovan.transport.tail import Tail, read_all

pytestmark = pytest.mark.services

CHANGELOG = changelog_topic(Writer.ASSESS, "screenings")
PART = b"p" * (64 * KIB)


@pytest.fixture(scope="module")
def site(service_tools: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Centre]:
    """A centre of its own, with something in every topic: nothing is refused where nothing is fetched."""
    path: Path = tmp_path_factory.mktemp("accounts") / "state"
    try:
        centre = up(path, apps=())
        with BoundedProducer(centre.kafka()) as producer:
            for name in (*map(str, TOPICS), CHANGELOG):
                producer.send(name, b"key", b"there").result(30)
        yield centre
    finally:
        down(path)


def may_write(settings: BrokerSettings, topic: str) -> bool:
    try:
        with BoundedProducer(settings) as producer:
            producer.send(topic, b"key", b"tried").result(30)
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
    for name, row in TOPICS.items():
        assert may_write(settings, name) == (person in row.writers), name
        assert may_read(settings, name) == (person in row.readers), name
    assert not may_write(settings, CHANGELOG)
    assert not may_read(settings, CHANGELOG)


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
            for each in [producer.send(Topic.FRAME_CAPTURED, name.encode(), PART) for _ in range(64)]:
                each.result(120)
        took[name] = time.monotonic() - began

    senders = [threading.Thread(target=send, args=each) for each in (("greedy", greedy), ("honest", honest))]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join(180)
    # 4 MiB at 128 KiB/s are 32 s, of which the mean over ten seconds forgives some.
    assert took["greedy"] > 12
    assert took["honest"] < took["greedy"] / 2
    sent = [message.key for message in read_all(site.kafka(), Topic.FRAME_CAPTURED)]
    assert (sent.count(b"greedy"), sent.count(b"honest")) == (64, 64)


def test_a_quota_is_taken_back_and_given_anew(site: Centre) -> None:
    site.enrol_van("changing", 128 * KIB)
    site.enrol_van("changing", None)
    with Administrator(site.kafka()) as administrator:
        assert administrator.van_quota("changing") is None
        site.enrol_van("changing")
        assert administrator.van_quota("changing") == VAN_BYTES_PER_S
        site.revoke_van("changing")
        assert administrator.van_quota("changing") is None
