"""Any stage over a log, tables and a store in memory: what must hold for every one of them, whatever its step does."""

import asyncio
from pathlib import Path

import pytest

from sonovan.contracts.answers import RecordRejected
from sonovan.contracts.topics import STAGES, Topic
from sonovan.storage.keys import Bucket
from tests.stream_apps.cases import CASES, Case
from tests.stream_apps.memory import Died, Run

MOST_EFFECTS = 400


@pytest.fixture(params=list(CASES))
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Case:
    """Each stage with messages that wait for it."""
    return CASES[request.param](tmp_path)


async def live(case: Case) -> Run:
    """One worker from its start until everything is through."""
    worker = Run(case.world, case.open)
    try:
        await worker.take(case.world.open_messages())
    finally:
        await worker.end()
    return worker


def test_every_stage_of_the_topic_table_is_driven_here() -> None:
    assert set(STAGES) | {"toy"} == set(CASES)


def test_messages_are_acknowledged_in_the_order_of_their_partition(case: Case) -> None:
    asyncio.run(live(case))
    for place, messages in case.world.log.items():
        mine = [offset for *there, offset in case.world.order if tuple(there) == place]
        assert mine == list(range(len(messages)))


def test_what_cannot_be_used_is_rejected_with_its_bytes_kept_and_the_rest_goes_on(case: Case) -> None:
    worker = asyncio.run(live(case))
    (bad,) = [RecordRejected.decode(value) for topic, _, value in case.world.sent if topic == Topic.RECORD_REJECTED]
    message = case.world.log[bad.topic, bad.partition][bad.offset]
    assert bad.stage == worker.stage.name
    assert case.world.store.objects[Bucket.QUARANTINE, bad.quarantine_key] == message.value
    assert case.world.open_messages() == []


@pytest.mark.parametrize("name", list(CASES))
def test_a_crash_between_any_two_steps_changes_nothing_that_is_seen(name: str, tmp_path: Path) -> None:
    def fresh(folder: str) -> Case:
        (tmp_path / folder).mkdir()
        return CASES[name](tmp_path / folder)

    calm = fresh("calm")
    asyncio.run(live(calm))
    number = len(calm.world.effects)
    assert 10 < number < MOST_EFFECTS
    wanted = calm.seen()
    for die_at in range(number):
        case = fresh(str(die_at))
        case.world.registry = calm.world.registry
        _same_messages(calm, case)
        case.world.die_at = die_at
        with pytest.raises(Died):
            asyncio.run(live(case))
        case.world.die_at = None
        asyncio.run(live(case))
        assert case.world.open_messages() == []
        assert case.seen() == wanted, f"died at effect {die_at}, {calm.world.effects[die_at]}"


def _same_messages(of: Case, case: Case) -> None:
    """Two worlds of one case differ in keys and ids that are minted: the second gets the first one's messages."""
    case.world.log, case.world.arrived = of.world.log, of.world.arrived
    case.world.now = of.world.arrived[-1].at.appended_at


def test_nothing_is_sent_or_acknowledged_before_it_is_stored(case: Case) -> None:
    """A store that is held: the step has computed, and nothing of it leaves."""
    case.world.store.open.clear()

    async def hold() -> None:
        worker = Run(case.world, case.open)
        taking = asyncio.create_task(worker.take(case.world.open_messages()))
        while "store" not in worker.stored and not taking.done():
            await asyncio.sleep(0)
        sent_before = [topic for topic, _, _ in case.world.sent]
        stuck = worker.held()
        case.world.store.open.set()
        await taking
        await worker.end()
        assert stuck is None or stuck not in case.world.order[: len(sent_before)]

    asyncio.run(hold())
