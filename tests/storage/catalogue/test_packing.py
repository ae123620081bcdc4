"""Which screenings are packed, and that nobody packs what is erased meanwhile."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import text

from sonovan.contracts.topics import Topic
from sonovan.storage.catalogue.database import Database
from sonovan.storage.catalogue.erasing import delete_objects, sweep_all
from sonovan.storage.catalogue.packing import (
    CLAIM_S,
    INCOMPLETE_DAYS,
    claim,
    note_packed,
    now_ms,
    packed_so_far,
    release,
    release_all,
    to_pack,
)
from sonovan.storage.catalogue.writing import write
from sonovan.storage.folder_store import FolderStore
from sonovan.storage.keys import Bucket, sweep_folder
from sonovan.storage.packs.packing import delete_alone, pack_sweep
from tests.clinical.records import (
    NOON,
    SCREENING,
    SWEEP,
    VAN,
    assessed,
    screening_closed,
    segmented,
    sequence_closed,
    sha,
)
from tests.storage.packs.sweeps import FOLDER, fill, objects_of
from tests.stream_apps.catalog.scene import Said, changes, erased, opened

DAY_MS: Final = 24 * 60 * 60 * 1000
START_MS: Final = int(NOON.timestamp() * 1000)
LATER_MS: Final = START_MS + 20 * DAY_MS
WHOLE: Final[Sequence[Said]] = (
    opened(), segmented(0), segmented(1), sequence_closed(2), screening_closed(SWEEP), assessed(status="complete"),
)  # fmt: skip


def put(database: Database, records: Sequence[Said]) -> None:
    with database.writing() as connection:
        write(connection, changes(records))


def found(database: Database, now_ms: int = LATER_MS, quiet_days: float = 15) -> list[str]:
    return [each.screening_id for each in to_pack(database, now_ms, quiet_days)]


def test_a_closed_complete_screening_is_packed_once_it_has_been_quiet(database: Database) -> None:
    put(database, WHOLE)
    assert found(database, START_MS + 14 * DAY_MS) == []
    (one,) = to_pack(database, LATER_MS, 15)
    assert one.screening_id == SCREENING
    assert one.folders == (
        (Bucket.FRAMES, FOLDER), (Bucket.MASKS, FOLDER), (Bucket.MASKS, sweep_folder(VAN, SWEEP, "shadow"))
    )  # fmt: skip
    assert to_pack(database, LATER_MS, 15, after=SCREENING) == []


@pytest.mark.parametrize(
    "records",
    [
        [each for each in WHOLE if type(each).__name__ != "ScreeningClosed"],
        [each for each in WHOLE if type(each).__name__ != "SequenceClosed"],
        [*WHOLE[:-1], assessed(status="preliminary")],
        [*WHOLE[:-1], assessed(status="incomplete")],
        [*WHOLE, erased(SCREENING)],
        [*WHOLE[2:4], WHOLE[5]],
    ],
    ids=["open", "an open sequence", "preliminary", "incomplete", "erased", "no closing"],
)
def test_what_something_may_still_work_on_is_not_packed(database: Database, records: list[Said]) -> None:
    put(database, records)
    assert found(database) == []


def test_what_stays_incomplete_is_packed_when_assess_keeps_nothing_of_it(database: Database) -> None:
    put(database, [*WHOLE[:-1], assessed(status="incomplete")])
    assert found(database, START_MS + (INCOMPLETE_DAYS - 1) * DAY_MS) == []
    assert found(database, START_MS + (INCOMPLETE_DAYS + 1) * DAY_MS) == [SCREENING]


def test_a_record_of_it_that_comes_late_or_a_replay_puts_it_off(database: Database) -> None:
    put(database, WHOLE)
    for number, late in enumerate((segmented(1, fingerprint=sha("newer")), (Topic.FRAME_REPLAYED, segmented(0)))):
        put(database, [late])
        at = START_MS + (10 + number) * DAY_MS
        table = ("frame", "frame_replayed")[number]
        with database.writing() as connection:
            connection.execute(text(f"UPDATE {table} SET at_ms = :at WHERE at_offset = 0"), {"at": at})
        assert found(database, at + 14 * DAY_MS) == []
        assert found(database, at + 16 * DAY_MS) == [SCREENING]


def test_what_is_packed_is_not_found_again_until_something_comes(database: Database) -> None:
    put(database, WHOLE)
    (one,) = to_pack(database, LATER_MS, 15)
    note_packed(database, one, before=4, packs=2, pack_bytes=1000)
    assert found(database) == []
    assert packed_so_far(database) == (1, 4, 2, 1000)
    with database.writing() as connection:
        connection.execute(text("UPDATE screening SET at_ms = at_ms + 60000"))
    (again,) = to_pack(database, LATER_MS, 15)
    note_packed(database, again, before=1, packs=3, pack_bytes=100)
    assert packed_so_far(database) == (1, 5, 3, 1100)


def test_one_run_has_a_screening_and_an_erased_one_is_nobodys(database: Database) -> None:
    put(database, WHOLE)
    assert claim(database, SCREENING, "one", LATER_MS)
    assert not claim(database, SCREENING, "other", LATER_MS)
    release(database, SCREENING, "other")
    assert not claim(database, SCREENING, "other", LATER_MS)
    assert claim(database, SCREENING, "other", LATER_MS + CLAIM_S * 1000 + 1), "the first one was ended in the middle"
    release_all(database, "other")
    put(database, [erased(SCREENING)])
    assert not claim(database, SCREENING, "one", LATER_MS)
    with database.writing() as connection:
        assert connection.execute(text("SELECT count(*) FROM packing")).scalar_one() == 0


def test_what_is_packed_at_this_moment_is_erased_a_moment_later(database: Database, tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "objects")
    objects = fill(store, objects_of(3))
    put(database, WHOLE)
    assert claim(database, SCREENING, "one", now_ms())
    put(database, [erased(SCREENING)])
    assert sweep_all(database) == 0
    assert found(database) == []
    release(database, SCREENING, "one")
    assert sweep_all(database) == 1
    while delete_objects(database, store):
        pass
    assert not any(store.exists(*each) for each in objects)


def test_packs_go_with_what_they_hold(database: Database, tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "objects")
    objects = fill(store, objects_of(3))
    put(database, WHOLE)
    (one,) = to_pack(database, LATER_MS, 15)
    for bucket, folder in one.folders:
        delete_alone(store, bucket, pack_sweep(store, bucket, folder, lambda: None).deletable)
    note_packed(database, one, before=6, packs=2, pack_bytes=1)
    put(database, [erased(SCREENING)])
    sweep_all(database)
    while delete_objects(database, store):
        pass
    assert not any(store.exists(*each) for each in objects)
    assert store.below(Bucket.FRAMES, FOLDER) == store.below(Bucket.MASKS, FOLDER) == []
    assert packed_so_far(database)[0] == 0
    note_packed(database, one, before=6, packs=2, pack_bytes=1)
    assert packed_so_far(database)[0] == 0, "nothing is noted of what was erased meanwhile"
