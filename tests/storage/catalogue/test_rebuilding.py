"""A catalogue that is made again beside the one that answers: it takes over what topics forgot, and replaces it at
once."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from sonovan.contracts.errors import Transient
from sonovan.storage.catalogue.changes import Change
from sonovan.storage.catalogue.database import Database, open_database
from sonovan.storage.catalogue.holding import Held, Over, held, keep_for, over, put_hold
from sonovan.storage.catalogue.rebuilding import Rebuilding, census
from sonovan.storage.catalogue.tables import WRITTEN, rule_of
from sonovan.storage.catalogue.writing import write
from tests.clinical.records import NOON, SCREENING, assessed, sha
from tests.storage.catalogue.dump import asked, everything
from tests.stream_apps.catalog.scene import changes, erased, opened, said

ALL = changes()
FORGOTTEN = {str(rule_of(table).topic) for table in WRITTEN if rule_of(table).expires}


@pytest.fixture
def lived(database: Database) -> Database:
    """A catalogue in which the whole scene stands."""
    with database.writing() as connection:
        write(connection, ALL)
    return database


def test_a_catalogue_made_again_from_all_messages_is_the_one_that_was_lived(lived: Database) -> None:
    before = everything(lived)
    making = Rebuilding(lived)
    assert making.begin(fresh=False) == {}
    making.write(ALL[:20])
    assert everything(lived) == before
    making.switch(lambda: [ALL[20:]])
    assert everything(lived) == before
    assert not lived.next_is_there()


def test_what_topics_have_forgotten_and_what_people_decided_is_taken_over(lived: Database) -> None:
    put_hold(lived, "site-1", by="op-7", because="litigation")
    before = {name: rows for name, rows in everything(lived).items() if name != "read_offset"}
    making = Rebuilding(lived)
    making.begin(fresh=False)
    making.switch(lambda: [[each for each in ALL if each.place.topic not in FORGOTTEN]])
    after = everything(lived)
    assert {name: after[name] for name in before} == before
    assert [each.site for each in held(lived)] == ["site-1"]


def test_one_that_was_not_read_to_the_end_is_not_put_in_place(lived: Database) -> None:
    before = everything(lived)
    making = Rebuilding(lived)
    making.begin(fresh=False)
    last = {(each.place.topic, each.place.partition): each.place.offset + 1 for each in ALL}
    with pytest.raises(Transient, match="not read to their end"):
        making.switch(lambda: [ALL[:-1]], lambda: last)
    assert everything(lived) == before
    making.switch(lambda: [ALL], lambda: last)
    assert everything(lived) == before


def test_what_was_erased_does_not_come_back_with_the_topics(lived: Database) -> None:
    gone = changes([*said(), erased(SCREENING)])[-1]
    making = Rebuilding(lived)
    making.begin(fresh=False)
    making.write([gone, *ALL])
    making.switch(list)
    found = everything(lived)
    assert [name for name, rows in found.items() if any(SCREENING in map(str, row) for row in rows)] == ["erased"]


def test_an_interrupted_one_goes_on_where_it_was_and_a_fresh_one_begins_anew(
    lived: Database, catalogue_url: str
) -> None:
    Rebuilding(lived).begin(fresh=False)
    Rebuilding(lived).write(ALL[:5])
    lived.close()
    again = open_database(catalogue_url)
    noted = Rebuilding(again).begin(fresh=False)
    assert sum(noted.values()) == 5
    found = census(again)
    assert found.rows["opening"] == 1
    assert found.making == noted
    assert Rebuilding(again).begin(fresh=True) == {}
    again.close()


def test_a_worker_that_writes_meanwhile_waits_for_the_switch_and_then_writes_to_the_new_one(
    lived: Database, catalogue_url: str
) -> None:
    """What it writes before the switch is read by the new one; what it writes behind it stands in the new one."""
    worker = open_database(catalogue_url)
    late = changes([*said(), assessed(revision_number=8, revision_id=sha("late"))])[-1]
    wrote = threading.Event()

    def write_late() -> None:
        with worker.writing() as connection:
            write(connection, [late])
        wrote.set()

    making = Rebuilding(lived)
    making.begin(fresh=False)
    writer = threading.Thread(target=write_late)

    def rest() -> Iterator[list[Change]]:
        writer.start()
        assert not wrote.wait(0.3)  # nobody writes while what is left is read
        yield ALL

    making.switch(rest)
    writer.join(30)
    assert wrote.is_set()
    worker.close()
    (row,) = asked(lived, "SELECT revision_number FROM screenings")
    assert row == {"revision_number": 8}
    assert len(asked(lived, "SELECT * FROM opening")) == 1


def test_a_catalogue_that_was_never_made_says_so(catalogue_url: str) -> None:
    bare = open_database(catalogue_url)
    with pytest.raises(Transient, match="yet"):
        census(bare)
    bare.close()


def test_a_site_on_hold_has_nothing_to_erase_and_one_with_a_time_has_what_is_older(database: Database) -> None:
    with database.writing() as connection:
        write(connection, changes([opened()]))
    assert over(database, NOON + timedelta(days=9999)) == []
    keep_for(database, "site-1", 30)
    assert over(database, NOON + timedelta(days=29)) == []
    assert over(database, NOON + timedelta(days=30)) == [Over(SCREENING, "site-1", NOON, held=False)]
    assert over(database, NOON + timedelta(days=30), site="site-2") == []
    put_hold(database, "site-1", by="op-7", because="inquiry")
    assert over(database, NOON + timedelta(days=99)) == [Over(SCREENING, "site-1", NOON, held=True)]
    (row,) = held(database)
    assert (row.site, row.by, row.because, row.kept_days) == ("site-1", "op-7", "inquiry", 30)
    assert isinstance(row, Held)
    put_hold(database, "site-1", by="op-7", because="inquiry", release=True)
    assert len(over(database, NOON + timedelta(days=99), site="site-1")) == 1
    with database.writing() as connection:
        write(connection, changes([opened(), erased(SCREENING)]))
    assert over(database, NOON + timedelta(days=99)) == []


def test_a_vans_clock_that_is_wrong_shortens_no_time(database: Database) -> None:
    with database.writing() as connection:
        write(connection, changes([opened(opened_at=NOON - timedelta(days=20 * 365))]))
    keep_for(database, "site-1", 30)
    assert over(database, NOON + timedelta(days=29)) == []
    assert len(over(database, NOON + timedelta(days=30))) == 1


def test_only_the_file_that_answers_is_left(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'catalog.sqlite'}")
    database.prepare()
    for _ in range(3):
        Rebuilding(database).begin(fresh=False)
        Rebuilding(database).switch(lambda: [ALL])
    database.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "catalog-4.sqlite", "catalog.sqlite", "catalog.sqlite.lock",
    ]  # fmt: skip
