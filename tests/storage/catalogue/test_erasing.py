"""Of an erased screening nothing stays in the catalogue, in whatever order its records come, and no object stays."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from sonovan.contracts.errors import Transient
from sonovan.storage.catalogue.changes import Change
from sonovan.storage.catalogue.database import Database, open_database
from sonovan.storage.catalogue.erasing import delete_objects, left_of, sweep_all
from sonovan.storage.catalogue.writing import write
from sonovan.storage.keys import Bucket
from tests.clinical.records import SCREENING
from tests.storage.catalogue.dump import everything
from tests.stream_apps.catalog.scene import ANOTHER_SCREENING, Said, changes, erased, opened, said

OF_NOBODY = {"van_report", "fault", "read_offset", "quality_measurement"}
"""Tables whose rows are of no screening."""

HERS: Sequence[Said] = [*said(), erased(SCREENING)]
ALL = changes(HERS)


def put(database: Database, batch: list[Change]) -> None:
    with database.writing() as connection:
        write(connection, batch)


def left(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of screenings that stand there."""
    return {name: rows for name, rows in everything(database).items() if rows and name not in OF_NOBODY}


def objects(database: Database) -> set[tuple[str, str]]:
    with database.writing() as connection:
        return {(row.bucket, row.object_key) for row in connection.execute(text("SELECT * FROM to_delete"))}


def only_that_they_are_erased(database: Database) -> bool:
    rows = left(database)
    return set(rows) == {"erased"} and {row[0] for row in rows["erased"]} == {SCREENING, ANOTHER_SCREENING}


def test_rows_go_and_the_objects_that_they_named_are_listed(database: Database) -> None:
    put(database, ALL[:-1])
    before = left(database)
    assert sweep_all(database) == 1, "another screening is erased, of which nothing stands there"
    assert left(database) == before, "nobody asked yet"
    put(database, ALL[-1:])
    assert sweep_all(database) == 1
    assert only_that_they_are_erased(database)
    named = objects(database)
    assert {bucket for bucket, _ in named} == set(Bucket)
    assert (Bucket.MASKS, "mask.png") in named


def test_objects_are_deleted_and_taken_off_the_list_and_a_store_that_is_away_loses_none(database: Database) -> None:
    put(database, ALL)
    sweep_all(database)
    named, deleted = objects(database), set[tuple[str, str]]()

    def away(bucket: str, key: str) -> None:
        if len(deleted) == 2:
            raise Transient("the object store does not answer")
        deleted.add((bucket, key))

    with pytest.raises(Transient):
        delete_objects(database, away)
    assert objects(database) == named
    assert delete_objects(database, lambda bucket, key: deleted.add((bucket, key))) == len(named)
    assert deleted == named
    assert (objects(database), left_of(database)) == (set(), (0, 0))


@given(order=st.permutations(range(len(ALL))), swept=st.sets(st.integers(0, len(ALL) - 1), max_size=4))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_comes_late_goes_too(
    order: list[int], swept: set[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """swept: after which messages somebody sweeps."""
    database = open_database(f"sqlite:///{tmp_path_factory.mktemp('late') / 'catalog.sqlite'}")
    database.prepare()
    for number, each in enumerate(order):
        put(database, [ALL[each]])
        if number in swept:
            sweep_all(database)
    sweep_all(database)
    assert only_that_they_are_erased(database)
    database.close()


def test_a_site_on_hold_keeps_what_it_has_until_the_hold_ends(database: Database) -> None:
    since = datetime(2026, 3, 1, tzinfo=UTC)
    with database.writing() as connection:
        connection.execute(
            text("INSERT INTO hold VALUES ('site-9', :since, 'op-1', 'litigation')"),
            {"since": since.isoformat() if database.dialect == "sqlite" else since},
        )
    put(database, changes([opened(site_code="site-9"), *HERS[2:]]))
    before = left(database)
    assert sweep_all(database) == 1, "the other one, which no site holds"
    assert left(database) == before
    with database.writing() as connection:
        connection.execute(text("DELETE FROM hold"))
    assert sweep_all(database) == 1
    assert only_that_they_are_erased(database)
