"""A run packs what it may, waits before it deletes, and the next one goes on where it was ended."""

import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import text

from sonovan.contracts.errors import Transient
from sonovan.packing import Packing, only_run
from sonovan.storage.catalogue.database import Database, open_database
from sonovan.storage.catalogue.packing import packed_so_far
from sonovan.storage.catalogue.writing import write
from sonovan.storage.folder_store import FolderStore
from sonovan.storage.keys import Bucket, pack_key
from tests.clinical.records import SCREENING, SWEEP, assessed, screening_closed, segmented, sequence_closed
from tests.storage.packs.sweeps import FOLDER, fill, objects_of, read
from tests.storage.packs.test_packing import Ended, Killed
from tests.stream_apps.catalog.scene import changes, erased, opened


class Desk:
    """A catalogue with one finished screening, its objects, and a clock that goes on while a run sleeps."""

    def __init__(self, folder: Path, frames: int = 3) -> None:
        self.folder, self.now_s, self.told = folder, 0.0, list[str]()
        self.database: Database = open_database(f"sqlite:///{folder / 'catalog.sqlite'}")
        self.database.prepare()
        self.objects = fill(FolderStore(folder / "objects"), objects_of(frames))
        said = [opened(), *map(segmented, range(frames)), sequence_closed(frames), screening_closed(SWEEP)]
        with self.database.writing() as connection:
            write(connection, changes([*said, assessed(status="complete")]))

    def packing(self, left: int = 1000) -> Packing:
        store = Killed(self.folder / "objects", left)
        return Packing(self.database, store, "me", self.told.append, lambda: self.now_s, self.sleep)

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds

    def reader(self) -> FolderStore:
        return FolderStore(self.folder / "objects")

    def claims(self) -> int:
        with self.database.writing() as connection:
            return int(connection.execute(text("SELECT count(*) FROM packing")).scalar_one())


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.database.close()


def test_what_lay_alone_is_deleted_a_minute_after_its_pack_was_read_back(desk: Desk) -> None:
    run = desk.packing()
    beside: list[int] = []
    run.sleep = lambda seconds: (beside.append(len(desk.reader().below(Bucket.FRAMES, FOLDER))), desk.sleep(seconds))[1]
    done = run.run()
    assert beside == [4], "three frames and their pack"
    assert desk.now_s >= 60
    assert (done.screenings, done.objects, done.packs, done.left) == (1, 6, 2, [])
    assert desk.reader().below(Bucket.FRAMES, FOLDER) == [pack_key(FOLDER, 0)]
    assert read(desk.reader(), desk.objects) == desk.objects
    assert packed_so_far(desk.database)[:3] == (1, 6, 2)
    assert desk.packing().run().screenings == 0
    assert SCREENING in desk.told[0]


def test_ended_before_any_step_the_next_run_goes_on(desk: Desk) -> None:
    ended = 0
    while True:
        try:
            desk.packing(left=1).run()  # one step more in each run
        except Ended:
            ended += 1
            assert read(desk.reader(), desk.objects) == desk.objects
        else:
            break
    assert ended == 7, "two packs and six deletes, of which the last ends a run"
    assert packed_so_far(desk.database)[0] == 1
    assert read(desk.reader(), desk.objects) == desk.objects
    assert desk.claims() == 0
    assert desk.reader().below(Bucket.MASKS, FOLDER) == [pack_key(FOLDER, 0)]


def test_a_process_that_is_killed_at_any_moment_loses_nothing(tmp_path: Path) -> None:
    desk, chance = Desk(tmp_path, frames=60), random.Random(0)
    argv = [sys.executable, "-m", "tests.sonovan.packing_child", str(tmp_path)]
    kills = 0
    while packed_so_far(desk.database)[0] == 0:
        child = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        assert child.stdout.readline() == "begins\n"
        with suppress(subprocess.TimeoutExpired):
            child.wait(chance.uniform(0, 0.06) if kills < 8 else 60)
        kills += child.poll() is None
        child.kill()
        child.wait()
        assert read(desk.reader(), desk.objects) == desk.objects
    assert kills >= 3, "the machine is too quick for this test: have it pack more"
    assert desk.claims() == 0
    for bucket in (Bucket.FRAMES, Bucket.MASKS):
        assert desk.reader().below_after(bucket, FOLDER, "") == [pack_key(FOLDER, 0)]
    desk.database.close()


def test_a_claim_of_a_run_that_was_killed_is_taken_up(desk: Desk) -> None:
    with desk.database.writing() as connection:
        connection.execute(text("INSERT INTO packing VALUES (:id, 'other', 9000000000000)"), {"id": SCREENING})
    assert desk.packing().run().screenings == 0, "another machine has it"
    with desk.database.writing() as connection:
        connection.execute(text("UPDATE packing SET holder = 'me'"))
    assert desk.packing().run().screenings == 1


def test_a_run_that_takes_too_long_puts_nothing_under_a_claim_that_counts_no_more(desk: Desk) -> None:
    run = desk.packing()
    times = iter([0.0, 10_000.0])
    run.clock = lambda: next(times, 20_000.0)
    with pytest.raises(Transient, match="longer to pack than a claim counts"):
        run.run()
    assert not desk.reader().exists(Bucket.FRAMES, pack_key(FOLDER, 0))
    assert desk.claims() == 0


def test_a_damaged_pack_is_told_and_its_screening_is_left(desk: Desk) -> None:
    with pytest.raises(Ended):
        desk.packing(2).run()
    path = desk.reader().path(Bucket.MASKS, pack_key(FOLDER, 0))
    path.write_bytes(b"damaged")
    done = desk.packing().run()
    assert (done.screenings, len(done.left)) == (0, 1)
    assert "pack-000000" in done.left[0]
    assert read(desk.reader(), desk.objects) == desk.objects


def test_an_erased_screening_is_not_packed(desk: Desk) -> None:
    with desk.database.writing() as connection:
        write(connection, changes([erased(SCREENING)]))
    assert desk.packing().run().screenings == 0


def test_one_run_at_a_time_and_always_the_same_holder(tmp_path: Path) -> None:
    with only_run(tmp_path) as first, pytest.raises(Transient, match="another run packs"), only_run(tmp_path):
        pass
    with only_run(tmp_path) as second:
        assert second == first
