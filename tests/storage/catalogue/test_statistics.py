"""Figures of the programme, and the rows behind each: the same number, of the account's own sites alone."""

from datetime import date, datetime, timedelta

import pytest

from sonovan.contracts.amendments import Voided
from sonovan.contracts.conclusions import Recommended
from sonovan.storage.catalogue.database import Database
from sonovan.storage.catalogue.statistics import FIGURES, Scope, due, due_on, figures, rows_behind
from sonovan.storage.catalogue.writing import write
from tests.clinical.records import NOON, SCREENING, SWEEP, assessed, screening_closed
from tests.contracts.conclusions import concluded, left_breast, left_lobe, outcome
from tests.stream_apps.catalog.scene import ANOTHER_SCREENING, amended, changes, opened

DAYS = (NOON - timedelta(days=1), NOON + timedelta(days=1))
EVERYWHERE = Scope(None, DAYS)


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
        assert (row[:2], row[4]) == (("2026-03-04", SCREENING), "thyroid")
        assert due(connection, frozenset({"site-9"})).rows == []
        again = "0198ffff-ffff-7abc-8def-000000000001"
        write(connection, changes([opened(screening_id=again)]))
        assert due(connection, None).rows == []


@pytest.mark.parametrize(
    ("signed", "months", "wanted"),
    [
        ("2026-01-31T09:00:00.000Z", 1, date(2026, 2, 28)),
        ("2024-01-31T09:00:00.000Z", 1, date(2024, 2, 29)),
        ("2026-10-15T09:00:00.000Z", 6, date(2027, 4, 15)),
        (datetime(2026, 12, 31), 12, date(2027, 12, 31)),
    ],
)
def test_a_month_later_is_the_same_day_or_the_months_last(signed: datetime | str, months: int, wanted: date) -> None:
    assert due_on(signed, months) == wanted
