"""Consumers on a real broker: what they read, what they may not, and that revoking ends connections that are open."""

import json
import stat
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import GroupAuthorizationFailedError, KafkaError, TopicAuthorizationFailedError

from sonovan.centre import Centre
from sonovan.consumers import credentials_path
from sonovan.contracts.broker import BrokerSettings
from sonovan.contracts.errors import Fatal
from sonovan.contracts.topics import TOPICS, Topic
from sonovan.transport.admin import Administrator
from sonovan.transport.client import client_options
from sonovan.transport.producer import BoundedProducer
from sonovan.transport.tail import read_all
from tests import command
from tests.command import Told
from tests.waiting import until

pytestmark = pytest.mark.services

READ = Topic.SEQUENCE_ASSESSED.value
"""No stage and no other test reads this topic, so what is sent here need not be a record."""

PERSONAL = {Topic.SCREENING_OPENED.value, Topic.FEATURES_RECORDED.value, Topic.SCREENING_AMENDED.value}


def sonovan(centre: Centre, *arguments: str, code: int = 0) -> Told:
    told = command.sonovan("consumer", *arguments, environment={"SONOVAN_STATE": str(centre.path)})
    assert told.returncode == code, told.stderr
    return told


def properties(path: Path) -> dict[str, str]:
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def settings(path: Path) -> BrokerSettings:
    given = properties(path)
    return BrokerSettings(
        bootstrap=given["bootstrap.servers"], username=given["sasl.username"], password=given["sasl.password"]
    )


def group_member(path: Path, group: str, topic: str = READ) -> KafkaConsumer:
    return KafkaConsumer(
        topic, **client_options(settings(path)), group_id=group, auto_offset_reset="earliest", metadata_max_age_ms=1000
    )


def reader_without_group(path: Path) -> KafkaConsumer:
    """One that is given its partitions and asks for no metadata again while a test runs.

    A client of kafka-python whose metadata lose a topic that it may not see asks for no more records of it and says
    nothing, whether it subscribed or was given partitions. What the broker answers to its fetches it raises.
    """
    reader = KafkaConsumer(**client_options(settings(path)), group_id=None, auto_offset_reset="earliest")
    reader.assign([TopicPartition(READ, number) for number in reader.partitions_for_topic(READ) or ()])
    return reader


@pytest.fixture
def name(centre: Centre) -> Iterator[str]:
    """A consumer's name, revoked at the end."""
    chosen = f"t-{uuid4().hex[:8]}"
    yield chosen
    with Administrator(centre.kafka()) as administrator:
        administrator.revoke_consumer(chosen)


def send(centre: Centre, value: bytes) -> None:
    with BoundedProducer(centre.kafka("assess")) as producer:
        producer.send(READ, b"k", value).result(30)


def test_a_consumer_reads_results_and_nothing_of_who_she_is(centre: Centre, name: str) -> None:
    send(centre, b"for consumers")
    told = sonovan(centre, "enrol", name)
    path = credentials_path(centre.path, name)
    assert str(path) in told.stdout
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    password = properties(path)["sasl.password"]
    assert password not in told.stdout + told.stderr
    mine = settings(path)
    assert b"for consumers" in [message.value for message in read_all(mine, READ)]
    for topic in (*PERSONAL, Topic.FRAME_CAPTURED.value):
        with pytest.raises(Fatal, match="refuses"):
            read_all(mine, topic)
    producer = KafkaProducer(**client_options(mine), enable_idempotence=False)
    for row in TOPICS.values():
        with pytest.raises(TopicAuthorizationFailedError):
            producer.send(row.name, b"forged").get(30)
    producer.close()
    with Administrator(centre.kafka()) as administrator:
        assert administrator.check() == []
        administrator.align_grants()
        assert administrator.consumers()[name]


def test_personal_topics_and_pixels_are_read_where_they_are_asked_for(centre: Centre, name: str) -> None:
    refused = sonovan(centre, "enrol", name, "--topics", "screening.opened,screening.assessed", code=2)
    assert "say --personal" in refused.stderr
    sonovan(centre, "enrol", name, "--topics", "screening.opened,frame.captured", "--personal")
    listed = json.loads(sonovan(centre, "list", "--json").stdout)
    assert {"name": name, "topics": sorted([Topic.FRAME_CAPTURED, Topic.SCREENING_OPENED])} in listed
    read_all(settings(credentials_path(centre.path, name)), Topic.SCREENING_OPENED)


def test_enrolling_again_keeps_the_password_and_replaces_the_topics(centre: Centre, name: str, tmp_path: Path) -> None:
    sonovan(centre, "enrol", name)
    path = credentials_path(centre.path, name)
    first = path.read_text()
    copy = tmp_path / "client.properties"
    sonovan(centre, "enrol", name, "--topics", "lesion.alerted", "--topics", READ, "--out", str(copy))
    assert path.read_text() == copy.read_text() == first
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    with Administrator(centre.kafka()) as administrator:
        assert administrator.consumers()[name] == sorted([Topic.LESION_ALERTED, READ])
        assert administrator.check() == []
    with pytest.raises(Fatal, match="refuses"):
        read_all(settings(path), Topic.SCREENING_ASSESSED)


def test_groups_of_its_own_and_no_others(centre: Centre, name: str) -> None:
    send(centre, b"in a group")
    sonovan(centre, "enrol", name)
    path = credentials_path(centre.path, name)
    for group in (f"consumer-{name}", f"consumer-{name}.nightly"):
        with_group = group_member(path, group)
        until(lambda member=with_group: member.poll(500), f"{group} reads", deadline_s=30)
        with_group.close()
    for group in ("sonovan-assess", f"consumer-{name}2"):
        foreign = group_member(path, group)
        with pytest.raises(GroupAuthorizationFailedError):
            until(lambda member=foreign: member.poll(500), f"{group} is refused", deadline_s=30)
        foreign.close(autocommit=False)


@pytest.mark.parametrize("group", [None, "own"])
def test_revoking_ends_a_connection_that_is_open_within_ten_seconds(
    centre: Centre, name: str, group: str | None
) -> None:
    sonovan(centre, "enrol", name)
    path = credentials_path(centre.path, name)
    member = group_member(path, f"consumer-{name}.{group}") if group else reader_without_group(path)
    send(centre, b"before")
    until(lambda: member.poll(500), "it reads before")
    began = time.monotonic()
    sonovan(centre, "revoke", name)
    revoked_s = time.monotonic() - began
    send(centre, b"after")
    seen: list[bytes] = []

    def refused() -> bool:
        try:
            for batch in member.poll(200).values():
                seen.extend(message.value for message in batch)
            if group:  # a member that lost its topic before it polled asks for nothing more, and is told nothing
                member.commit()
        except (TopicAuthorizationFailedError, GroupAuthorizationFailedError):
            return True
        return False

    until(refused, "the open connection is refused", deadline_s=10 - revoked_s)
    sys.stderr.write(f"revoked in {revoked_s:.2f} s, refused after {time.monotonic() - began:.2f} s\n")
    assert time.monotonic() - began < 10
    assert b"after" not in seen
    member.close(autocommit=False)
    assert not path.exists()


def test_a_revoked_consumer_is_gone_and_its_password_with_it(centre: Centre, name: str) -> None:
    sonovan(centre, "enrol", name)
    path = credentials_path(centre.path, name)
    before = settings(path)
    assert f"consumer {name} is revoked" in sonovan(centre, "revoke", name).stdout
    with pytest.raises((Fatal, KafkaError)):
        read_all(before, READ)
    assert "was not enrolled" in sonovan(centre, "revoke", name).stdout
    assert name not in sonovan(centre, "list").stdout
    sonovan(centre, "enrol", name)
    assert settings(path).password != before.password


@pytest.mark.parametrize("bad", ["", "Ana", "a.b", "-ana", "a" * 33, "../x"])
def test_a_name_that_no_consumer_can_have_is_refused(centre: Centre, bad: str) -> None:
    for verb in ("enrol", "revoke"):
        assert "consumer name" in sonovan(centre, verb, "--", bad, code=2).stderr
