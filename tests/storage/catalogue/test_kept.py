"""Whose screenings they are, what there is of each, and when nothing is left: what `sonovan erase` asks."""

from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import text

from sonovan.contracts.amendments import WomanAmended
from sonovan.contracts.ids import mint_id
from sonovan.storage.catalogue.database import Database
from sonovan.storage.catalogue.erasing import delete_objects, sweep_all
from sonovan.storage.catalogue.kept import hers, is_gone, kept_of, vans_of
from sonovan.storage.catalogue.writing import write
from sonovan.storage.folder_store import FolderStore
from tests.clinical.records import SCREENING
from tests.stream_apps.catalog.scene import HER, Said, amended, changes, erased, opened, said

SECOND, THIRD = mint_id(5_000), mint_id(6_000)


def put(database: Database, *records: Said) -> None:
    with database.writing() as connection:
        write(connection, changes(records))


def test_all_of_a_womans_screenings_are_found_as_amendments_put_them_right(database: Database) -> None:
    put(
        database,
        opened(), opened(screening_id=SECOND), opened(screening_id=THIRD, subject_key="d" * 64),
    )  # fmt: skip
    assert hers(database, SCREENING) == sorted([SCREENING, SECOND])
    assert hers(database, THIRD) == [THIRD]
    put(database, amended(1, WomanAmended(subject_key="d" * 64), "two_slips"))
    assert hers(database, SCREENING) == sorted([SCREENING, THIRD])
    assert hers(database, SECOND) == [SECOND]
    nobodys = mint_id(7_000)
    assert hers(database, nobodys) == [nobodys]
    assert HER not in str(hers(database, SECOND))


def test_what_there_is_of_a_screening_is_counted_until_nothing_is_left(database: Database, tmp_path: Path) -> None:
    put(database, *said())
    (kept,) = kept_of(database, [SCREENING])
    assert (kept.held, kept.erased) == (False, False)
    assert {"opening": 1, "revision": 3}.items() <= kept.rows.items()
    assert not is_gone(database, [SCREENING])
    put(database, erased(SCREENING))
    assert not is_gone(database, [SCREENING])
    sweep_all(database)
    assert not is_gone(database, [SCREENING]), "its objects are still there"
    while delete_objects(database, FolderStore(tmp_path)):
        pass
    assert is_gone(database, [SCREENING])
    (kept,) = kept_of(database, [SCREENING])
    assert (kept.erased, dict(kept.rows)) == (True, {})
    assert not is_gone(database, [SECOND]), "nobody erased it"


def test_the_van_that_scanned_her_is_known_so_that_it_is_told_of_an_erasure(database: Database) -> None:
    put(database, *said())
    assert vans_of(database, [SCREENING, SECOND]) == {SCREENING: "van-1"}


def test_a_site_on_hold_is_told(database: Database) -> None:
    put(database, opened())
    since = datetime(2026, 3, 1, tzinfo=UTC)
    with database.writing() as connection:
        connection.execute(
            text("INSERT INTO hold VALUES ('site-1', :since, 'op-1', 'litigation')"),
            {"since": since.isoformat() if database.dialect == "sqlite" else since},
        )
    assert [each.held for each in kept_of(database, [SCREENING, SECOND])] == [True, False]
