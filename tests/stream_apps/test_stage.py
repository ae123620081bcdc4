"""Any stage over a log, tables and a store in memory: what must hold for every one of them, whatever its step does."""

import asyncio
import hashlib
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from sonovan.contracts.answers import RecordRejected, VanAnswered
from sonovan.contracts.envelope import open_envelope
from sonovan.contracts.errors import Fatal, InvalidRecord
from sonovan.contracts.ids import opened_item
from sonovan.contracts.results import ScreeningAssessed
from sonovan.contracts.topics import STAGES, Topic, van_answered_topic
from sonovan.storage.keys import Bucket
from sonovan.stream_apps.metrics import Standing
from sonovan.stream_apps.rejecting import Subject, Unusable
from sonovan.stream_apps.retrying import FIRST_S
from sonovan.stream_apps.stage import Message, Outcome, Stage, receipt_to
from tests.clinical.records import SCREENING
from tests.stream_apps.cases import CASES, Case
from tests.stream_apps.memory import PATIENCE_S, Delivered, Died, MemoryTables, Producer, Run, Vans, World
from tests.stream_apps.segment.frames import TestVan
from tests.waiting import comes_true, turn

MOST_EFFECTS = 400
STEPS = 3000


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


def test_a_revision_is_sent_with_the_key_and_the_sha256_of_the_report_that_is_stored(tmp_path: Path) -> None:
    case = CASES["assess"](tmp_path)
    asyncio.run(live(case))
    sent = [value for topic, _, value in case.world.sent if topic == Topic.SCREENING_ASSESSED]
    revision = ScreeningAssessed.decode(sent[-1])
    assert revision.status == "complete"
    for key, sha256 in (
        (revision.report_html_key, revision.report_html_sha256),
        (revision.report_json_key, revision.report_json_sha256),
    ):
        stored = case.world.store.objects[Bucket.REPORTS, str(key)]
        assert hashlib.sha256(stored).hexdigest() == sha256


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


async def until(condition: Callable[[], bool]) -> None:
    await comes_true(condition, PATIENCE_S)


async def nothing_more(world: World) -> None:
    """Whatever can still go on does, and neither sends nor acknowledges anything."""
    before = (list(world.order), list(world.sent))
    for _ in range(STEPS):
        await turn()
    assert (world.order, world.sent) == before


def test_a_store_that_hangs_holds_back_what_is_sent_and_acknowledged(case: Case) -> None:
    world = case.world
    waiting = world.arrived[case.first_stored :]
    before = [(each.at.topic, each.at.partition, each.at.offset) for each in world.arrived[: case.first_stored]]

    async def hold() -> None:
        world.gate.clear()
        worker = Run(world, case.open)
        taking = asyncio.create_task(worker.take(world.open_messages()))
        await until(lambda: world.held > 0)
        await nothing_more(world)
        assert world.order == before
        assert waiting
        world.gate.set()
        await taking
        await worker.end()

    asyncio.run(hold())
    assert world.open_messages() == []


def test_what_was_under_way_while_partitions_moved_is_left_to_the_next_owner(case: Case) -> None:
    world = case.world

    async def revoke() -> None:
        world.gate.clear()
        worker = Run(world, case.open)
        taking = asyncio.create_task(worker.take(world.arrived[: case.first_stored + 1]))
        await until(lambda: world.held > 0)
        before = (list(world.order), list(world.sent), dict(world.changelog))
        done = len(world.effects) + 2
        await worker.handling.move()
        world.gate.set()
        await until(lambda: len(world.effects) >= done)  # what was being stored is stored, and is known to be
        await nothing_more(world)
        assert (world.order, world.sent, world.changelog) == before
        taking.cancel()
        await worker.end()

    asyncio.run(revoke())
    assert world.arrived[case.first_stored] in world.open_messages()
    asyncio.run(live(case))
    assert world.open_messages() == []


def test_a_revision_is_not_sent_when_partitions_move_while_its_sequences_are(tmp_path: Path) -> None:
    case = CASES["assess"](tmp_path)
    world = case.world

    async def revoke() -> None:
        worker, moved = Run(world, case.open), False
        producer = Producer(world)
        send = producer.send

        async def send_and_move(topic: str, key: bytes, value: bytes, **more: object) -> object:
            nonlocal moved
            kept = await send(topic, key, value, **more)
            if topic == Topic.SEQUENCE_ASSESSED:
                moved = True
                await worker.handling.move()
            return kept

        producer.send = send_and_move  # type: ignore[method-assign, assignment]
        worker.handling._app = producer
        for message in world.open_messages():
            await worker.handling.take(Delivered(world, message), message)
            if moved:
                break
        assert moved
        assert Topic.SCREENING_ASSESSED not in [topic for topic, _, _ in world.sent]
        assert message in world.open_messages()
        await worker.end()

    asyncio.run(revoke())
    asyncio.run(live(case))
    sent = [ScreeningAssessed.decode(value) for topic, _, value in world.sent if topic == Topic.SCREENING_ASSESSED]
    assert [each.revision_number for each in sent] == list(range(1, len(sent) + 1))


@pytest.mark.parametrize("name", ["assess", "alert", "toy"])
def test_who_waits_for_a_store_that_is_away_lets_go_of_a_message_when_partitions_move(
    name: str, tmp_path: Path
) -> None:
    case = CASES[name](tmp_path)
    world = case.world

    async def revoke() -> None:
        worker = Run(world, case.open)
        *before, message = world.arrived[: case.first_stored + 1]
        await worker.take(before)
        world.store_away = STEPS * STEPS
        taking = asyncio.create_task(worker.handling.take(Delivered(world, message), message))
        await until(lambda: bool(world.pauses))
        await worker.handling.move()
        async with asyncio.timeout(PATIENCE_S):
            await taking
        assert message in world.open_messages()
        assert worker.failures == []
        await worker.end()

    asyncio.run(revoke())
    world.store_away = 0
    asyncio.run(live(case))
    assert world.open_messages() == []


def test_a_store_and_a_broker_that_are_away_are_waited_for_with_growing_pauses(case: Case) -> None:
    world = case.world
    # So many refusals that one action meets two of them, in whatever order the messages of a stage are in flight.
    refusals = 60
    world.store_away, world.broker_away = refusals, 2
    asyncio.run(live(case))
    assert world.open_messages() == []
    assert (world.store_away, world.broker_away) == (0, 0)
    assert len(world.pauses) == refusals + 2
    assert max(world.pauses) > FIRST_S


TOY = CASES["toy"]


def toy(change: Callable[[Message, Outcome], Outcome], folder: Path, **more: object) -> Case:
    """The toy with another end of its step."""
    case = TOY(folder)
    opened = case.open

    def open_stage(world: World, tables: MemoryTables) -> Stage:
        stage = opened(world, tables)
        return replace(stage, process=lambda message: change(message, stage.process(message)), **more)

    return replace(case, open=open_stage)


def test_what_must_not_go_on_ends_the_worker_and_acknowledges_nothing_behind_it(tmp_path: Path) -> None:
    def refuse(message: Message, outcome: Outcome) -> Outcome:
        if message.at.offset == 1:
            raise Fatal("wrong weights")
        return outcome

    case = toy(refuse, tmp_path)
    with pytest.raises(Fatal, match="wrong weights"):
        asyncio.run(live(case))
    assert [offset for *_, offset in case.world.order] == [0, 0]


@pytest.mark.parametrize(("age_s", "left_s"), [(0.0, 10.0), (4.0, 6.0), (-3.0, 10.0), (60.0, 0.0)])
def test_a_message_of_an_unknown_van_waits_for_what_is_left_of_its_time(
    tmp_path: Path, age_s: float, left_s: float
) -> None:
    van = TestVan()

    def of_a_van(message: Message, outcome: Outcome) -> Outcome:
        try:
            case.world.registry.verify(van.van_id, message.at.appended_at, open_envelope(van.frame()))
        except InvalidRecord as error:
            raise Unusable(error, Subject(van_id=van.van_id)) from None
        return outcome

    case = toy(of_a_van, tmp_path)
    first = case.world.arrived[0]
    case.world.now = first.at.appended_at + timedelta(seconds=age_s)
    vans = Vans(case.world.registry, lambda _: case.world.registry.learn(van.enrolled()))

    async def wait() -> None:
        worker = Run(case.world, case.open, vans)
        await worker.take([first])
        await worker.end()

    asyncio.run(wait())
    assert vans.waits == [left_s]
    assert [topic for topic, _, _ in case.world.sent] == [Topic.REJECTED_RETRIED]


def test_a_van_that_was_never_enrolled_gets_no_receipt_and_one_that_was_gets_it(tmp_path: Path) -> None:
    known, stranger = TestVan("known"), TestVan("stranger")

    def answers(message: Message, outcome: Outcome) -> Outcome:
        receipts = [
            receipt_to(
                VanAnswered(van_id=each.van_id, kind="stored", item_id=opened_item(SCREENING), content_sha256="ab" * 32)
            )
            for each in (known, stranger)
        ]
        return replace(outcome, records=(*outcome.records, receipts))

    case = toy(answers, tmp_path)
    case.world.registry.learn(known.enrolled())
    asyncio.run(live(case))
    assert {topic for topic, _, _ in case.world.sent if topic.startswith("van.answered.")} == {
        van_answered_topic("known").name
    }


def test_ticks_are_sent_with_the_clocks_time(tmp_path: Path) -> None:
    case = CASES["assess"](tmp_path)

    async def tick() -> list[str]:
        worker = Run(case.world, case.open)
        await worker.take(case.world.open_messages()[:3])
        sent = len(case.world.sent)
        await worker.handling.tick()
        assert len(case.world.sent) == sent
        case.world.now += timedelta(hours=1)
        await worker.handling.tick()
        await worker.end()
        return [topic for topic, _, _ in case.world.sent[sent:]]

    assert asyncio.run(tick()) == [Topic.SCREENING_TICKED]


@pytest.mark.parametrize(("ahead_s", "named"), [(0.0, ""), (-600.0, "600 s ahead of"), (600.0, "600 s behind")])
def test_a_clock_that_is_apart_from_the_brokers_is_named_and_ticks_by_the_brokers(
    tmp_path: Path, ahead_s: float, named: str
) -> None:
    case = CASES["assess"](tmp_path)
    case.world.broker_ahead_s = ahead_s

    async def ticks_after(minutes: float) -> list[str]:
        worker = Run(case.world, case.open)
        await worker.take(case.world.open_messages()[:4])
        sent = len(case.world.sent)
        case.world.now += timedelta(minutes=minutes)
        await worker.handling.tick()
        notes = worker.progress.notes
        assert (named in notes[0]) if named else (notes == ())
        await worker.end()
        return [topic for topic, _, _ in case.world.sent[sent:]]

    # Deadlines stand in the broker's time; here they are ten minutes after the opening.
    assert asyncio.run(ticks_after(5.0 if ahead_s > 0 else 15.0)) == ([] if ahead_s < 0 else [Topic.SCREENING_TICKED])


def test_a_stage_that_catches_up_takes_one_message_at_a_time(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="one at a time"):
        toy(lambda _, outcome: outcome, tmp_path, in_flight=2, catch_up=lambda _: None).open(World(), None)  # type: ignore[arg-type]


def test_a_worker_measures_what_it_does(case: Case) -> None:
    worker = asyncio.run(live(case))
    text = worker.measured.text({}, {}, Standing(True, 0.0, None))
    own = f'stage="{worker.stage.name}",instance="1"'
    assert re.search(rf"sonovan_rejected_records_total{{{own},reason=\"\w+\"}} 1\n", text)
    assert f'sonovan_step_seconds_count{{{own},step="process"}} {len(case.world.arrived)}\n' in text
    assert f"sonovan_in_flight_records{{{own}}} 0\n" in text
