import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from sonovan.contracts.alerts import SEVERITIES, LesionAlerted
from sonovan.contracts.errors import Fatal, Transient
from sonovan.contracts.results import ScreeningAssessed
from sonovan.storage.outbox import Delivery, Outbox
from sonovan.storage.outbox_engine import sqlite_url
from sonovan.stream_apps.alert.asked import NotBefore
from sonovan.stream_apps.alert.ladder import TOPIC, Ladder, Rung
from sonovan.stream_apps.alert.messages import take
from sonovan.stream_apps.alert.sending import Deliver, Late, Sender
from sonovan.stream_apps.progress import Progress
from tests.stream_apps.alert.scene import RULES, revision
from tests.waiting import until

LEASE_S = 20.0
LONGEST_S = 6.0


class Clock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.seconds = 1_700_000_000.0

    def __call__(self) -> float:
        return self.seconds

    def pass_(self, seconds: float) -> None:
        self.seconds += seconds


class Recipient:
    """Somebody who must be told; away while `up` is False."""

    def __init__(self, up: bool = True) -> None:
        self.up = up
        self.tried: list[str] = []
        self.told: list[tuple[str, str]] = []

    async def __call__(self, delivery: Delivery) -> None:
        self.tried.append(delivery.key)
        if not self.up:
            raise Transient("away")
        self.told.append((delivery.key, LesionAlerted.decode(delivery.body).state))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    return Outbox(sqlite_url(tmp_path / "outbox.sqlite"))


@pytest.fixture
def owe(outbox: Outbox, clock: Clock) -> Callable[..., None]:
    """Have the outbox keep what follows from a revision, for these recipients."""

    def owe_alerts(assessed: ScreeningAssessed, *recipients: str) -> None:
        now = datetime.fromtimestamp(clock(), UTC)
        named = recipients or ("webhook",)
        others = tuple(each for each in named if each != TOPIC)
        rungs = tuple(Rung(severity=each, to=others) for each in SEVERITIES if others)
        take(outbox, assessed, RULES, Ladder(rungs=rungs), now, now)
        while TOPIC not in named and (batch := outbox.claim(TOPIC, now, timedelta(days=1))):
            for each in batch:
                outbox.delivered(each.key, now)

    return owe_alerts


def sender(outbox: Outbox, clock: Clock, idle_s: float = 0.01, **recipients: Deliver) -> Sender:
    return Sender(outbox, recipients, lease_s=LEASE_S, longest_pause_s=LONGEST_S, now=clock, idle_s=idle_s)


def due(outbox: Outbox, clock: Clock, webhook: Deliver) -> int:
    return asyncio.run(sender(outbox, clock, webhook=webhook).deliver_due("webhook"))


def running(sending: Sender, condition: Callable[[], bool]) -> None:
    """Run the sender until the condition holds, then cancel it: it must leave at once."""

    async def watch() -> None:
        task = asyncio.create_task(sending.run())
        enough = partial(until, lambda: condition() or task.done(), "the sender has done it", deadline_s=20)
        await asyncio.to_thread(enough)
        task.cancel()
        async with asyncio.timeout(10):
            with suppress(asyncio.CancelledError):
                await task

    asyncio.run(watch())


def test_what_is_undelivered_for_too_long_is_a_fault_until_it_is_delivered(
    outbox: Outbox, clock: Clock, owe: Callable[..., None]
) -> None:
    progress, webhook = Progress(60.0), Recipient(up=False)
    late = Late(timedelta(minutes=15), progress.fault)
    sending = Sender(outbox, {"webhook": webhook}, lease_s=LEASE_S, longest_pause_s=LONGEST_S, late=late, now=clock)
    owe(revision(1, {1: "suspicious"}), "webhook", "another")
    asyncio.run(sending.name_the_late())
    assert progress.notes == ()
    clock.pass_(15 * 60)
    asyncio.run(sending.name_the_late())
    # 1,700,000,000 s after the epoch. The other recipient is not configured any more: a fault of it would never end
    assert progress.notes == ("undelivered to webhook since 2023-11-14 22:13 UTC: 1 messages wait",)
    assert progress.waiting == ()
    webhook.up = True
    asyncio.run(sending.deliver_due("webhook"))
    asyncio.run(sending.name_the_late())
    assert progress.notes == ()


def test_a_receiver_that_was_down_is_told_once_when_it_is_up(
    outbox: Outbox, clock: Clock, owe: Callable[..., None]
) -> None:
    owe(revision(1, {1: "suspicious"}))
    webhook = Recipient(up=False)
    assert due(outbox, clock, webhook) == 1
    webhook.up = True
    assert due(outbox, clock, webhook) == 0
    clock.pass_(1.0)
    assert due(outbox, clock, webhook) == 1
    clock.pass_(10_000)
    assert due(outbox, clock, webhook) == 0
    assert len(webhook.tried) == 2
    assert webhook.told == [(webhook.tried[0], "raised")]
    assert outbox.owed() == {}


def test_pauses_double_up_to_the_longest_and_no_attempt_is_the_last(
    outbox: Outbox, clock: Clock, owe: Callable[..., None]
) -> None:
    owe(revision(1, {1: "suspicious"}))
    webhook, pauses = Recipient(up=False), []
    due(outbox, clock, webhook)
    for _ in range(6):
        waited = 0
        while not due(outbox, clock, webhook):
            clock.pass_(1.0)
            waited += 1
        pauses.append(waited)
    assert pauses == [1, 2, 4, 6, 6, 6]
    assert len(set(webhook.tried)) == 1


@pytest.mark.parametrize(("asked_s", "waits_s"), [(20.0, 20), (0.0, 1)])
def test_a_pause_that_was_asked_for_is_kept_where_it_is_the_longer_one(
    asked_s: float, waits_s: int, outbox: Outbox, clock: Clock, owe: Callable[..., None]
) -> None:
    owe(revision(1, {1: "suspicious"}))

    async def busy(_delivery: Delivery) -> None:
        raise NotBefore("busy", asked_s)

    assert due(outbox, clock, busy) == 1
    waited = 0
    while not due(outbox, clock, busy):
        clock.pass_(1.0)
        waited += 1
    assert waited == waits_s


def test_a_crash_between_delivery_and_note_tells_again_under_the_same_key(
    outbox: Outbox, clock: Clock, owe: Callable[..., None], tmp_path: Path
) -> None:
    owe(revision(1, {1: "suspicious"}))
    webhook = Recipient()

    async def told_then_killed(delivery: Delivery) -> None:
        await webhook(delivery)
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        due(outbox, clock, told_then_killed)
    restarted = Outbox(sqlite_url(tmp_path / "outbox.sqlite"))
    clock.pass_(LEASE_S - 1)
    assert due(restarted, clock, webhook) == 0
    clock.pass_(1)
    assert due(restarted, clock, webhook) == 1
    first, second = webhook.told
    assert first == second
    clock.pass_(10_000)
    assert due(restarted, clock, webhook) == 0


def test_a_note_that_fails_tells_again_under_the_same_key(
    outbox: Outbox, clock: Clock, owe: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    owe(revision(1, {1: "suspicious"}))
    webhook = Recipient()

    def away(_key: str, _now: datetime) -> None:
        raise Transient("the outbox does not answer")

    with monkeypatch.context() as broken:
        broken.setattr(outbox, "delivered", away)
        due(outbox, clock, webhook)
    clock.pass_(LEASE_S)
    assert due(outbox, clock, webhook) == 1
    assert len(set(webhook.told)) == 1


def test_a_withdrawal_never_overtakes_its_alert(outbox: Outbox, clock: Clock, owe: Callable[..., None]) -> None:
    webhook = Recipient(up=False)
    owe(revision(1, {1: "suspicious"}))
    due(outbox, clock, webhook)
    owe(revision(2, {1: "gone"}))
    webhook.up = True
    assert due(outbox, clock, webhook) == 0
    clock.pass_(1)
    assert [due(outbox, clock, webhook), due(outbox, clock, webhook)] == [1, 1]
    assert [state for _, state in webhook.told] == ["raised", "withdrawn"]
    assert len({key for key, _ in webhook.told}) == 2


@pytest.mark.parametrize("away", ["never answers", "raises"])
def test_a_recipient_that_is_away_holds_up_nobody(
    outbox: Outbox, clock: Clock, owe: Callable[..., None], away: str
) -> None:
    topic, webhook_tried, owed_later = Recipient(), asyncio.Event(), asyncio.Event()

    async def webhook(_delivery: Delivery) -> None:
        webhook_tried.set()
        if away == "raises":
            raise Transient("away")
        await asyncio.Event().wait()

    def both_on_the_topic() -> bool:
        if webhook_tried.is_set() and not owed_later.is_set():
            owe(revision(2, {1: "suspicious", 2: "suspicious"}), "topic", "webhook")
            owed_later.set()
        return len(topic.told) == 2 and outbox.owed() == {"webhook": 2}

    owe(revision(1, {1: "suspicious"}), "topic", "webhook")
    running(sender(outbox, clock, webhook=webhook, topic=topic), both_on_the_topic)
    assert len(set(topic.told)) == 2


class Flaky(Outbox):
    """A database that is away for the first few questions."""

    away = 3

    def claim(self, recipient: str, now: datetime, lease: timedelta, limit: int = 16) -> list[Delivery]:
        self.away -= 1
        if self.away >= 0:
            raise Transient("the outbox does not answer")
        return super().claim(recipient, now, lease, limit)


def test_a_database_that_is_away_is_waited_for(
    clock: Clock, outbox: Outbox, owe: Callable[..., None], tmp_path: Path
) -> None:
    owe(revision(1, {1: "suspicious"}))
    webhook = Recipient()
    running(sender(Flaky(sqlite_url(tmp_path / "outbox.sqlite")), clock, webhook=webhook), lambda: bool(webhook.told))
    assert len(webhook.told) == 1


def test_what_is_fatal_ends_the_sender(outbox: Outbox, clock: Clock, owe: Callable[..., None]) -> None:
    owe(revision(1, {1: "suspicious"}), "topic")

    def refusing(_delivery: Delivery) -> Awaitable[None]:
        raise Fatal("the broker refuses this account")

    with pytest.raises(Fatal):
        asyncio.run(sender(outbox, clock, topic=refusing, webhook=Recipient()).run())


def test_alerts_for_somebody_no_longer_configured_are_kept_and_named(
    outbox: Outbox, clock: Clock, owe: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    owe(revision(1, {1: "suspicious"}), "pager", "topic")
    topic = Recipient()
    with caplog.at_level(logging.WARNING, "sonovan.stream_apps.alert.sending"):
        running(sender(outbox, clock, topic=topic), lambda: bool(topic.told) and bool(caplog.messages))
    assert caplog.messages == ["1 messages wait for pager, which is not configured now"]
    assert outbox.owed()["pager"] == 1
