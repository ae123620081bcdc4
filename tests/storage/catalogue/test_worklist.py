"""The worklist: rows follow from what was written, pages hold each row once, an account sees its own sites alone."""

from datetime import timedelta
from threading import Thread
from typing import Any

import pytest

from sonovan.contracts.amendments import ConsentAmended, Voided, WomanAmended
from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.words import slip_number
from sonovan.storage.catalogue.database import Database
from sonovan.storage.catalogue.queues import Policy, Queue
from sonovan.storage.catalogue.worklist import (
    Filter,
    Place,
    changed_since,
    choices,
    counts,
    heard_at,
    newest_change,
    page,
    rows_of,
    visits_s,
)
from sonovan.storage.catalogue.writing import write
from tests.clinical.records import NOON, SCREENING, SWEEP, adequacy, assessed, finding, screening_closed, sha
from tests.contracts.conclusions import SECOND, THIRD, concluded, left_breast, left_lobe
from tests.storage.catalogue.listed import NOW, put, row
from tests.stream_apps.catalog.scene import ANOTHER, amended, changes, opened

EVERYWHERE = Filter(sites=None)
SLIP, ANOTHER_SLIP = slip_number("A", 17), slip_number("B", 3)


def told(database: Database, *records: Any) -> None:
    with database.writing() as connection:
        write(connection, changes(records))


def test_a_row_says_what_its_opening_its_closing_and_its_newest_revision_say(database: Database) -> None:
    told(database, opened(slip_number=SLIP))
    with database.writing() as connection:
        (before,) = rows_of(connection, [SCREENING]).values()
    assert (before.slip_number, before.status, before.closed_at, before.waiting) == (SLIP, None, None, True)
    assert (before.breast, before.thyroid, before.opened_at) == (True, True, NOON)
    sides = (adequacy(), adequacy(laterality="right", level="not_examined"))
    told(
        database,
        screening_closed(SWEEP),
        assessed(revision_number=2, revision_id=sha("two"), findings=(finding(1, malignant=0.7),), adequacy=sides),
    )
    with database.writing() as connection:
        (row_,) = rows_of(connection, [SCREENING]).values()
    assert (row_.revision_number, row_.findings, row_.unseen, row_.rank) == (2, 1, 1, -0.7)
    assert row_.closed_at is not None


def test_who_stays_on_the_couch_and_who_has_left_is_told_by_the_newest_closing(database: Database) -> None:
    left_at = NOON + timedelta(minutes=25)
    told(database, opened(), screening_closed(SWEEP, stays=True))
    now = NOON + timedelta(minutes=30)
    with database.writing() as connection:
        (found,) = page(connection, "couch", EVERYWHERE, Policy(), now).rows
        assert (found.stays, found.left_at) == (True, None)
        assert page(connection, "incomplete", EVERYWHERE, Policy(), now).rows == ()
        assert page(connection, "couch", EVERYWHERE, Policy(), NOON + timedelta(hours=3)).rows == (), "not for ever"
    told(database, screening_closed(SWEEP, closing_number=2, left_at=left_at))
    with database.writing() as connection:
        assert page(connection, "couch", EVERYWHERE, Policy(), now).rows == ()
        (found,) = page(connection, "incomplete", EVERYWHERE, Policy(), now).rows
        assert (found.stays, found.left_at) == (False, left_at)


def test_a_visit_ends_when_she_leaves_and_with_its_closing_where_nobody_told_that(database: Database) -> None:
    minutes = timedelta(minutes=1)
    visits = [
        row(number=number, opened_at=NOW, closed_at=NOW + 20 * minutes, left_at=NOW + left * minutes)
        for number, left in enumerate((30, 31, 32))
    ]
    visits += [row(number=number, opened_at=NOW, closed_at=NOW + 34 * minutes) for number in (3, 4)]
    visits += [row(number=9, opened_at=NOW, closed_at=NOW + minutes, stays=True)]
    with database.writing() as connection:
        put(connection, visits)
        assert visits_s(connection, ["van-1"]) == {"van-1": 32 * 60.0}


@pytest.mark.parametrize(
    ("amendment", "because"),
    [(Voided(), "no_screening"), (ConsentAmended(withdrawn=("screening",)), "she_withdrew")],
    ids=["void", "screening withdrawn"],
)
def test_nobody_waits_who_is_void_or_no_longer_agrees(database: Database, amendment: Any, because: str) -> None:
    told(database, opened(), assessed(findings=(finding(1, malignant=0.7),)))
    told(database, amended(1, amendment, because))
    with database.writing() as connection:
        assert page(connection, "waiting", EVERYWHERE, Policy(), NOW).rows == ()


def test_a_slip_is_that_of_the_woman_whose_screening_it_is(database: Database) -> None:
    told(database, opened(slip_number=SLIP))
    told(database, amended(1, WomanAmended(subject_key=ANOTHER, slip_number=ANOTHER_SLIP), "wrong_woman"))
    with database.writing() as connection:
        assert rows_of(connection, [SCREENING])[SCREENING].slip_number == ANOTHER_SLIP


def test_what_is_signed_waits_no_more_and_stands_out_where_a_newer_revision_came(database: Database) -> None:
    revised = [assessed(revision_number=each, revision_id=sha(str(each))) for each in (1, 2, 3)]
    told(database, opened(), *revised[:2], concluded(revision_number=2))
    with database.writing() as connection:
        (found,) = page(connection, "signed", EVERYWHERE, Policy(), NOW).rows
        assert (found.signed_by, found.readings, found.waiting) == ("dr-1", 1, False)
        assert page(connection, "changed", EVERYWHERE, Policy(), NOW).rows == ()
    told(database, *revised)
    with database.writing() as connection:
        assert [each.screening_id for each in page(connection, "changed", EVERYWHERE, Policy(), NOW).rows] == [
            SCREENING
        ]


def test_two_readings_that_differ_wait_for_somebody_who_decides(database: Database) -> None:
    second = concluded(
        conclusion_id=SECOND, conclusion_number=2, role="second", by="dr-2",
        sides=(left_breast("4A", "mammography"), left_lobe()),
    )  # fmt: skip
    told(database, opened(), assessed(), concluded(), second)
    with database.writing() as connection:
        found = rows_of(connection, [SCREENING])[SCREENING]
        assert (found.readings, found.to_arbitrate, found.waiting) == (2, True, True)


def test_what_one_reader_has_signed_waits_for_another_where_the_programme_asks_for_one(database: Database) -> None:
    def queued(**asks: Any) -> list[str]:
        with database.writing() as connection:
            found = page(connection, "second", EVERYWHERE, Policy(**asks), NOW)
            assert counts(connection, EVERYWHERE, Policy(**asks), NOW)["second"] == len(found.rows)
        return [each.screening_id for each in found.rows]

    told(database, opened(), assessed())
    assert queued(second_reader="all") == [], "nobody has read it yet"
    told(database, concluded())
    assert queued(second_reader="all") == queued(second_reader="called_back") == [SCREENING]
    assert queued() == []
    calm = (left_breast("2", "routine_screening", blocks=()), left_lobe())
    told(database, concluded(conclusion_id=SECOND, conclusion_number=2, sides=calm))
    assert queued(second_reader="called_back") == [], "the first reader has amended: she is not called back"
    assert queued(second_reader="all") == [SCREENING]
    other = concluded(conclusion_id=THIRD, conclusion_number=3, role="second", by="dr-2")
    told(database, other)
    assert queued(second_reader="all") == queued() == [SCREENING], "two readings differ: a third reader decides"
    assert queued(second_reader="all", arbitration=False) == []


def test_two_transactions_that_write_of_one_screening_at_once_lose_nothing(database: Database) -> None:
    """The second one makes the row once the first one has committed, from what both wrote."""
    others = Thread(target=told, args=(database, assessed(findings=(finding(1, malignant=0.7),))))
    with database.writing() as connection:
        write(connection, changes([opened()]))
        if database.dialect == "postgresql":  # SQLite lets in one writer at a time
            others.start()
            others.join(0.5)
            assert others.is_alive()
    if not others.is_alive():
        others.start()
    others.join(30)
    with database.writing() as connection:
        found = rows_of(connection, [SCREENING])[SCREENING]
    assert (found.site_code, found.rank) == ("site-1", -0.7)


def test_pages_hold_each_row_once_in_the_order_of_suspicion_and_then_of_age(database: Database) -> None:
    made = [row(number=number, rank=-(number * 37 % 10) / 10) for number in range(47)]
    with database.writing() as connection:
        put(connection, made)
        seen, behind, pages = list[str](), None, 0
        while True:
            found = page(connection, "waiting", EVERYWHERE, Policy(), NOW, after=behind, limit=10)
            seen += [each.screening_id for each in found.rows]
            pages += 1
            if found.behind is None:
                break
            behind = Place.parse(str(found.behind))
    wanted = sorted(made, key=lambda each: (each["rank"], each["screening_id"]))
    assert seen == [each["screening_id"] for each in wanted]
    assert pages == 5


@pytest.mark.parametrize("told_", ["", "x~y", "nothing"])
def test_an_address_that_names_no_place_is_refused(told_: str) -> None:
    with pytest.raises(InvalidRecord, match="no place"):
        Place.parse(told_)


def test_an_account_sees_the_screenings_of_its_sites_alone_and_none_without_a_site(database: Database) -> None:
    made = [
        row(number=1, site_code="site-1"), row(number=2, site_code="site-2"), row(number=3, site_code=None),
    ]  # fmt: skip
    with database.writing() as connection:
        put(connection, made)
        hers = Filter(sites=frozenset({"site-2"}))
        for queue in ("waiting", "negatives"):
            found = page(connection, queue, hers, Policy(), NOW)
            assert [each.site_code for each in found.rows] == ["site-2"]
        mine = page(connection, "mine", hers, Policy(), NOW, mine=[each["screening_id"] for each in made])
        assert [each.site_code for each in mine.rows] == ["site-2"]
        assert counts(connection, hers, Policy(), NOW)["waiting"] == 1
        assert counts(connection, EVERYWHERE, Policy(), NOW)["waiting"] == 3
        assert choices(connection, hers.sites) == (["site-2"], ["van-1"])
        assert page(connection, "waiting", Filter(sites=frozenset()), Policy(), NOW).rows == ()


@pytest.mark.parametrize(
    ("chosen", "wanted"),
    [
        ({"van": "van-2"}, {2}),
        ({"site": "site-3"}, {3}),
        ({"organ": "thyroid"}, {4}),
        ({"status": "none"}, {5}),
        ({"opened": (NOW - timedelta(days=4), NOW - timedelta(days=2))}, {6}),
    ],
    ids=["van", "site", "organ", "status", "day"],
)
def test_a_filter_shows_what_it_names_and_says_the_same_of_a_row(
    database: Database, chosen: dict[str, Any], wanted: set[int]
) -> None:
    made = [
        row(number=1), row(number=2, van_id="van-2"), row(number=3, site_code="site-3"),
        row(number=4, breast=False, thyroid=True), row(number=5, status=None),
        row(number=6, opened_at=NOW - timedelta(days=3)),
    ]  # fmt: skip
    filter_ = Filter(sites=None, **chosen)
    with database.writing() as connection:
        put(connection, made)
        found = page(connection, "waiting", filter_, Policy(), NOW).rows
        there = rows_of(connection, [each["screening_id"] for each in made])
    ids = {made[number - 1]["screening_id"] for number in wanted}
    assert {each.screening_id for each in found} == ids
    assert {name for name, each in there.items() if filter_.takes(each)} == ids


def test_counts_are_those_of_the_pages(database: Database) -> None:
    made = [
        row(number=1, rank=-0.8),
        row(number=2, status="incomplete"),
        row(number=3),
        row(number=4, opened_at=NOW - timedelta(minutes=10), closed_at=None, status=None),
        row(number=5, opened_at=NOW - timedelta(days=4)),
        row(number=6, waiting=False, signed_at=NOW, signed_revision_number=1),
    ]
    wanted: dict[Queue, int] = {
        "couch": 1, "suspicious": 1, "incomplete": 1, "negatives": 2, "overdue": 1, "waiting": 5, "changed": 1,
        "signed": 1, "second": 0,
    }  # fmt: skip
    with database.writing() as connection:
        put(connection, made)
        assert counts(connection, EVERYWHERE, Policy(), NOW) == wanted
        for queue, count in wanted.items():
            assert len(page(connection, queue, EVERYWHERE, Policy(), NOW).rows) == count, queue


def test_what_has_changed_is_told_with_the_newest_moment(database: Database) -> None:
    told(database, opened())
    with database.writing() as connection:
        newest = newest_change(connection)
        assert newest > 0
        rows, until = changed_since(connection, newest)
        assert ([each.screening_id for each in rows], until) == ([SCREENING], newest)
        assert changed_since(connection, newest + 1) == ([], newest + 1)


def test_a_visit_takes_what_the_vans_newest_ones_took_and_too_few_say_nothing(database: Database) -> None:
    day = NOW - timedelta(hours=6)
    made = [
        row(number=number, opened_at=day + timedelta(minutes=30 * number),
            closed_at=day + timedelta(minutes=30 * number + 10 + number))
        for number in range(5)
    ]  # fmt: skip
    with database.writing() as connection:
        put(connection, [*made, row(number=9, van_id="van-2")])
        assert visits_s(connection, ["van-1", "van-2"]) == {"van-1": 12 * 60.0}
        assert heard_at(connection, ["van-1"]) == {}
