"""Figures of the programme, and the rows behind each: the same number, of the account's own sites alone."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from sonovan.contracts.amendments import ConsentAmended, Voided, WomanAmended
from sonovan.contracts.conclusions import Recommended
from sonovan.contracts.record import Record
from sonovan.contracts.van import PlannedRegion
from sonovan.contracts.words import slip_number
from sonovan.storage.catalogue.database import Database
from sonovan.storage.catalogue.inviting import Invited, invited, record_invited
from sonovan.storage.catalogue.rebuilding import Rebuilding
from sonovan.storage.catalogue.statistics import (
    FIGURES,
    Participation,
    Scope,
    due,
    due_as_usual,
    due_on,
    figures,
    participation,
    rows_behind,
)
from sonovan.storage.catalogue.writing import write
from tests.clinical.records import (
    NOON,
    SCREENING,
    SWEEP,
    SWEEP_2,
    adequacy,
    assessed,
    screening_closed,
    sequence_closed,
    sha,
)
from tests.contracts.conclusions import concluded, left_breast, left_lobe, outcome
from tests.stream_apps.catalog.scene import ANOTHER_SCREENING, amended, changes, opened

DAYS = (NOON - timedelta(days=1), NOON + timedelta(days=1))
EVERYWHERE = Scope(None, DAYS)
SLIP = slip_number("A", 17)
AGAIN = "0198ffff-ffff-7abc-8def-000000000001"
AGAIN_2 = "0198ffff-ffff-7abc-8def-000000000002"
BREAST = (PlannedRegion(organ="breast", side="left"),)
THYROID = (PlannedRegion(organ="thyroid", side="left"),)
BOTH = (*BREAST, *THYROID)


def visit(screening_id: str, planned: tuple[PlannedRegion, ...], frames: int = 5) -> list[Record]:
    """She came, and a revision tells of so many frames of the organ that was planned."""
    level = "adequate" if frames else "not_examined"
    rows = tuple(
        adequacy(organ=each.organ, laterality=each.side, frames=frames, level=level,
                 assessable_share=1.0 if frames else 0.0)
        for each in planned
    )  # fmt: skip
    seen = assessed(screening_id=screening_id, adequacy=rows, findings=(), frames=frames)
    return [opened(screening_id=screening_id, planned=planned), seen]


@pytest.fixture
def told(database: Database) -> Database:
    """A woman who was recalled, biopsied and has cancer; another one of whom nothing but the opening is here."""
    records = [
        opened(), screening_closed(SWEEP), assessed(), concluded(), outcome(),
        opened(screening_id=ANOTHER_SCREENING, site_code="site-2", van_id="van-2"),
    ]  # fmt: skip
    with database.writing() as connection:
        write(connection, changes(records))
    return database


def test_a_figure_counts_the_rows_that_stand_behind_it(told: Database) -> None:
    with told.writing() as connection:
        whole, one, other = figures(connection, EVERYWHERE)
        assert (whole.van_id, one.van_id, other.van_id) == (None, "van-1", "van-2")
        assert dict(one.counts) == {
            "opened": 1, "scanned": 1, "signed": 1, "recalled": 1, "attended": 1, "biopsied": 1, "cancers": 1,
            "cancers_recalled": 1, "interval_cancers": 0,
        }  # fmt: skip
        assert (one.ppv1, one.ppv3, one.recall_rate, one.cancers_per_1000) == (1.0, 1.0, 1.0, 1000.0)
        assert (other.ppv1, other.ppv3, other.recall_rate, other.cancers_per_1000) == (None,) * 4
        for figure in FIGURES:
            assert len(rows_behind(connection, figure, EVERYWHERE).rows) == whole.counts[figure], figure


def test_an_account_of_one_site_counts_its_own_women(told: Database) -> None:
    scope = Scope(frozenset({"site-2"}), DAYS)
    with told.writing() as connection:
        assert [each.van_id for each in figures(connection, scope)] == [None, "van-2"]
        assert rows_behind(connection, "signed", scope).rows == []
        assert [row[0] for row in rows_behind(connection, "opened", scope).rows] == [ANOTHER_SCREENING]


def test_nothing_counts_outside_its_days_or_where_it_is_void(told: Database) -> None:
    with told.writing() as connection:
        later = Scope(None, (NOON + timedelta(days=1), NOON + timedelta(days=2)))
        assert [dict(each.counts)["opened"] for each in figures(connection, later)] == [0]
        write(connection, changes([amended(1, Voided(), "no_screening")]))
        assert [row[0] for row in rows_behind(connection, "opened", EVERYWHERE).rows] == [ANOTHER_SCREENING]


def test_who_was_asked_to_come_again_is_due_until_she_came(database: Database) -> None:
    lobe = left_lobe(recommended=Recommended(action="follow_up", months=12))
    with database.writing() as connection:
        write(connection, changes([opened(), assessed(), concluded(sides=(left_breast(), lobe))]))
        (row,) = due(connection, None).rows
        assert (row[0], row[2], row[5]) == ("2026-03-04", SCREENING, "thyroid")
        assert due(connection, frozenset({"site-9"})).rows == []
        write(connection, changes(visit(AGAIN, BREAST)))
        assert len(due(connection, None).rows) == 1, "that visit was for the other organ"
        write(connection, changes(visit(AGAIN_2, THYROID)))
        assert due(connection, None).rows == []


def test_an_organ_that_was_planned_and_of_which_nothing_was_scanned_leaves_her_due(database: Database) -> None:
    lobe = left_lobe(recommended=Recommended(action="follow_up", months=12))
    signed = concluded(sides=(left_breast(recommended=ROUTINE), lobe))
    both, day = BOTH, NOON.date().replace(year=NOON.year + 1)

    def waiting() -> tuple[int, int]:
        return len(due(connection, None).rows), len(due_as_usual(connection, None, YEARLY, day).rows)

    with database.writing() as connection:
        write(connection, changes([opened(), assessed(), signed, opened(screening_id=AGAIN, planned=both)]))
        assert waiting() == (1, 1), "nothing of it is here yet"
        write(connection, changes(visit(AGAIN, both, frames=0)[1:]))
        assert waiting() == (1, 1)
        write(connection, changes([sequence_closed(0, screening_id=AGAIN, organ="breast")]))
        assert waiting() == (1, 1), "its sweep has no frame"
        sweep = {"screening_id": AGAIN, "sequence_id": AGAIN_2}
        stranger = sequence_closed(7, **sweep, van_id="van-9", organ="breast")
        write(connection, changes([stranger]))
        assert waiting() == (1, 1), "another van says so"
        write(connection, changes([sequence_closed(7, **sweep, organ="breast")]))
        assert waiting() == (1, 0), "her van counts frames, of which no machine may say anything"


ROUTINE = Recommended(action="routine_screening")
YEARLY = {"breast": 12, "thyroid": 24}


def test_who_was_signed_as_routine_is_due_as_usual_for_that_organ_until_she_came(database: Database) -> None:
    signed = concluded(sides=(left_breast(recommended=ROUTINE), left_lobe(recommended=ROUTINE)))
    day = NOON.date()
    with database.writing() as connection:
        write(connection, changes([opened(slip_number=SLIP), assessed(), signed]))
        in_a_year, in_two = day.replace(year=day.year + 1), day.replace(year=day.year + 2)
        assert due_as_usual(connection, None, YEARLY, in_a_year - timedelta(days=1)).rows == []
        found = due_as_usual(connection, None, YEARLY, in_a_year)
        ((due_day, slip, screening, *_),) = found.rows
        assert (due_day, slip, screening) == (in_a_year.isoformat(), SLIP, SCREENING)
        assert not {"subject_key", "age_years"} & set(found.columns), "a slip, and nothing of who she is"
        assert [row[5] for row in due_as_usual(connection, None, YEARLY, in_two).rows] == ["breast", "thyroid"]
        assert due_as_usual(connection, frozenset({"site-9"}), YEARLY, in_two).rows == []
        assert due_as_usual(connection, None, {}, in_two).rows == [], "the programme says nothing of how often"
        write(connection, changes(visit(AGAIN, THYROID)))
        assert [row[5] for row in due_as_usual(connection, None, YEARLY, in_two).rows] == ["breast"]
        write(connection, changes(visit(AGAIN_2, BREAST)))
        assert due_as_usual(connection, None, YEARLY, in_two).rows == []


def of_again(amendment: Any, because: str) -> Record:
    return amended(1, amendment, because).model_copy(update={"screening_id": AGAIN})


@pytest.mark.parametrize(
    "later",
    [
        [*visit(AGAIN, BOTH), of_again(Voided(), "no_screening")],
        [*visit(AGAIN, BOTH), of_again(ConsentAmended(withdrawn=("screening",)), "she_withdrew")],
        [*visit(AGAIN, BOTH), of_again(WomanAmended(subject_key="b" * 64), "wrong_woman")],
        visit("0192aaaa-2345-7abc-8def-0123456789ab", BOTH),
    ],
    ids=["void", "without her consent", "another woman's", "earlier than what was signed"],
)
def test_a_screening_that_does_not_count_as_her_coming_leaves_her_due(database: Database, later: list[Record]) -> None:
    signed = concluded(sides=(left_breast(recommended=ROUTINE), left_lobe()))
    with database.writing() as connection:
        write(connection, changes([opened(), assessed(), signed, *later]))
        assert [row[5] for row in due(connection, None).rows] == ["thyroid"]
        in_a_year = NOON.date().replace(year=NOON.year + 1)
        assert [row[5] for row in due_as_usual(connection, None, YEARLY, in_a_year).rows] == ["breast"]


def test_an_organ_of_which_one_side_asks_for_more_is_not_due_as_usual(database: Database) -> None:
    sides = (left_breast(recommended=ROUTINE), left_breast(laterality="right"), left_lobe(recommended=ROUTINE))
    with database.writing() as connection:
        write(connection, changes([opened(), assessed(), concluded(sides=sides)]))
        rows = due_as_usual(connection, None, YEARLY, NOON.date() + timedelta(days=4000)).rows
        assert [row[5] for row in rows] == ["thyroid"]


def test_participation_is_of_women_in_months_of_which_it_is_known_how_many_were_invited(told: Database) -> None:
    month, by_hand = f"{NOON:%Y-%m}", {"by": "op-1", "now": NOON}
    more = [
        opened(screening_id=f"0198ffff-ffff-7abc-8def-00000000000{number}", subject_key="a" * 64) for number in (1, 2)
    ]
    more += [screening_closed(SWEEP, screening_id=each.screening_id) for each in more]  # type: ignore[list-item]
    with told.writing() as connection:
        write(connection, changes(more))
    record_invited(told, [Invited("site-1", month, "breast", 4), Invited("site-2", month, "breast", 7)], **by_hand)
    record_invited(told, [Invited("site-1", "2024-01", "breast", 90)], **by_hand)
    first = last = NOON.date()
    with told.writing() as connection:
        found = participation(connection, None, first, last)
        assert found == [
            Participation("site-1", "breast", 4, 1, 1), Participation("site-2", "breast", 7, 0, 0),
        ], "one woman who came three times, and an opening that was never closed"  # fmt: skip
        assert [each.share for each in found] == [0.25, 0.0]
        assert participation(connection, frozenset({"site-9"}), first, last) == []


def test_an_organ_that_was_planned_alone_is_no_participation(told: Database) -> None:
    record_invited(told, [Invited("site-1", f"{NOON:%Y-%m}", "thyroid", 1)], by="op-1", now=NOON)
    lobe = adequacy(organ="thyroid", level="not_examined", frames=0, assessable_share=0.0)

    def of_the_thyroid() -> list[Participation]:
        with told.writing() as connection:
            found = participation(connection, None, NOON.date(), NOON.date())
        return [each for each in found if each.organ == "thyroid"]

    with told.writing() as connection:
        write(connection, changes([assessed(revision_number=9, revision_id=sha("nine"), adequacy=(adequacy(), lobe))]))
    assert of_the_thyroid() == [Participation("site-1", "thyroid", 1, 0, 0)]
    with told.writing() as connection:
        write(connection, changes([sequence_closed(7, sequence_id=SWEEP_2, organ="thyroid")]))
    assert of_the_thyroid() == [Participation("site-1", "thyroid", 1, 1, 1)]


def test_counts_of_invitations_are_replaced_taken_back_and_stay_when_the_catalogue_is_made_again(
    database: Database,
) -> None:
    breast, lobe = Invited("site-1", "2025-03", "breast", 400), Invited("site-1", "2025-03", "thyroid", 90)
    record_invited(database, [breast, lobe], by="op-1", now=NOON)
    record_invited(database, [replace(breast, women=410), replace(lobe, women=None)], by="op-2", now=NOON)
    assert invited(database) == [replace(breast, women=410)]
    making = Rebuilding(database)
    making.begin(fresh=True)
    making.switch(lambda: ())
    assert invited(database) == [replace(breast, women=410)]


@pytest.mark.parametrize(
    ("signed", "months", "wanted"),
    [
        ("2026-01-31T09:00:00.000Z", 1, date(2026, 2, 28)),
        ("2024-01-31T09:00:00.000Z", 1, date(2024, 2, 29)),
        ("2026-10-15T09:00:00.000Z", 6, date(2027, 4, 15)),
        (datetime(2026, 12, 31), 12, date(2027, 12, 31)),
        ("2026-03-31", -1, date(2026, 2, 28)),
    ],
)
def test_a_month_later_is_the_same_day_or_the_months_last(signed: datetime | str, months: int, wanted: date) -> None:
    assert due_on(signed, months) == wanted
