"""Alerts about a side, a screening and a van, by rules that tests alone have: revision, outbox, topic, webhook."""

import asyncio
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sonovan.contracts.alerts import LesionAlerted
from sonovan.contracts.results import ScreeningAssessed
from sonovan.contracts.topics import Topic
from sonovan.storage.outbox import Outbox
from sonovan.storage.outbox_engine import sqlite_url
from sonovan.stream_apps.alert.ladder import TOPIC, WEBHOOK
from sonovan.stream_apps.alert.messages import to_topic
from sonovan.stream_apps.alert.sending import Sender
from sonovan.stream_apps.alert.webhook import Webhook
from sonovan.stream_apps.kafka_io import deliver
from tests.clinical.records import OTHER_SCREENING, SCREENING
from tests.stream_apps.alert.receiver import Receiver
from tests.stream_apps.alert.scene import TEST_RULES, blind_revision, revision, take

NOW = 1_700_000_000.0
KINDS = ["screening", "side", "side", "van"]


class Log:
    """A producer whose broker keeps everything at once."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, bytes, bytes]] = []

    @property
    def producer(self) -> "Log":
        return self

    async def send(self, topic: str, key: bytes, value: bytes, **_: object) -> "asyncio.Future[SimpleNamespace]":
        self.sent.append((topic, key, value))
        kept: asyncio.Future[SimpleNamespace] = asyncio.get_running_loop().create_future()
        kept.set_result(SimpleNamespace(offset=len(self.sent) - 1, timestamp=None, timestamp_type=None))
        return kept


class Centre:
    """An outbox that owes to a topic and to a webhook."""

    def __init__(self, folder: Path, receiver: Receiver) -> None:
        self.log, self.receiver = Log(), receiver
        self.outbox = Outbox(sqlite_url(folder / "outbox.sqlite"))
        webhook = Webhook(receiver.url, (b"a secret of the site",), 5.0, lambda: NOW, "research")
        channels = {TOPIC: to_topic(partial(deliver, self.log)), WEBHOOK: webhook.post}
        self._sender = Sender(self.outbox, channels, lease_s=20.0, longest_pause_s=6.0, now=lambda: NOW)

    def take(self, *revisions: ScreeningAssessed) -> None:
        """Take the revisions in, then deliver all that is due."""
        for assessed in revisions:
            take(self.outbox, assessed, datetime.fromtimestamp(NOW, UTC), TEST_RULES)

        async def send() -> None:
            for recipient in (TOPIC, WEBHOOK):
                while await self._sender.deliver_due(recipient):
                    pass

        asyncio.run(send())

    @property
    def on_the_topic(self) -> list[LesionAlerted]:
        return [LesionAlerted.decode(value) for _, _, value in self.log.sent]

    @property
    def posted(self) -> list[dict[str, Any]]:
        return [json.loads(request.body) for request in self.receiver.received]


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[Centre]:
    with Receiver() as receiver:
        made = Centre(tmp_path, receiver)
        yield made
        made.outbox.close()


def kinds(alerts: Sequence[LesionAlerted]) -> list[str]:
    return sorted(alert.about.kind for alert in alerts)


def test_they_are_told_once_and_withdrawn_once_on_the_topic_and_by_the_webhook(centre: Centre) -> None:
    first, second = blind_revision(1), revision(2, {})
    centre.take(first, first, second, second, first)
    alerts = centre.on_the_topic
    for state in ("raised", "withdrawn"):
        assert kinds([alert for alert in alerts if alert.state == state]) == KINDS
        assert sorted(each["about"]["kind"] for each in centre.posted if each["state"] == state) == KINDS
    assert {(topic, key) for topic, key, _ in centre.log.sent} == {(Topic.LESION_ALERTED, SCREENING.encode())}
    assert len(set(centre.receiver.keys)) == len(alerts) == 8
    assert centre.outbox.owed() == {}


def test_each_alert_leaves_before_its_withdrawal(centre: Centre) -> None:
    centre.take(blind_revision(1), revision(2, {}))
    for name in {alert.alert_id for alert in centre.on_the_topic}:
        assert [alert.state for alert in centre.on_the_topic if alert.alert_id == name] == ["raised", "withdrawn"]
        assert [each["state"] for each in centre.posted if each["alert_id"] == name] == ["raised", "withdrawn"]


def test_a_van_is_told_of_once_by_all_of_its_screenings_whatever_is_delivered_again(centre: Centre) -> None:
    first, second = blind_revision(1), blind_revision(1, OTHER_SCREENING)
    good = revision(2, {}, screening_id=OTHER_SCREENING, revision_id=first.revision_id)
    centre.take(first, second, good, first, second)
    assert [alert.state for alert in centre.on_the_topic if alert.about.kind == "van"] == ["raised"]
    centre.take(revision(2, {}), first, second)
    assert [alert.state for alert in centre.on_the_topic if alert.about.kind == "van"] == ["raised", "withdrawn"]


def test_the_webhook_names_them_in_words_and_withholds_figures_that_no_list_lets_out(centre: Centre) -> None:
    centre.take(blind_revision(1))
    about = {each["rule"]: (each["words"]["en"]["about"], each["words"]["zh"]["about"]) for each in centre.posted}
    assert about["unfinished"] == ("The screening", "本次筛查")
    assert about["blind_van"] == ("Van van-1", "筛查车 van-1")
    assert all(each["because"] == [] and each["withheld"] for each in centre.posted)
    assert all(alert.because and not alert.withheld for alert in centre.on_the_topic)
