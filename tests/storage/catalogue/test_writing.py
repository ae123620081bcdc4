"""The rows that messages make: the same ones in any order, however often they come and however they are batched."""

import random
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sonovan.storage.catalogue.changes import Change
from sonovan.storage.catalogue.database import Database, open_database
from sonovan.storage.catalogue.tables import WRITTEN
from sonovan.storage.catalogue.writing import write
from tests.clinical.records import NOON, SCREENING, assessed, sha
from tests.storage.catalogue.dump import asked, everything
from tests.stream_apps.catalog.scene import changes, opened

ALL = changes()


def put(database: Database, batch: list[Change]) -> None:
    with database.writing() as connection:
        write(connection, batch)


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What stands there when every message came once and in its order."""
    database = open_database(f"sqlite:///{tmp_path_factory.mktemp('calm') / 'catalog.sqlite'}")
    database.prepare()
    put(database, ALL)
    found = everything(database)
    database.close()
    return found


def test_every_table_gets_a_row_of_the_scene(calm: dict[str, Any]) -> None:
    assert {table.name for table in WRITTEN if not calm[table.name]} == set()


@given(order=st.permutations(range(len(ALL))), again=st.lists(st.sampled_from(range(len(ALL)))), cuts=st.data())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_order_any_repetition_and_any_batches_end_in_the_same_rows(
    order: list[int], again: list[int], cuts: Any, calm: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> None:
    came = [ALL[each] for each in (*order, *again)]
    places = sorted(cuts.draw(st.sets(st.integers(0, len(came)), max_size=5)) | {0, len(came)})
    database = open_database(f"sqlite:///{tmp_path_factory.mktemp('mixed') / 'catalog.sqlite'}")
    database.prepare()
    for begin, end in pairwise(places):
        put(database, came[begin:end])
    assert everything(database) == calm
    database.close()


@pytest.mark.parametrize("seed", range(3))
def test_on_every_database_a_mixed_order_ends_in_the_rows_of_the_true_one(database: Database, seed: int) -> None:
    put(database, ALL)
    wanted = everything(database)
    with database.writing() as connection:
        for table in WRITTEN:
            connection.exec_driver_sql(f"DELETE FROM {table.name}")
    came = random.Random(seed).sample(ALL, len(ALL))
    for begin in range(0, len(came), 7):
        put(database, came[begin : begin + 7])
        put(database, came[: begin + 3])
    assert everything(database) == wanted


def test_an_older_revision_that_comes_later_replaces_nothing_and_stays_in_the_history(database: Database) -> None:
    new, old = assessed(revision_number=2, revision_id=sha("b")), assessed(revision_number=1, revision_id=sha("a"))
    for each in (new, old):
        put(database, changes([opened(), each]))
    (now,) = asked(database, "SELECT revision_number, revision_id FROM screenings")
    assert now == {"revision_number": 2, "revision_id": sha("b")}
    assert [row["revision_number"] for row in asked(database, "SELECT * FROM revision ORDER BY 1, 2")] == [1, 2]
    assert len(asked(database, "SELECT * FROM findings")) == 1


def test_a_transaction_that_fails_leaves_neither_rows_nor_offsets(database: Database) -> None:
    put(database, ALL[:3])
    before = everything(database)
    bad = Change(ALL[9].place, (("opening", {**dict(ALL[0].rows[0][1]), "screening_id": "x", "subject_key": None}),))
    with pytest.raises(Exception, match="catalogue"):
        put(database, [*ALL[3:9], bad])
    assert everything(database) == before
    assert asked(database, f"SELECT * FROM opening WHERE screening_id <> '{SCREENING}'") == []


def test_times_are_utc_and_the_offset_behind_the_last_message_is_noted(database: Database) -> None:
    put(database, ALL)
    (row,) = asked(database, "SELECT opened_at FROM opening")
    told = row["opened_at"]
    assert (told if isinstance(told, str) else told.isoformat())[:19] == NOON.isoformat()[:19]
    offsets = {row["topic"]: row["next_offset"] for row in asked(database, "SELECT * FROM read_offset")}
    last = {each.place.topic: each.place.offset for each in ALL}
    assert offsets == {topic: offset + 1 for topic, offset in last.items()}
