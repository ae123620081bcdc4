"""Somebody answers: through the stage and the outbox, to everybody who was told."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest

from sonovan.contracts.alerts import AlertAcknowledged, AlertHandled, Closed, HandedOver, LesionAlerted
from sonovan.contracts.answers import RecordRejected
from sonovan.contracts.faults import FaultAlerted, fault_id
from sonovan.contracts.ids import mint_id
from sonovan.contracts.topics import Topic
from sonovan.storage.outbox import Outbox
from sonovan.storage.outbox_engine import sqlite_url
from sonovan.stream_apps.alert.ladder import Ladder, Rung
from sonovan.stream_apps.alert.stage import alert_stage
from tests.clinical.records import NOON, SCREENING, finding, sha
from tests.stream_apps.alert.scene import RULES, revision
from tests.stream_apps.memory import Run, World

WORKER = mint_id(0)

LADDER = Ladder(
    rungs=(
        Rung(severity="suspicious", to=("nurse",)),
        Rung(severity="suspicious", after_min=60, to=("doctor",)),
    )
)
RECIPIENTS = ("topic", "nurse", "doctor")
SMALL = {"area_mm2": 5.0, "malignant": 0.9}

OF_REVISIONS: Final = replace(RULES, course_rules=())
"""Nobody signs here, and clocks go on for a week."""


class Desk:
    """An alert worker with a real outbox, and everybody whom it tells."""

    def __init__(self, folder: Path) -> None:
        self.world, self.outbox = World(), Outbox(sqlite_url(folder / "outbox.sqlite"))
        self.now, self.loop = self.world.now, asyncio.Runner()
        verify, now = self.world.registry.verify, lambda: self.now.timestamp()
        stage = alert_stage(self.outbox, OF_REVISIONS, LADDER, verify, faults_to=("ops",), now=now)
        self.worker = Run(self.world, lambda _world, _tables: stage)

    def take(self, topic: Topic, *values: bytes) -> None:
        self.loop.run(self.worker.take([self.world.append(topic, value) for value in values]))

    def revise(self, number: int, **lesion: object) -> None:
        found = (finding(**{**SMALL, **lesion}),) if lesion.get("seen", True) else ()
        other = {} if found else {"lesions": {1: "gone"}}
        self.take(Topic.SCREENING_ASSESSED, revision(number, other.get("lesions", {}), findings=found).encode())  # type: ignore[arg-type]

    def answer(self, alert: LesionAlerted, by: str = "dr-1") -> None:
        answered = AlertAcknowledged(
            alert_id=alert.alert_id, screening_id=alert.screening_id, raised_in=alert.raised_in, by=by
        )
        self.take(Topic.ALERT_ACKNOWLEDGED, answered.encode())

    def told(self, minutes: int = 0) -> dict[str, list[LesionAlerted]]:
        """What everybody is told after so many more minutes."""
        self.now += timedelta(minutes=minutes)
        found: dict[str, list[LesionAlerted]] = {}
        for recipient in RECIPIENTS:
            while batch := self.outbox.claim(recipient, self.now, timedelta(days=1)):
                for each in batch:
                    self.outbox.delivered(each.key, self.now)
                    found.setdefault(recipient, []).append(LesionAlerted.decode(each.body))
        return found

    def states(self, minutes: int = 0) -> dict[str, list[str]]:
        return {name: [alert.state for alert in alerts] for name, alerts in self.told(minutes).items()}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.loop.close()
    made.outbox.close()


def test_while_nobody_answers_the_next_one_is_called_and_then_nobody_else(desk: Desk) -> None:
    desk.revise(1)
    assert desk.states() == {"topic": ["raised"], "nurse": ["raised"]}
    assert desk.states(59) == {}
    assert desk.states(1) == {"doctor": ["raised"]}
    assert desk.states(10_000) == {}


def test_an_answer_stops_the_ladder_and_is_told_to_those_who_were_called(desk: Desk) -> None:
    desk.revise(1)
    (raised,) = desk.told()["nurse"]
    desk.answer(raised)
    (answered,) = desk.told()["nurse"]
    assert (answered.state, answered.acknowledged_by) == ("acknowledged", "dr-1")
    desk.answer(raised, "dr-2")
    assert desk.told(10_000) == {}


def test_whoever_is_called_an_hour_later_hears_of_the_side_that_is_right(desk: Desk) -> None:
    desk.revise(1)
    desk.told()
    desk.revise(2, laterality="right")
    assert desk.states() == {"topic": ["corrected"], "nurse": ["corrected"]}
    (called,) = desk.told(60)["doctor"]
    assert called.about.laterality == "right"  # type: ignore[union-attr]


def test_what_is_gone_before_the_second_was_called_does_not_call_him(desk: Desk) -> None:
    desk.revise(1)
    desk.told()
    desk.revise(2, seen=False)
    assert desk.states() == {"topic": ["withdrawn"], "nurse": ["withdrawn"]}
    assert desk.states(10_000) == {}


def test_after_an_answer_a_correction_and_the_end_of_its_cause_are_told_to_those_who_were_called(desk: Desk) -> None:
    desk.revise(1)
    desk.answer(desk.told()["nurse"][0])
    desk.revise(2, long_axis_mm=20.0)
    desk.revise(3, seen=False)
    assert desk.states(10_000)["nurse"] == ["acknowledged", "corrected", "vanished"]


def test_the_ladder_counts_from_when_the_revision_was_appended(desk: Desk) -> None:
    """A worker that was away for half an hour has not given anybody half an hour more."""
    desk.now += timedelta(minutes=30)
    desk.revise(1)
    assert desk.states() == {"topic": ["raised"], "nurse": ["raised"]}
    assert [desk.states(29), desk.states(2)] == [{}, {"doctor": ["raised"]}]


def test_a_clock_of_the_broker_that_is_ahead_holds_nothing_back(desk: Desk) -> None:
    desk.now -= timedelta(days=1)
    desk.revise(1)
    assert desk.states() == {"topic": ["raised"], "nurse": ["raised"]}


def test_an_answer_to_an_alert_that_nobody_knows_is_rejected(desk: Desk) -> None:
    unknown = AlertAcknowledged(alert_id=sha("x"), screening_id=SCREENING, raised_in=sha("y"), by="dr-1")
    desk.take(Topic.ALERT_ACKNOWLEDGED, unknown.encode())
    ((topic, _, sent),) = desk.world.sent
    assert (topic, RecordRejected.decode(sent).reason) == (Topic.RECORD_REJECTED, "alert_unknown")


def test_an_answer_that_comes_again_changes_nothing(desk: Desk) -> None:
    desk.revise(1)
    (raised,) = desk.told()["nurse"]
    desk.answer(raised)
    desk.answer(raised)
    assert desk.states(10_000) == {"topic": ["acknowledged"], "nurse": ["acknowledged"]}


def fault(state: str = "raised") -> FaultAlerted:
    return FaultAlerted(
        fault_id=fault_id(WORKER, "disk"),
        stage="segment",
        instance=1,
        worker=WORKER,
        fault="disk",
        state=state,
        as_of=NOON,  # type: ignore[arg-type]
    )


def test_a_fault_is_told_once_to_whom_the_site_names_and_so_is_its_end(desk: Desk) -> None:
    def told() -> list[str]:
        desk.now += timedelta(minutes=1)
        return [FaultAlerted.decode(each.body).state for each in desk.outbox.claim("ops", desk.now, timedelta(days=1))]

    desk.take(Topic.FAULT_ALERTED, fault("ended").encode())
    assert told() == []
    desk.take(Topic.FAULT_ALERTED, fault().encode(), fault().encode())
    assert told() == ["raised"]
    assert desk.states() == {}


def test_a_fault_is_told_also_after_the_broker_was_set_up_anew_and_its_offsets_begin_at_0(desk: Desk) -> None:
    desk.take(Topic.FAULT_ALERTED, *[fault("ended").encode()] * 5, fault().encode())
    desk.world.log.clear()
    desk.world.acknowledged.clear()
    desk.take(Topic.FAULT_ALERTED, fault("ended").encode())
    desk.now += timedelta(minutes=1)
    found = []
    while batch := desk.outbox.claim("ops", desk.now, timedelta(days=1)):
        for each in batch:
            desk.outbox.delivered(each.key, desk.now)
            found.append(FaultAlerted.decode(each.body).state)
    assert found == ["raised", "ended"]


def test_a_fault_ends_for_whoever_was_told(desk: Desk) -> None:
    desk.take(Topic.FAULT_ALERTED, fault().encode(), fault("ended").encode(), fault("ended").encode())
    found = []
    desk.now += timedelta(minutes=1)
    while batch := desk.outbox.claim("ops", desk.now, timedelta(days=1)):
        for each in batch:
            desk.outbox.delivered(each.key, desk.now)
            found.append(FaultAlerted.decode(each.body).state)
    assert found == ["raised", "ended"]


def handling(alert: LesionAlerted, step: HandedOver | Closed, by: str = "dr-1") -> AlertHandled:
    return AlertHandled(
        alert_id=alert.alert_id, screening_id=alert.screening_id, raised_in=alert.raised_in, step=step, by=by,
        handled_at=NOON,
    )  # fmt: skip


def test_whoever_an_alert_is_handed_to_sees_to_it_and_whoever_was_called_is_told(desk: Desk) -> None:
    desk.revise(1)
    raised = desk.told()["nurse"][0]
    desk.answer(raised)
    desk.take(Topic.ALERT_HANDLED, handling(raised, HandedOver(to="dr-2")).encode())
    told = desk.told(60)
    assert [(each.state, each.acknowledged_by) for each in told["nurse"]] == [
        ("acknowledged", "dr-1"), ("acknowledged", "dr-2"),
    ]  # fmt: skip
    assert "doctor" not in told, "nobody else is called"


def test_closing_an_alert_that_nobody_had_answered_answers_it_once(desk: Desk) -> None:
    desk.revise(1)
    raised = desk.told()["nurse"][0]
    closing = handling(raised, Closed(because="attended")).encode()
    desk.take(Topic.ALERT_HANDLED, closing, closing)
    told = desk.told(60)
    assert [(each.state, each.acknowledged_by) for each in told["nurse"]] == [("acknowledged", "dr-1")]
    assert "doctor" not in told


def test_handing_over_what_was_raised_again_since_changes_nothing(desk: Desk) -> None:
    desk.revise(1)
    raised = desk.told()["nurse"][0]
    older = raised.model_copy(update={"raised_in": sha("an earlier revision")})
    desk.take(Topic.ALERT_HANDLED, handling(older, HandedOver(to="dr-2")).encode())
    assert "acknowledged" not in desk.states()
