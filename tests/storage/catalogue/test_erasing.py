"""Of an erased screening nothing stays in the catalogue, in whatever order its records come, and no object stays."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from sonovan.contracts.errors import Transient
from sonovan.contracts.ids import mint_id
from sonovan.storage.catalogue.changes import Change
from sonovan.storage.catalogue.database import Database, open_database
from sonovan.storage.catalogue.erasing import delete_objects, left_of, sweep_all
from sonovan.storage.catalogue.writing import write
from sonovan.storage.folder_store import FolderStore
from sonovan.storage.keys import SHADOW, Bucket, image_key, mask_key, quarantine_key, report_key, review_mask_key
from tests.clinical.records import SCREENING, SWEEP, VAN, sha
from tests.storage.catalogue.dump import everything
from tests.stream_apps.catalog.scene import (
    ANOTHER_SCREENING,
    FIRST_REVIEW,
    Said,
    changes,
    erased,
    opened,
    reviewed,
    said,
)

OF_NOBODY = {"van_report", "fault", "read_offset", "quality_measurement"}
"""Tables whose rows are of no screening."""

ANOTHERS_SWEEP = mint_id(8_000)
DRAWN = reviewed(FIRST_REVIEW, mask_key=review_mask_key(SWEEP, 12, FIRST_REVIEW), mask_sha256=sha("drawn"))
HERS: Sequence[Said] = [*(each for each in said() if each != reviewed(FIRST_REVIEW)), DRAWN, erased(SCREENING)]
ALL = changes(HERS)


def put(database: Database, batch: list[Change]) -> None:
    with database.writing() as connection:
        write(connection, batch)


def left(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of screenings that stand there."""
    return {name: rows for name, rows in everything(database).items() if rows and name not in OF_NOBODY}


def only_that_they_are_erased(database: Database) -> bool:
    rows = left(database)
    return set(rows) == {"erased"} and {row[0] for row in rows["erased"]} == {SCREENING, ANOTHER_SCREENING}


def fill(store: FolderStore) -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
    """Objects of hers, those among them that no row names, and objects of others; (hers, others')."""
    drawn = review_mask_key(SWEEP, 12, FIRST_REVIEW)
    hers = {
        (Bucket.FRAMES, image_key(VAN, SWEEP, 0, "jls")),
        (Bucket.FRAMES, image_key(VAN, SWEEP, 77, "jls")),  # its worker died before it sent the result
        (Bucket.MASKS, mask_key(VAN, SWEEP, 1, "f" * 64, "1" * 64)),
        (Bucket.MASKS, mask_key(VAN, SWEEP, 1, "f" * 64, "2" * 64)),  # segmented twice, on another machine
        (Bucket.MASKS, mask_key(VAN, SWEEP, 1, "e" * 64, "3" * 64, SHADOW)),
        (Bucket.MASKS, drawn),
        (Bucket.REPORTS, report_key(VAN, SCREENING, sha("three"), sha("page"), "html")),
        (Bucket.REPORTS, report_key(VAN, SCREENING, sha("three"), sha("another number"), "html")),
        (Bucket.QUARANTINE, quarantine_key(sha("bytes"))),
    }
    others = {
        (Bucket.FRAMES, image_key(VAN, ANOTHERS_SWEEP, 0, "jls")),
        (Bucket.FRAMES, image_key("van-9", SWEEP, 0, "jls")),  # another van's sweep of the same name
        (Bucket.MASKS, mask_key(VAN, ANOTHERS_SWEEP, 0, "f" * 64, "1" * 64)),
        (Bucket.REPORTS, report_key(VAN, ANOTHER_SCREENING, sha("one"), sha("page"), "html")),
        (Bucket.QUARANTINE, quarantine_key(sha("other bytes"))),
    }
    for bucket, key in hers | others:
        store.put(bucket, key, b"bytes", "application/octet-stream")
    return hers, others


def there(store: FolderStore, objects: set[tuple[str, str]]) -> set[tuple[str, str]]:
    return {(bucket, key) for bucket, key in objects if store.exists(bucket, key)}


def test_rows_go_and_every_object_of_hers_with_them_named_or_not(database: Database, tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "objects")
    hers, others = fill(store)
    put(database, ALL[:-1])
    before = left(database)
    assert sweep_all(database) == 1, "another screening is erased, of which nothing stands there"
    assert left(database) == before, "nobody asked yet"
    put(database, ALL[-1:])
    assert sweep_all(database) == 1
    assert only_that_they_are_erased(database)
    assert there(store, hers) == hers
    while delete_objects(database, store):
        pass
    assert there(store, hers | others) == others
    assert left_of(database) == (0, 0)


class Away(FolderStore):
    """Does not answer once two objects were deleted."""

    answers = 2

    def delete(self, bucket: str, key: str) -> None:
        if not self.answers:
            raise Transient("the object store does not answer")
        self.answers -= 1
        super().delete(bucket, key)


def test_a_store_that_is_away_keeps_the_rest_on_the_list(database: Database, tmp_path: Path) -> None:
    hers, others = fill(store := Away(tmp_path / "objects"))
    put(database, ALL)
    sweep_all(database)
    with pytest.raises(Transient):
        delete_objects(database, store)
    assert len(there(store, hers)) == len(hers) - 2
    store.answers = 100
    while delete_objects(database, store):
        pass
    assert there(store, hers | others) == others


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
