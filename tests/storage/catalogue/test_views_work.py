"""How vans screen, by the catalogue: regions seen, seconds of scanning, sweeps and rescans, by side and by van."""

import re
from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import Connection, event

from sonovan.contracts.amendments import Voided
from sonovan.contracts.record import Record
from sonovan.reports.quality import FLAGS_QUERY, MEASURED_QUERY, OPERATOR_QUERY, WORK_QUERY
from sonovan.storage.catalogue.asking import Limits, ask
from sonovan.storage.catalogue.database import Database
from sonovan.storage.catalogue.statistics import Work, how_screened
from sonovan.storage.catalogue.writing import write
from tests.clinical.records import SWEEP, SWEEP_2, adequacy, assessed, segmented, sequence_closed
from tests.storage.catalogue.dump import asked
from tests.stream_apps.catalog.scene import amended, changes, opened

SIDES = (
    adequacy(level="adequate"),
    adequacy(level="limited", region="axilla"),
    adequacy(laterality="right", level="not_examined", frames=0),
)


def sweep(sequence_id: str, frames: int, *, refused: int = 0, **other: Any) -> list[Record]:
    """Frames 40 ms apart, the first so many of them not assessable."""
    return [segmented(index, sequence_id=sequence_id, assessable=index >= refused, **other) for index in range(frames)]


@pytest.fixture
def told(database: Database) -> Database:
    """Two sweeps of one view and position of the left side, and a right side that nobody scanned."""
    records = [
        opened(),
        *sweep(SWEEP, 26, view="transverse", refused=4),
        *sweep(SWEEP_2, 51, view="transverse"),
        assessed(adequacy=SIDES, status="complete"),
    ]
    with database.writing() as connection:
        write(connection, changes(records))
    return database


def test_a_side_has_its_regions_its_seconds_and_what_was_scanned_again(told: Database) -> None:
    left, right = asked(told, "SELECT * FROM scanned_sides ORDER BY laterality")
    assert (left["regions"], left["regions_seen"], left["regions_seen_well"]) == (2, 2, 1)
    assert float(left["seconds"]) == pytest.approx(1.0 + 2.0)
    assert (left["sweeps"], left["rescans"], left["frames"], left["frames_refused"]) == (2, 1, 77, 4)
    assert (right["regions_seen"], right["sweeps"], right["seconds"]) == (0, 0, None)


def test_a_van_has_the_shares_over_its_sides(told: Database) -> None:
    (row,) = asked(told, "SELECT * FROM van_work")
    assert (row["van_id"], row["organ"], row["screenings"], row["sides"]) == ("van-1", "breast", 1, 2)
    assert float(row["coverage"]) == pytest.approx(2 / 3)
    assert float(row["adequacy"]) == pytest.approx(1 / 3)
    assert float(row["seconds_per_side"]) == pytest.approx(3.0)
    assert float(row["rescans_per_side"]) == pytest.approx(0.5)
    assert float(row["refused_share"]) == pytest.approx(4 / 77)


def closed_by(database: Database, *closings: tuple[str, int, str | None]) -> None:
    """Sweeps are closed: sequence, closing number, who scanned."""
    records = [
        sequence_closed(26, sequence_id=sequence_id, closing_number=number, operator=operator)
        for sequence_id, number, operator in closings
    ]
    with database.writing() as connection:
        write(connection, changes(records))


def test_what_one_person_scanned_and_left_out_counts_for_that_person(told: Database) -> None:
    assert asked(told, "SELECT * FROM operator_work") == [], "nobody said who scanned"
    closed_by(told, (SWEEP, 1, "op-7"), (SWEEP_2, 1, "op-7"))
    (van,), (row,) = asked(told, "SELECT * FROM van_work"), asked(told, "SELECT * FROM operator_work")
    assert (row["site_code"], row["operator"]) == ("site-1", "op-7")
    same = set(van) - {"van_id"}
    assert {name: row[name] for name in same} == {name: van[name] for name in same}, "the side not scanned, too"


def test_the_newest_closing_of_a_sweep_says_who_scanned_it(told: Database) -> None:
    closed_by(told, (SWEEP, 2, "op-8"), (SWEEP, 1, "op-7"), (SWEEP_2, 1, "op-8"))
    assert [row["operator"] for row in asked(told, "SELECT * FROM operator_work")] == ["op-8"]


@pytest.mark.parametrize("other", ["op-8", None])
def test_a_side_that_several_scanned_or_of_which_a_sweep_names_nobody_counts_for_nobody(
    told: Database, other: str | None
) -> None:
    closed_by(told, (SWEEP, 1, "op-7"), (SWEEP_2, 1, other))
    assert asked(told, "SELECT * FROM operator_work") == []
    assert {row["operator"] for row in asked(told, "SELECT * FROM scanned_sides")} == {None}
    assert {row["operator"] for row in asked(told, "SELECT * FROM sweeps")} == {"op-7", other}


def test_a_void_screening_counts_nothing(told: Database) -> None:
    with told.writing() as connection:
        write(connection, changes([amended(1, Voided(), "no_screening")]))
    assert asked(told, "SELECT * FROM van_work") == []


@pytest.mark.parametrize("query", [WORK_QUERY, OPERATOR_QUERY, MEASURED_QUERY, FLAGS_QUERY])
def test_the_queries_that_the_page_of_quality_names_can_be_asked_by_readers(
    told: Database, catalogue_url: str, query: str
) -> None:
    assert ask(catalogue_url, query, Limits()).columns


def reads_of_frames(connection: Connection, query: str, given: Mapping[str, Any]) -> int:
    """How many times the database would open the table of frames for a query."""
    if connection.dialect.name == "postgresql":
        plan = "\n".join(connection.exec_driver_sql(f"EXPLAIN {query}", given).scalars())
        return len(re.findall(r" on frame ", plan))
    (root,) = connection.exec_driver_sql("SELECT rootpage FROM sqlite_master WHERE name = 'frame'").scalars()
    steps = connection.exec_driver_sql(f"EXPLAIN {query}", given).mappings()
    return sum(1 for step in steps if step["opcode"] == "OpenRead" and step["p2"] == root)


def test_how_vans_and_operators_screen_reads_the_frames_once(told: Database) -> None:
    closed_by(told, (SWEEP, 1, "op-7"), (SWEEP_2, 1, "op-7"))
    with told.writing() as connection:
        queries: list[tuple[str, Any]] = []

        def note(_: object, __: object, statement: str, given: Any, *___: object) -> None:
            queries.append((statement, given))

        event.listen(connection, "before_cursor_execute", note)
        work = how_screened(connection, ["van-1"], frozenset({"site-1"}))
        event.remove(connection, "before_cursor_execute", note)
        assert [reads_of_frames(connection, *each) for each in queries] == [1]
        assert how_screened(connection, [], frozenset({"site-9"})) == Work([], [])
    (van,), (operator,) = work.vans, work.operators
    assert {**van, **asked(told, "SELECT * FROM van_work")[0]} == van
    assert {**operator, **asked(told, "SELECT * FROM operator_work")[0]} == operator
