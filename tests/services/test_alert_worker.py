"""The alert worker over a real broker: told once by key, whatever goes away."""

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest
from kafka import KafkaConsumer, TopicPartition

from sonovan.centre import Centre, start_worker, status, worker_name
from sonovan.contracts.alerts import LesionAlerted
from sonovan.contracts.answers import RecordRejected
from sonovan.contracts.ids import mint_id
from sonovan.contracts.results import Finding, ScreeningAssessed, WithdrawnFinding
from sonovan.contracts.topics import APP_IDS, TOPIC_PARTITIONS, Topic, Writer
from sonovan.deploy.launches import log_path
from sonovan.deploy.services import kill_one, stop_one
from sonovan.storage.keys import Bucket
from sonovan.storage.minio_store import MinioStore
from sonovan.storage.outbox import Outbox
from sonovan.storage.outbox_engine import sqlite_url
from sonovan.stream_apps.alert.ladder import TOPIC, WEBHOOK
from sonovan.stream_apps.alert.messages import to_topic
from sonovan.stream_apps.alert.sending import Sender
from sonovan.stream_apps.alert.webhook import Webhook
from sonovan.stream_apps.kafka_io import deliver
from sonovan.transport.client import client_options
from sonovan.transport.producer import BoundedProducer
from sonovan.transport.tail import read_all
from tests.clinical.records import assessed, finding, sha
from tests.command import Told, sonovan
from tests.stream_apps.alert.receiver import KIND, Manners, Receiver, Request, answer, free_port, hang
from tests.stream_apps.alert.scene import TEST_RULES, blind_revision, revision, take
from tests.waiting import until

pytestmark = pytest.mark.services

await_true = partial(until, what="the condition came true", deadline_s=60.0)
SECRET = "a secret of the site"
ASSESSED, ALERTED, REJECTED = Topic.SCREENING_ASSESSED, Topic.LESION_ALERTED, Topic.RECORD_REJECTED


@dataclass
class Site:
    """A centre whose alert worker tells a webhook on `port`; nobody listens there until a test does."""

    centre: Centre
    port: int
    started: set[int] = field(default_factory=set)

    def start(self, instance: int = 1, timeout_s: float = 2.0) -> None:
        webhook = {
            "SONOVAN_ALERT_WEBHOOK_URL": f"http://127.0.0.1:{self.port}/hook/s3cret",
            "SONOVAN_ALERT_WEBHOOK_SECRET": SECRET,
            "SONOVAN_ALERT_WEBHOOK_TIMEOUT_S": str(timeout_s),
            "SONOVAN_ALERT_RETRY_LONGEST_S": "1",
            "SONOVAN_ALERT_UNDELIVERED_AFTER_S": "2",
        }
        start_worker(self.centre, "alert", instance, app_environment=webhook)
        self.started.add(instance)

    def stop(self, instance: int = 1) -> float:
        """SIGTERM; how many seconds the worker took to leave."""
        began = time.monotonic()
        stop_one(self.centre.state, worker_name("alert", instance))
        self.started.discard(instance)
        return time.monotonic() - began

    def kill(self, instance: int = 1) -> None:
        kill_one(self.centre.state, worker_name("alert", instance))
        self.started.discard(instance)

    def receiver(self, manners: Manners = KIND) -> Receiver:
        return Receiver(manners, self.port)

    def send(self, *values: ScreeningAssessed | bytes) -> None:
        with BoundedProducer(self.centre.kafka()) as producer:
            pending = []
            for value in values:
                key, data = (b"k", value) if isinstance(value, bytes) else (value.screening_id.encode(), value.encode())
                pending.append(producer.send(ASSESSED, key, data))
            for each in pending:
                each.result(30)

    def told(self, screening_id: str) -> list[str]:
        """What the topic says of a screening: its alerts' states, each word once however often it stands there."""
        values = dict.fromkeys(message.value for message in read_all(self.centre.kafka("reader"), ALERTED))
        alerts = [LesionAlerted.decode(value) for value in values if value is not None]
        return [alert.state for alert in alerts if alert.screening_id == screening_id]

    def behind(self) -> int:
        """How many revisions the worker has not committed."""
        options = client_options(self.centre.kafka())
        consumer = KafkaConsumer(**options, group_id=APP_IDS[Writer.ALERT], enable_auto_commit=False)
        try:
            partitions = [TopicPartition(ASSESSED, number) for number in range(TOPIC_PARTITIONS)]
            ends = consumer.end_offsets(partitions)
            return sum(ends[each] - (consumer.committed(each) or 0) for each in partitions)
        finally:
            consumer.close(autocommit=False)


@pytest.fixture(scope="module")
def worked(centre: Centre) -> Iterator[Site]:
    site = Site(centre, free_port())
    try:
        yield site
    finally:
        for instance in tuple(site.started):
            site.stop(instance)


@pytest.fixture
def site(worked: Site) -> Site:
    """With one alert worker that runs."""
    worked.start()
    return worked


def lesion(screening_id: str) -> Finding:
    return finding(finding_id=sha(screening_id))


def a_revision(screening_id: str, number: int = 1, gone: bool = False) -> ScreeningAssessed:
    mine = lesion(screening_id)
    return assessed(
        screening_id=screening_id,
        revision_id=sha(f"{screening_id} {number}"),
        revision_number=number,
        findings=() if gone else (mine,),
        withdrawn=(WithdrawnFinding(finding_id=mine.finding_id),) if gone else (),
    )


def test_a_revision_becomes_one_alert_on_the_topic_and_one_signed_request(site: Site) -> None:
    screening = mint_id()
    with site.receiver() as receiver:

        def mine() -> list[Request]:
            """What was asked for this screening: other tests' revisions may wait for this worker, too."""
            return [each for each in receiver.received if screening.encode() in each.body]

        site.send(a_revision(screening), a_revision(screening), a_revision(screening, 2))
        await_true(lambda: site.told(screening) == ["raised"] and len(mine()) == 1)
        site.send(a_revision(screening, 3, gone=True), a_revision(screening, 2))
        await_true(lambda: site.told(screening) == ["raised", "withdrawn"] and len(mine()) == 2)
        await_true(lambda: site.behind() == 0)
    first, second = mine()
    assert first.key != second.key
    parts = dict(part.split("=", 1) for part in first.headers["sonovan-signature"].split(","))
    signed = f"{parts['t']}.{first.key}.".encode() + first.body
    assert parts["v1"] == hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()


def test_what_cannot_be_read_is_rejected_and_holds_up_nobody(site: Site) -> None:
    screening, broken = mint_id(), f"no revision {mint_id()}".encode()
    with site.receiver() as receiver:
        site.send(broken, a_revision(screening))
        await_true(lambda: len(receiver.received) == 1 and site.behind() == 0)
    said = [RecordRejected.decode(message.value or b"") for message in read_all(site.centre.kafka(), REJECTED)]
    (mine,) = [each for each in said if each.content_sha256 == hashlib.sha256(broken).hexdigest()]
    assert (mine.stage, mine.reason, mine.topic) == ("alert", "record_invalid", ASSESSED)
    assert MinioStore(site.centre.store("retrier")).get(Bucket.QUARANTINE, mine.quarantine_key) == broken


def test_a_receiver_that_was_down_then_failing_is_told_once(site: Site) -> None:
    screening = mint_id()
    site.send(a_revision(screening))
    await_true(lambda: site.told(screening) == ["raised"] and site.behind() == 0)
    with site.receiver(answer(503)) as receiver:
        await_true(lambda: len(receiver.received) >= 2)
        receiver.manners = answer(204)
        told = len(receiver.received)
        await_true(lambda: len(receiver.received) > told)
    assert len(set(receiver.keys)) == 1
    with site.receiver() as receiver:
        site.send(a_revision(screening, 2, gone=True))
        await_true(lambda: len(receiver.received) >= 1)
    assert len(receiver.received) == 1, "what was delivered came again"


def test_a_worker_killed_while_the_receiver_hangs_tells_once_by_key(site: Site) -> None:
    screening = mint_id()
    with site.receiver(hang) as receiver:
        site.send(a_revision(screening))
        await_true(lambda: len(receiver.received) >= 1)
        site.kill()
    hung = set(receiver.keys)
    with site.receiver() as receiver:
        site.start()
        await_true(lambda: len(receiver.received) >= 1)
        await_true(lambda: site.behind() == 0)
    assert set(receiver.keys) == hung
    assert len(receiver.received) == len(hung) == 1
    assert site.told(screening) == ["raised"]


def test_workers_that_come_and_go_tell_each_alert_once(site: Site) -> None:
    screenings = [mint_id() for _ in range(24)]
    with site.receiver() as receiver:
        site.send(*(a_revision(each) for each in screenings[:8]))
        site.start(2)
        site.send(*(a_revision(each) for each in screenings[:16]))
        site.kill(2)
        site.send(*(a_revision(each) for each in screenings))
        await_true(lambda: site.behind() == 0, deadline_s=90)
        await_true(lambda: len(set(receiver.keys)) == 24)
    assert len({key.partition(".")[0] for key in receiver.keys}) == 24
    assert [site.told(each) for each in screenings] == [["raised"]] * 24


def test_a_receiver_that_is_away_for_long_is_a_fault_of_a_worker_that_is_ready(site: Site) -> None:
    site.send(a_revision(mint_id()))

    def told() -> list[str]:
        return [row.waiting for row in status(site.centre.path) if row.name == worker_name("alert", 1) and row.ready]

    await_true(lambda: any("undelivered to webhook since" in each for each in told()))
    with site.receiver():
        await_true(lambda: not any("undelivered" in each for each in told()))


def test_a_suspicious_lesion_is_told_once_and_answered_by_a_command(site: Site) -> None:
    screening = mint_id()
    small = finding(finding_id=sha(screening), malignant=0.9, area_mm2=5.0)
    first = assessed(screening_id=screening, revision_id=sha(screening), revision_number=1, findings=(small,))

    def ack(alert: str, by: str) -> Told:
        return sonovan("alerts", "ack", alert, "--by", by, "--state", str(site.centre.path))

    with site.receiver() as receiver:

        def mine() -> list[dict[str, Any]]:
            asked = {each.key: each.body for each in receiver.received if screening.encode() in each.body}
            return [json.loads(body) for body in asked.values()]

        site.send(first)
        await_true(lambda: len(mine()) == 1)
        (raised,) = mine()
        assert (raised["severity"], raised["state"], raised["rule"]) == ("suspicious", "raised", "suspicious_lesion")
        answered = ack(raised["alert_id"][:12], "dr-1")
        assert answered.returncode == 0, answered.stderr
        assert answered.stdout == "dr-1 sees to it: Left breast, suspicious; nobody else is called\n"
        await_true(lambda: site.told(screening) == ["raised", "acknowledged"] and len(mine()) == 2)
        again = ack(raised["alert_id"], "dr-2")
        assert again.returncode == 2
        assert "dr-1 has seen to it since" in again.stderr
        site.send(a_revision(screening, 2, gone=True))
        await_true(lambda: site.told(screening) == ["raised", "acknowledged", "vanished"] and len(mine()) == 3)
    assert [each["acknowledged_by"] for each in mine()] == [None, "dr-1", "dr-1"]


def test_a_worker_killed_at_random_moments_loses_and_doubles_no_alert(site: Site) -> None:
    moments, screenings = Random(13), [mint_id() for _ in range(12)]
    with site.receiver() as receiver:
        for begin in range(0, len(screenings), 3):
            enough = len(set(receiver.keys)) + moments.randint(0, 3)
            site.send(*(a_revision(each) for each in screenings[begin : begin + 3]))
            await_true(lambda enough=enough: len(set(receiver.keys)) >= enough)
            site.kill()
            site.start()
        await_true(lambda: site.behind() == 0 and len(set(receiver.keys)) >= len(screenings), deadline_s=90)
        await_true(lambda: all(site.told(each) for each in screenings))
    mine = {request.key: request.body for request in receiver.received}
    told = [json.loads(body)["screening_id"] for body in mine.values()]
    assert sorted(each for each in told if each in screenings) == sorted(screenings)
    assert all(mine[request.key] == request.body for request in receiver.received)
    assert [site.told(each) for each in screenings] == [["raised"]] * len(screenings)


def test_sigterm_leaves_at_once_while_the_receiver_hangs(worked: Site) -> None:
    screening = mint_id()
    worked.start(timeout_s=100)
    with worked.receiver(hang) as receiver:
        worked.send(a_revision(screening))
        await_true(lambda: len(receiver.received) == 1 and worked.behind() == 0)
        assert worked.stop() < 10
    log = log_path(worked.centre.state, "alert").read_text()
    assert "Traceback" not in log
    assert "s3cret" not in log
    assert SECRET not in log


class Producing:
    """A plain producer, as the alert stage's channels use a Faust app's."""

    def __init__(self, producer: BoundedProducer) -> None:
        self._producer = producer

    @property
    def producer(self) -> "Producing":
        return self

    async def send(self, topic: Topic, key: bytes, value: bytes, **_: object) -> "asyncio.Future[SimpleNamespace]":
        await asyncio.to_thread(self._producer.send(topic, key, value).result, 30)
        kept: asyncio.Future[SimpleNamespace] = asyncio.get_running_loop().create_future()
        kept.set_result(SimpleNamespace(offset=0, timestamp=None, timestamp_type=None))
        return kept


def test_alerts_about_sides_a_screening_and_a_van_reach_the_topic_and_a_receiver(worked: Site, tmp_path: Path) -> None:
    screening, now = mint_id(), datetime.now(UTC)
    outbox = Outbox(sqlite_url(tmp_path / "outbox.sqlite"))
    for each in (blind_revision(1, screening), revision(2, {}, screening_id=screening)):
        take(outbox, each, now, TEST_RULES)
    with BoundedProducer(worked.centre.kafka("alert")) as producer, worked.receiver() as receiver:
        webhook = Webhook(receiver.url, (SECRET.encode(),), 5.0, time.time, "research")
        channels = {TOPIC: to_topic(partial(deliver, Producing(producer))), WEBHOOK: webhook.post}
        sender = Sender(outbox, channels, lease_s=60, longest_pause_s=1)

        async def send() -> None:
            for recipient in channels:
                while await sender.deliver_due(recipient):
                    pass

        asyncio.run(send())
    values = [message.value or b"" for message in read_all(worked.centre.kafka("reader"), ALERTED)]
    alerts = [alert for alert in map(LesionAlerted.decode, values) if alert.screening_id == screening]
    expected = sorted(
        (kind, state) for kind in ("side", "side", "screening", "van") for state in ("raised", "withdrawn")
    )
    assert sorted((alert.about.kind, alert.state) for alert in alerts) == expected
    posted = [json.loads(request.body) for request in receiver.received]
    assert sorted((each["about"]["kind"], each["state"]) for each in posted) == expected
    assert outbox.owed() == {}
