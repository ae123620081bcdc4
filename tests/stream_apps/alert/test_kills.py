"""A worker that is killed at any step of taking in, answering and sending: nothing is lost, nothing doubled by key."""

import asyncio
import multiprocessing
import os
import signal
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count

from sqlalchemy import create_engine, event, text
from sqlalchemy.engine import Engine

from sonovan.contracts.alerts import AlertAcknowledged, LesionAlerted
from sonovan.contracts.errors import Transient
from sonovan.storage.outbox import Delivery, Outbox
from sonovan.stream_apps.alert.ladder import TOPIC, WEBHOOK, Ladder, Rung
from sonovan.stream_apps.alert.messages import answer, take
from sonovan.stream_apps.alert.sending import Sender
from sonovan.stream_apps.alert.webhook import Webhook
from tests.clinical.records import finding
from tests.storage.conftest import url  # noqa: F401  # a fixture
from tests.stream_apps.alert.receiver import Receiver
from tests.stream_apps.alert.scene import RULES, Stage, revision

START = 1_700_000_000.0
LEASE_S = 20.0
LADDER = Ladder(
    rungs=(Rung(severity="suspicious", to=(WEBHOOK,)), Rung(severity="suspicious", after_min=60, to=("doctor",)))
)
FIRST = revision(1, {}, findings=(finding(malignant=0.9, area_mm2=5.0),))
LAST = revision(2, {1: "gone"})
(RAISED,) = Stage().take(FIRST)
ANSWER = AlertAcknowledged(
    alert_id=RAISED.alert_id, screening_id=RAISED.screening_id, raised_in=RAISED.raised_in, by="dr-1"
)


def nothing() -> None:
    """No step is special."""


def work(place: str, hook: str, clock: float, step: Callable[[], None] = nothing) -> None:
    """Everything that a worker does with one alert, from the beginning: what was done before changes nothing."""
    outbox = Outbox(place)
    now = datetime.fromtimestamp(clock, UTC)
    webhook = Webhook(hook, (b"a secret of the site",), 10.0, lambda: clock, "research")

    async def post(delivery: Delivery) -> None:
        step()
        await webhook.post(delivery)
        step()

    async def keep(_delivery: Delivery) -> None:
        step()

    sender = Sender(outbox, {WEBHOOK: post, TOPIC: keep}, lease_s=LEASE_S, longest_pause_s=1, now=lambda: clock)

    async def send() -> None:
        for recipient in (WEBHOOK, TOPIC):
            while await sender.deliver_due(recipient):
                pass

    for each in (
        lambda: take(outbox, FIRST, RULES, LADDER, now, now),
        lambda: answer(outbox, ANSWER, LADDER, now, now),
        lambda: take(outbox, LAST, RULES, LADDER, now, now),
    ):
        while True:
            try:
                each()
                break
            except Transient:  # PostgreSQL notices a dead client a moment later
                continue
        asyncio.run(send())
    outbox.close()


def die_at(place: str, hook: str, at: int) -> None:
    """Work, and end like a power cut at the step with this number: before a commit, before or after a request.

    Between the statements of a transaction it is as before its commit (tests/storage kills there, too).
    """
    steps = count(1)

    def step(*_: object) -> None:
        if next(steps) == at:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(Engine, "commit", step)
    work(place, hook, START, step)


def test_an_alert_is_told_answered_and_ended_once_by_key_wherever_its_worker_is_killed(url: str) -> None:  # noqa: F811
    with Receiver() as receiver:
        for at in count(1):
            place = url.replace(".sqlite", f"-{at}.sqlite") if url.startswith("sqlite") else url
            receiver.received.clear()
            worker = multiprocessing.get_context("fork").Process(target=die_at, args=(place, receiver.url, at))
            worker.start()
            worker.join(60)
            before = len(receiver.received)
            work(place, receiver.url, START + LEASE_S + 1)
            bodies = {request.key: request.body for request in receiver.received}
            states = [LesionAlerted.decode(body).state for body in bodies.values()]
            assert states == ["raised", "acknowledged", "vanished"], f"killed at step {at}"
            assert all(bodies[request.key] == request.body for request in receiver.received)
            assert len(receiver.received) <= len(bodies) + 1, "more than the one that was under way came twice"
            survivor = Outbox(place)
            later = datetime.fromtimestamp(START, UTC) + timedelta(days=1)
            assert survivor.owed() == {}
            assert survivor.claim("doctor", later, timedelta(minutes=1)) == [], "called though somebody had answered"
            if worker.exitcode == 0:
                assert before == 3
                assert at > 15
                return
            assert worker.exitcode == -signal.SIGKILL
            wipe(place)


def wipe(place: str) -> None:
    """Empty a database that the next round uses again."""
    engine = create_engine(place)
    with engine.begin() as connection:
        for table in ("outbox_turns", "outbox_threads", "outbox_deliveries"):
            connection.execute(text(f"DELETE FROM {table}"))
    engine.dispose()
