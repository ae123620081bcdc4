"""What becomes of a report, by the alert stage with a real outbox: who is late is told once, whatever the order."""

import asyncio
import itertools
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import create_engine, text

from sonovan.contracts.alerts import LesionAlerted
from sonovan.contracts.amendments import AmendmentInForce
from sonovan.contracts.because import Because
from sonovan.contracts.comparisons import Compared, Comparison
from sonovan.contracts.erasures import ScreeningErased
from sonovan.contracts.record import Record
from sonovan.contracts.topics import TOPICS, Topic
from sonovan.storage.outbox import Outbox
from sonovan.storage.outbox_engine import sqlite_url
from sonovan.stream_apps.alert.stage import alert_stage
from sonovan.stream_apps.alert.trial import try_course
from sonovan.stream_apps.stage import Message
from tests.clinical.records import SCREENING, sha
from tests.contracts.conclusions import SECOND, concluded, left_breast, outcome
from tests.stream_apps.alert.scene import RULES, TO_WEBHOOK, revision
from tests.stream_apps.memory import Run, World

NOW: Final = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
REPORT: Final = revision(1, {})
TOPIC_OF: Final = {spec.value: topic for topic, spec in TOPICS.items()}
ROUTINE: Final = left_breast("1", "routine_screening")
NOTHING_SEEN: Final = concluded(sides=(ROUTINE,), findings=(), revision_id=REPORT.revision_id)
SUSPICIOUS: Final = concluded(sides=(left_breast("5"),), findings=(), revision_id=REPORT.revision_id)
BIOPSY: Final = outcome()


class Desk:
    """An alert worker whose clock a test moves, another one for each batch; everything is appended now."""

    def __init__(self, folder: Path) -> None:
        self.url = sqlite_url(folder / "outbox.sqlite")
        self.world, self.outbox, self.now = World(), Outbox(self.url), NOW

    def take(self, *records: Record) -> None:
        self.world.now = self.now
        self.read([self.world.append(TOPIC_OF[type(each)], each.encode(), partition=3) for each in records])

    def read(self, messages: Sequence[Message]) -> None:
        verify = self.world.registry.verify
        stage = alert_stage(self.outbox, RULES, TO_WEBHOOK, verify, now=lambda: self.now.timestamp())
        asyncio.run(Run(self.world, lambda _world, _tables: stage).take(messages))

    def told(self, after: timedelta = timedelta()) -> list[tuple[str, str]]:
        """(rule, state) of what leaves by then, and was not delivered before."""
        return [(each.rule, each.state) for each in self.alerts(after)]

    def alerts(self, after: timedelta = timedelta()) -> list[LesionAlerted]:
        """What leaves by then, and was not delivered before."""
        self.now += after
        found: list[LesionAlerted] = []
        while batch := self.outbox.claim("webhook", self.now, timedelta(days=1)):
            found += [LesionAlerted.decode(each.body) for each in batch]
            for each in batch:
                self.outbox.delivered(each.key, self.now)
        return found


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


UNSIGNED: Final = ("report_unsigned", "raised")
SIGNED: Final = ("report_unsigned", "withdrawn")
WAITS: Final = ("outcome_missing", "raised")
KNOWN: Final = ("outcome_missing", "withdrawn")
HOURS_48: Final = timedelta(hours=48)
DAYS_30: Final = timedelta(days=30)


def test_an_unsigned_report_is_told_once_when_its_time_is_over_and_withdrawn_when_it_is_signed(desk: Desk) -> None:
    desk.take(REPORT)
    desk.take(REPORT, revision(2, {}))
    assert desk.told(HOURS_48 - timedelta(minutes=1)) == []
    assert desk.told(timedelta(minutes=1)) == [UNSIGNED]
    desk.take(REPORT)
    assert desk.told(HOURS_48) == []
    desk.take(NOTHING_SEEN)
    assert desk.told() == [SIGNED]


def test_nobody_hears_of_a_report_that_was_signed_in_time(desk: Desk) -> None:
    desk.take(REPORT)
    desk.take(NOTHING_SEEN)
    assert desk.told(2 * HOURS_48) == []


def test_a_preliminary_revision_is_no_report(desk: Desk) -> None:
    desk.take(revision(1, {}, "preliminary"))
    assert desk.told(2 * HOURS_48) == []


def test_a_signed_five_without_outcome_is_told_and_withdrawn_when_the_outcome_comes(desk: Desk) -> None:
    desk.take(REPORT, SUSPICIOUS)
    assert desk.told(DAYS_30) == [WAITS]
    desk.take(BIOPSY)
    assert desk.told() == [KNOWN]
    mistake = outcome(SECOND, kind="recorded_by_mistake", result=None, amends=BIOPSY.outcome_id, because="wrong_woman")
    desk.take(mistake)
    assert desk.told(DAYS_30) == [WAITS], "it never was"


def test_growth_that_a_reader_signed_is_told_at_once_and_withdrawn_where_another_conclusion_counts(desk: Desk) -> None:
    grown = Compared(change="seen_before", finding_id=sha("finding 1"), organ="breast", laterality="left", grown=True,
                     because=(Because(code="grew_in_diameter", value=0.4, unit="1"),))  # fmt: skip
    signed = NOTHING_SEEN.model_copy(update={"comparison": Comparison(months=12, findings=(grown,))})
    desk.take(REPORT, signed, signed)
    assert desk.told() == [("large_growth", "raised")]
    again = {"conclusion_id": SECOND, "conclusion_number": 2, "amends": signed.conclusion_id, "because": "misread"}
    desk.take(NOTHING_SEEN.model_copy(update=again))
    assert desk.told() == [("large_growth", "withdrawn")]


def test_the_order_of_arrival_changes_nothing_and_a_repetition_tells_nobody_again(tmp_path: Path) -> None:
    for number, order in enumerate(itertools.permutations((REPORT, SUSPICIOUS, BIOPSY))):
        folder = tmp_path / str(number)
        folder.mkdir()
        desk = Desk(folder)
        desk.take(*order)
        assert desk.told(2 * DAYS_30) == [], "all is known before its time"
        desk.take(*order)
        assert desk.told(2 * DAYS_30) == []


def test_a_worker_that_was_away_waits_for_what_stands_on_another_topic(desk: Desk) -> None:
    """The report is days old when it is read, and so is its signature, which is read a moment later."""
    desk.world.now = NOW
    old = desk.world.append(Topic.SCREENING_ASSESSED, REPORT.encode(), partition=3)
    desk.now += 3 * HOURS_48
    desk.read([old])
    assert desk.told(timedelta(minutes=1)) == []
    desk.take(NOTHING_SEEN)
    assert desk.told(HOURS_48) == []


def test_of_a_screening_that_is_void_nobody_is_late_and_what_was_told_is_withdrawn(desk: Desk) -> None:
    desk.take(REPORT)
    assert desk.told(HOURS_48) == [UNSIGNED]
    void = AmendmentInForce(amendment_number=1, kind="void", because="no_screening")
    desk.take(revision(2, {}, amendments=(void,)))
    assert desk.told() == [SIGNED]
    desk.take(revision(3, {}))
    assert desk.told(HOURS_48) == [UNSIGNED], "it was taken back"


def test_nothing_of_a_screening_that_was_erased_is_kept_or_told(desk: Desk) -> None:
    desk.take(REPORT, SUSPICIOUS)
    with create_engine(desk.url).connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM outbox_facts")).scalar_one() == 3
    desk.take(ScreeningErased(screening_id=SCREENING, because="she_asked", by="op-7", erased_at=NOW))
    desk.take(REPORT, SUSPICIOUS)
    assert desk.told(2 * DAYS_30) == []
    with create_engine(desk.url).connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM outbox_facts")).scalar_one() == 0


def tried(*records: tuple[timedelta, Record]) -> list[tuple[str, str, timedelta | None]]:
    """What a trial says: rule, state, and when the webhook would be called."""
    appended: Sequence[tuple[datetime, Record]] = [(NOW + after, record) for after, record in records]
    told = try_course(appended, RULES, TO_WEBHOOK)  # type: ignore[arg-type]
    return [
        (each.alert.rule, each.alert.state, each.calls[-1].due - NOW if each.calls else None) for each in told
    ]  # fmt: skip


def test_a_trial_says_who_would_have_been_late() -> None:
    soon, late = timedelta(hours=1), timedelta(hours=50)
    assert tried((timedelta(), REPORT)) == [(*UNSIGNED, HOURS_48)]
    assert tried((timedelta(), REPORT), (soon, NOTHING_SEEN)) == []
    assert tried((timedelta(), REPORT), (late, SUSPICIOUS)) == [
        (*UNSIGNED, HOURS_48), (*WAITS, late + DAYS_30), (*SIGNED, None),
    ]  # fmt: skip
