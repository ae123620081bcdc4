"""A screening's rows are deleted when its time is over, and what comes after that is rejected by name."""

import asyncio
import logging
import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from sonovan.contracts.answers import RecordRejected
from sonovan.contracts.clinical_record import FeaturesRecorded
from sonovan.contracts.erasures import ScreeningErased
from sonovan.contracts.record import Record
from sonovan.contracts.results import ScreeningTicked
from sonovan.contracts.topics import Topic
from sonovan.contracts.van import Consent
from sonovan.stream_apps.assess import ending
from sonovan.stream_apps.assess.ending import due_ends
from sonovan.stream_apps.assess.rows import ScreeningRow
from sonovan.stream_apps.rejecting import Unusable
from tests.stream_apps.assess.scene import EPOCH, Desk, Scene
from tests.stream_apps.cases import CASES, Case
from tests.stream_apps.memory import Died, Run, World

PERSONAL = re.compile(rb"subject_key|age_years|cdcdcdcd")
SETTLED, MOST = timedelta(days=14), timedelta(days=90)


def features(scene: Scene, number: int = 1) -> tuple[Topic, Record]:
    return Topic.FEATURES_RECORDED, FeaturesRecorded(
        screening_id=scene.screening_id, van_id=scene.van_id, features_number=number, recorded_at=EPOCH, age_years=52
    )


def due(desk: Desk, now: datetime) -> list[ScreeningTicked]:
    """The ticks that a timer sends at this time because screenings end."""
    return due_ends([(key, row) for (table, key), row in desk.rows.items() if table == "ending"], now)


def end(desk: Desk, at: datetime) -> int:
    """Take ticks as long as the timer sends them; how many."""
    taken = 0
    desk.now = max(desk.now, at)
    while ticks := due(desk, desk.now):
        for tick in ticks:
            desk.take((Topic.SCREENING_TICKED, tick))
            taken += 1
        assert taken < 20
    return taken


def refused(desk: Desk, said: tuple[Topic, Record]) -> str:
    with pytest.raises(Unusable) as caught:
        desk.take(said)
    return caught.value.reason


def whole(scene: Scene) -> Desk:
    desk = Desk(scene)
    last = [desk.take(said).revision for said in (*scene.everything(), features(scene))][-1]
    assert last is not None
    assert last.assessed.status == "complete"
    return desk


def test_a_complete_screening_leaves_one_row_that_says_nothing_of_her() -> None:
    scene = Scene(6, lesion=range(6))
    desk = whole(scene)
    assert any(map(PERSONAL.search, desk.rows.values()))
    assert due(desk, desk.now + SETTLED - timedelta(hours=4)) == []
    end(desk, desk.now + SETTLED)
    ((place, row),) = [(place, row) for place, row in desk.rows.items() if place[1] != "#watermark"]
    assert place == ("screenings", scene.screening_id)
    assert set(ScreeningRow.model_validate_json(row).model_dump(exclude_defaults=True)) == {"ended_at"}
    assert len(row) < 200


def test_what_can_be_traced_to_her_goes_with_the_first_tick() -> None:
    scene = Scene(6, lesion=range(6))
    desk = whole(scene)
    desk.now += SETTLED
    (tick,) = due(desk, desk.now)
    desk.take((Topic.SCREENING_TICKED, tick))
    assert not any(map(PERSONAL.search, desk.rows.values()))


def erased(scene: Scene, at: datetime) -> tuple[Topic, Record]:
    asked = ScreeningErased(screening_id=scene.screening_id, because="she_asked", by="op-7", erased_at=at)
    return Topic.SCREENING_ERASED, asked


@pytest.mark.parametrize("complete", [True, False])
def test_an_erased_screening_ends_at_once_and_leaves_one_row_that_says_nothing_of_her(complete: bool) -> None:
    scene = Scene(6, lesion=range(6))
    desk = Desk(scene)
    for said in (*scene.everything()[: None if complete else -2], features(scene)):
        desk.take(said)
    assert any(map(PERSONAL.search, desk.rows.values()))
    assert desk.take(erased(scene, desk.now)).revision is None
    assert not any(map(PERSONAL.search, desk.rows.values()))
    assert end(desk, desk.now) > 0
    ((place, row),) = [(place, row) for place, row in desk.rows.items() if place[1] != "#watermark"]
    assert place == ("screenings", scene.screening_id)
    assert set(ScreeningRow.model_validate_json(row).model_dump(exclude_defaults=True)) == {"ended_at"}
    assert refused(desk, features(scene, 2)) == "screening_ended"
    assert refused(desk, scene.frame(3)) == "screening_ended"


def test_what_comes_of_a_screening_that_was_erased_before_is_rejected() -> None:
    scene = Scene(6)
    desk = Desk(scene)
    desk.take(erased(scene, desk.now))
    assert [refused(desk, said) for said in scene.everything()] == ["screening_ended"] * len(scene.everything())
    end(desk, desk.now)
    desk.take(erased(scene, desk.now))
    assert [table for table, _ in desk.rows] == ["screenings"]


def test_what_comes_after_the_end_is_rejected_by_name_and_makes_no_row() -> None:
    scene = Scene(6)
    desk = whole(scene)
    end(desk, desk.now + SETTLED)
    left = dict(desk.rows)
    for said in (scene.opened(), scene.frame(3), scene.screening_closed(number=2), features(scene, 2)):
        assert refused(desk, said) == "screening_ended"
    desk.take(scene.ticked())
    assert desk.rows == left


def test_what_comes_between_the_first_tick_and_the_last_is_rejected_too() -> None:
    scene = Scene(6)
    desk = whole(scene)
    desk.now += SETTLED
    (tick,) = due(desk, desk.now)
    desk.take((Topic.SCREENING_TICKED, tick))
    assert refused(desk, features(scene, 2)) == "screening_ended"


def test_a_correction_in_time_puts_the_end_off_but_never_beyond_what_was_promised() -> None:
    scene = Scene(6)
    desk = whole(scene)
    began = EPOCH + timedelta(seconds=1)
    for number, day in enumerate(range(10, 90, 10), 2):
        desk.now = EPOCH + timedelta(days=day)
        desk.take(features(scene, number))
        assert due(desk, min(desk.now + SETTLED, began + MOST) - timedelta(hours=4)) == []
    assert [tick.screening_id for tick in due(desk, began + MOST)] == [scene.screening_id]


@pytest.mark.parametrize("left_out", [0, -1, 3])
def test_a_screening_that_never_completes_ends_after_90_days_and_is_named(
    left_out: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)  # warnings alike are told once a minute, and each of these must be named
    scene = Scene(6)
    desk = Desk(scene)
    said = scene.everything()
    said.pop(left_out)
    for each in said:
        desk.take(each)
    desk.now += timedelta(hours=1)
    desk.take(scene.ticked())
    assert due(desk, EPOCH + MOST) == []
    end(desk, EPOCH + MOST + timedelta(minutes=1))
    assert [table for table, _ in desk.rows] == ["screenings"]
    (line,) = [line for line in caplog.messages if " ends " in line]
    assert scene.screening_id in line
    assert ("unopened" in line) == (left_out == 0)


def test_rows_of_vans_that_did_not_open_it_go_too() -> None:
    scene = Scene(6)
    desk = Desk(scene)
    _, result = scene.frame(0)
    desk.take((Topic.FRAME_SEGMENTED, result.model_copy(update={"van_id": "van-2"})))
    for said in scene.everything():
        desk.take(said)
    end(desk, desk.now + SETTLED)
    assert [table for table, _ in desk.rows] == ["screenings"]


@pytest.mark.parametrize("most", [4, 5000])
def test_results_of_other_networks_end_too(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ending, "MOST_RESULTS", most)
    scene = Scene(6)
    desk = whole(scene)
    for index in range(6):
        desk.take(scene.frame(index, fingerprint="11" * 32))
    desk.take(scene.frame(2, fingerprint="22" * 32))
    assert len([key for table, key in desk.rows if table == "results"]) == 13
    end(desk, desk.now + SETTLED)
    assert [table for table, _ in desk.rows] == ["screenings"]


def test_what_she_refused_is_called_so_after_its_end_as_well() -> None:
    scene = Scene(2)
    desk = Desk(scene)
    desk.take(scene.frame(0))
    desk.take(scene.opened(consent=Consent(screening=True, ai=False)))
    end(desk, desk.now + SETTLED)
    assert [table for table, _ in desk.rows] == ["screenings"]
    assert refused(desk, scene.frame(1)) == "consent_refused"


def test_many_results_go_some_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ending, "MOST_RESULTS", 4)
    scene = Scene(10)
    desk = whole(scene)
    assert end(desk, desk.now + SETTLED) == 1 + 3 + 1
    assert [table for table, _ in desk.rows] == ["screenings"]


@pytest.fixture
def ending_case(tmp_path: Path) -> Case:
    """A worker that hears a screening, the ticks that end it, and a late record of it."""
    case = CASES["assess"](tmp_path)
    key = next(message.key for message in case.world.arrived if message.key)
    late = case.world.arrived[0]
    case.world.now += timedelta(days=15)
    tick = ScreeningTicked(screening_id=key.decode())
    for _ in range(3):
        case.world.append(Topic.SCREENING_TICKED, tick.encode(), key)
    case.world.append(late.at.topic, late.value, key)
    return case


def test_a_crash_between_any_two_steps_of_the_end_leaves_nothing(ending_case: Case) -> None:
    async def live(world: World) -> None:
        worker = Run(world, ending_case.open)
        try:
            await worker.take(world.open_messages())
        finally:
            await worker.end()

    world = ending_case.world
    for _ in lives(world, lambda: asyncio.run(live(world))):
        left = [(place, row) for place, row in world.changelog.items() if place[1] != "#watermark"]
        assert [table for (table, _), _ in left] == ["screenings"]
        assert not any(PERSONAL.search(row) for _, row in left)
        rejections = [value for topic, _, value in world.sent if topic == Topic.RECORD_REJECTED]
        reasons = {RecordRejected.decode(value).reason for value in rejections}
        assert reasons == {"record_invalid", "screening_ended"}


def lives(world: World, live: Callable[[], None]) -> Iterator[int]:
    """The world after a worker died at each of its effects and another one went on."""
    live()
    number, first = len(world.effects), len(world.arrived)
    yield -1
    begin = next(place for place, name in enumerate(reversed(world.effects)) if name.startswith("send screening.ass"))
    for die_at in range(number - begin, number):
        world.changelog.clear()
        world.acknowledged.clear()
        for kept in (world.sent, world.effects, world.order):
            kept.clear()
        world.die_at = die_at
        with pytest.raises(Died):
            live()
        world.die_at = None
        live()
        assert len(world.arrived) == first
        yield die_at
