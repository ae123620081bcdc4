"""How long a worker waits for a van that the registry does not know yet, and by which clock."""

import asyncio
from datetime import timedelta

from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.topics import Topic
from sonovan.stream_apps.patience import FORGOTTEN_AFTER_S, Patience
from sonovan.stream_apps.rejecting import Subject, Unusable
from sonovan.stream_apps.stage import Message, Outcome, Stage
from tests.stream_apps.memory import Run, Vans, World


def test_forged_records_without_end_keep_a_worker_waiting_for_a_tenth_of_the_time_at_most() -> None:
    """One a second: `assess`, which takes one at a time, was ten seconds behind for all vans and for good."""
    world, waited = World(), list[float]()

    def forged(message: Message) -> Outcome:
        raise Unusable(InvalidRecord("signature_invalid", "nobody's key"), Subject(van_id="van-a"))

    def pass_time(wait_s: float) -> None:
        waited.append(wait_s)
        world.now += timedelta(seconds=wait_s)

    async def through() -> None:
        stage = Stage(name="toy", reads=(Topic.RECORD_REJECTED,), process=forged)
        worker = Run(world, lambda _world, _tables: stage, Vans(world.registry, pass_time))
        for _ in range(300):
            await worker.take([world.append(Topic.RECORD_REJECTED, b"forged")])
        await worker.end()

    began = world.now
    asyncio.run(through())
    assert waited[0] == 10.0
    assert waited[1:4] == [5.0, 2.5, 1.25], "what comes behind a forged record must not wait long for it each time"
    assert set(waited[4:]) == {1.0}
    assert sum(waited) <= 10.0 + (world.now - began).total_seconds() / 10
    assert len([topic for topic, _, _ in world.sent if topic == Topic.RECORD_REJECTED]) == 300


def test_a_worker_waits_as_long_as_ever_once_nobody_forged_for_a_while() -> None:
    now_s = 0.0
    patience = Patience(lambda: now_s)
    patience.in_vain(10.0)
    now_s = 90.0
    assert patience.at_most_s(10.0) == 5.0
    now_s = FORGOTTEN_AFTER_S - 1
    assert patience.at_most_s(10.0) == 5.0
    now_s = FORGOTTEN_AFTER_S
    assert patience.at_most_s(10.0) == 10.0
    patience.in_vain(4.0)
    now_s += 36.0
    assert patience.at_most_s(10.0) == 2.0


def test_a_clock_that_is_set_back_makes_nobody_wait_longer_or_less() -> None:
    """What a wait in vain took, and how long nobody is waited for then, are measured by a steady clock."""
    world, waited = World(), list[float]()

    def forged(message: Message) -> Outcome:
        raise Unusable(InvalidRecord("signature_invalid", "nobody's key"), Subject(van_id="van-a"))

    def pass_time(wait_s: float) -> None:
        waited.append(wait_s)
        world.now += timedelta(seconds=wait_s)
        world.set_clock(-3600.0)

    async def through() -> None:
        stage = Stage(name="toy", reads=(Topic.RECORD_REJECTED,), process=forged)
        worker = Run(world, lambda _world, _tables: stage, Vans(world.registry, pass_time))
        await worker.take([world.append(Topic.RECORD_REJECTED, b"forged")])
        for _ in range(85):
            await worker.take([world.append(Topic.RECORD_REJECTED, b"forged")])
        assert len(waited) == 1
        for _ in range(20):
            await worker.take([world.append(Topic.RECORD_REJECTED, b"forged")])
        assert len(waited) == 2
        await worker.end()

    asyncio.run(through())


def test_a_message_of_an_unknown_van_is_aged_by_the_brokers_clock() -> None:
    world = World()

    def of_a_stranger(message: Message) -> Outcome:
        raise Unusable(InvalidRecord("van_unknown", "not enrolled"), Subject(van_id="van-a"))

    vans = Vans(world.registry)

    async def wait() -> None:
        stage = Stage(name="toy", reads=(Topic.RECORD_REJECTED,), process=of_a_stranger)
        worker = Run(world, lambda _world, _tables: stage, vans)
        message = world.append(Topic.RECORD_REJECTED, b"of a stranger")
        world.set_clock(-596.0)  # this machine's clock is ten minutes behind the broker's, and four seconds have passed
        worker.progress.broker_ahead(600.0)
        await worker.take([message])
        await worker.end()

    asyncio.run(wait())
    assert vans.waits == [6.0]
