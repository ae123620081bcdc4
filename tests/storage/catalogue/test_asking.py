"""Whoever asks changes nothing, sees no table and nothing of who she is, and is bounded in time and rows."""

from collections.abc import Iterator

import pytest
from sqlalchemy import make_url

from sonovan.contracts.errors import InvalidRecord, Transient
from sonovan.storage.catalogue.addresses import fetch
from sonovan.storage.catalogue.asking import Limits, ask, make_reader, reader_of
from sonovan.storage.catalogue.database import Database
from sonovan.storage.catalogue.rebuilding import Rebuilding
from sonovan.storage.catalogue.writing import write
from sonovan.storage.keys import Bucket
from tests.clinical.records import SWEEP, segmented, sha
from tests.stream_apps.catalog.scene import NoMasks, amended, changes, opened, said

ALL = changes()
PASSWORD = "only-of-a-test"


@pytest.fixture
def url(database: Database, catalogue_url: str) -> Iterator[str]:
    """How a reader reaches a catalogue with the whole scene."""
    with database.writing() as connection:
        write(connection, ALL)
    if make_url(catalogue_url).get_backend_name() == "postgresql":
        make_reader(catalogue_url, PASSWORD)
        yield reader_of(catalogue_url, PASSWORD)
    else:
        yield catalogue_url


def test_a_view_is_asked_and_answers_with_names_and_rows(url: str) -> None:
    answer = ask(url, "SELECT organ, count(*) AS lesions FROM findings GROUP BY organ ORDER BY organ", Limits())
    assert answer.columns == ("organ", "lesions")
    assert [tuple(row) for row in answer.rows] == [("breast", 1), ("thyroid", 1)]
    assert not answer.cut
    assert len(ask(url, "SELECT * FROM findings WHERE organ LIKE '%east'", Limits()).rows) == 1
    named = "WITH mine AS (SELECT organ FROM findings) SELECT count(*) AS findings FROM mine"
    assert [tuple(row) for row in ask(url, named, Limits()).rows] == [(2,)]


FORBIDDEN = (
    "DELETE FROM screening",
    "UPDATE opening SET site_code = 'site-9'",
    "DROP VIEW findings",
    "CREATE TABLE mine (x INTEGER)",
    "INSERT INTO hold VALUES ('site-1', '2026-01-01', 'op-1', 'x')",
    "SELECT subject_key FROM opening",
    "SELECT * FROM women",
    "SELECT * FROM clinical",
    "SELECT image_key FROM frame",
    "SELECT * FROM read_offset",
    "WITH x AS (SELECT subject_key FROM opening) SELECT * FROM x",
    "WITH findings AS (SELECT subject_key FROM opening) SELECT * FROM findings",
    'WITH "FindingS"(s) AS MATERIALIZED (SELECT subject_key FROM opening) SELECT s FROM findings, findings AS f2',
    "WITH a AS (SELECT 1), /* b */ [findings] -- c\n AS NOT MATERIALIZED (SELECT slip_number FROM women) SELECT 1",
    "WITH RECURSIVE 'frames'(s) AS (SELECT subject_key FROM opening UNION SELECT s FROM frames) SELECT * FROM frames",
    "SELECT * FROM (SELECT subject_key FROM opening) AS findings",
    "SELECT (SELECT subject_key FROM opening LIMIT 1)",
    "SELECT * FROM screenings WHERE EXISTS (SELECT 1 FROM opening WHERE subject_key LIKE 'a%')",
    "SELECT sql FROM sqlite_master",
    "SELECT * FROM pragma_table_info('opening')",
    "SELECT * FROM to_delete",
    "SELECT * FROM hold",
    "SELECT * FROM alembic_version",
    "SELECT * FROM nothing",
    "SELECT 1; DROP VIEW findings",
    "ATTACH DATABASE '/tmp/x' AS other",
    "PRAGMA query_only=OFF",
    "this is no SQL",
)


def test_what_writes_or_is_not_for_readers_is_refused(url: str, database: Database) -> None:
    for statement in FORBIDDEN:
        with pytest.raises(InvalidRecord, match=r"refuse|only reads|one statement"):
            ask(url, statement, Limits())
        assert len(ask(url, "SELECT * FROM findings", Limits()).rows) == 2, statement


def test_more_rows_than_are_asked_for_are_cut_and_said(url: str) -> None:
    answer = ask(url, "SELECT frame_index FROM frames", Limits(rows=3))
    assert (len(answer.rows), answer.cut) == (3, True)


def test_a_statement_that_takes_too_long_is_ended(url: str) -> None:
    endless = (
        "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 900000000) SELECT count(*) FROM n"
    )
    with pytest.raises(InvalidRecord, match=r"longer than 0\.3 s"):
        ask(url, endless, Limits(seconds=0.3))


def test_the_reader_reads_the_new_catalogue_after_it_was_made_again(url: str, database: Database) -> None:
    Rebuilding(database).begin(fresh=False)
    Rebuilding(database).switch(lambda: [ALL[:1]])
    assert len(ask(url, "SELECT * FROM screenings", Limits()).rows) == 1
    assert ask(url, "SELECT * FROM findings", Limits()).rows == []


def test_a_catalogue_that_is_not_there_is_waited_for(tmp_path: object) -> None:
    with pytest.raises(Transient, match="not there yet"):
        ask(f"sqlite:///{tmp_path}/catalog.sqlite", "SELECT 1", Limits())


class Kept(NoMasks):
    """A store with one image."""

    def get(self, bucket: str, key: str) -> bytes:
        if (bucket, key) == (Bucket.FRAMES, f"{SWEEP}/000000.png"):
            return f"image {SWEEP}0".encode()
        raise KeyError(key)


def test_an_address_is_followed_where_she_agrees_and_its_bytes_are_checked(url: str, database: Database) -> None:
    address = f"sonovan://frames/{SWEEP}/000000"
    assert fetch(database, Kept(), address) == f"image {SWEEP}0".encode()
    for unknown in (f"sonovan://frames/{SWEEP}/000099", f"sonovan://masks/{SWEEP}/000000/{'0' * 16}", "s3://x", ""):
        with pytest.raises(InvalidRecord, match=r"names nothing|no address"):
            fetch(database, Kept(), unknown)
    with pytest.raises(InvalidRecord, match="not kept any more"):
        fetch(database, Kept(), f"sonovan://masks/{SWEEP}/000001/{sha('network with companions')[:16]}")
    withdrawn = amended(9, {"kind": "consent", "withdrawn": ("ai",)}, "she_withdrew")
    with database.writing() as connection:
        write(connection, changes([*said(), withdrawn]))
    with pytest.raises(InvalidRecord, match="does not agree"):
        fetch(database, Kept(), address)


def test_another_vans_frame_of_the_same_name_is_never_followed(database: Database) -> None:
    forged = segmented(0, van_id="van-2", image_sha256=sha("forged"))
    with database.writing() as connection:
        write(connection, changes([opened(), forged, segmented(0)]))
    assert fetch(database, Kept(), f"sonovan://frames/{SWEEP}/000000")
