"""What is kept for her next visit on a van that dies between any two effects, or whose disk is short."""

import os
import shutil
import signal
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from sonovan.contracts.ids import mint_id
from sonovan.producers.spool import Disk, Spool, SpoolFull
from tests.producers.gateway.vans import running
from tests.producers.spool.dying import DyingDisk, in_a_child
from tests.producers.spool.earlier import HER, TODAY, bodies, kept, place, spool_in, told, visited
from tests.producers.spool.test_screenings import shot, source
from tests.producers.spool.test_spool import messages, store_all
from tests.producers.visits import SIGNER, VISIT

SWEEP = mint_id()


class ShortDisk(Disk):
    """A disk on which so many bytes are free, beside what the spool's bodies take."""

    def __init__(self, room: int) -> None:
        self.room = room

    def free_bytes(self, folder: Path) -> int:
        return self.room - sum(each.stat().st_size for each in folder.iterdir())


def test_on_a_short_disk_a_new_frame_takes_the_room_of_those_that_only_wait(tmp_path: Path) -> None:
    disk = ShortDisk(2**30)
    with spool_in(tmp_path, disk=disk) as spool:
        visited(spool)
        store_all(spool)
        assert bodies(spool) == 4
        disk.room = 2**20 + sum(each.stat().st_size for each in (spool.folder / "items").iterdir())
        visited(spool, frames=1)
        assert bodies(spool) == len(messages(spool)) > 0, "what waits to be sent alone is here"
        disk.room = 0
        with pytest.raises(SpoolFull):
            visited(spool)


class LogSize(Disk):
    """A disk that notes how large SQLite's log became."""

    def __init__(self, log: Path) -> None:
        self.log, self.largest = log, 0

    def commit(self, connection: sqlite3.Connection) -> None:
        super().commit(connection)
        self.largest = max(self.largest, self.log.stat().st_size)


def test_where_the_limit_is_lowered_a_little_goes_at_a_time(tmp_path: Path) -> None:
    pictures = 20
    with spool_in(tmp_path, earlier_bytes=2**30) as spool:
        for _ in range(pictures):
            spool._db.write(
                "INSERT INTO earlier (screening_id, revision, kept_at, size, about, picture)"
                " VALUES ('a', 1, 0, 2097152, x'00', zeroblob(2097152))"
            )
    disk = LogSize(tmp_path / "spool" / "spool.sqlite-wal")
    with spool_in(tmp_path, earlier_bytes=2**20, earlier_s=1e12, disk=disk) as spool:
        spool.earlier.expire()
        assert spool._db.read("SELECT count(*), sum(size), count(picture) FROM earlier") == [(pictures, 0, 0)]
        assert 2**20 < disk.largest < 16 * 2**20
    with spool_in(tmp_path, earlier_bytes=0) as spool:
        spool.earlier.expire()
        assert spool._db.read("SELECT 1 FROM earlier") == []


class FullDisk(Disk):
    def commit(self, connection: sqlite3.Connection) -> None:
        raise sqlite3.OperationalError("database or disk is full")


def test_a_disk_on_which_nothing_can_be_deleted_keeps_no_gateway_from_listening(tmp_path: Path) -> None:
    with running(tmp_path, disk=FullDisk()) as van:
        (line,) = [each for each in van.told if "earlier examinations" in each]
    assert "database or disk is full" in line


def test_on_a_full_disk_the_place_is_kept_without_its_picture(tmp_path: Path) -> None:
    disk = ShortDisk(2**30)
    with spool_in(tmp_path, disk=disk) as spool:
        screening = visited(spool)
        store_all(spool)
        disk.room = 0
        told(spool, screening, place(spool, screening))
        assert [each.has_picture for each in kept(spool)] == [False]


def live(spool: Spool, screening: str, tell: Callable[[str], None]) -> None:
    """She is scanned, the centre has all of it and tells where something is; after a kill from the start."""
    hers = spool.begun_screening(replace(VISIT, subject_key=HER), SIGNER, screening)
    sweep = hers.begin(source(), SWEEP, "/sweep")
    for index in range(2):
        sweep.add(shot(index), origin=f"sweep-{index}")
    sweep.end()
    hers.close()
    store_all(spool)
    tell("stored")
    told(spool, screening, place(spool, screening, index=1))
    tell("told")


def test_a_van_that_dies_between_any_two_effects_keeps_it_whole_or_not_at_all(tmp_path: Path) -> None:
    memory = Path("/dev/shm")
    where = (memory if os.access(memory, os.W_OK) else tmp_path) / f"earlier-{mint_id()}"
    try:
        with spool_in(where / "calm", disk=(calm := DyingDisk(None))) as spool:
            live(spool, TODAY, lambda _line: None)
        assert calm.effects > 30
        for die_at in range(calm.effects):
            place_of_this, screening = where / str(die_at), mint_id()

            def die(
                tell: Callable[[str], None], here: Path = place_of_this, name: str = screening, at: int = die_at
            ) -> None:
                with spool_in(here, disk=DyingDisk(at)) as spool:
                    live(spool, name, tell)

            said, status = in_a_child(die)
            assert os.WTERMSIG(status) == signal.SIGKILL, f"effect {die_at} was not reached"
            with spool_in(place_of_this) as spool:
                check(spool, said)
                live(spool, screening, said.append)
                check(spool, said)
                assert len(kept(spool)) == 1, f"killed at effect {die_at}"
            shutil.rmtree(place_of_this)
    finally:
        shutil.rmtree(where, ignore_errors=True)


def check(spool: Spool, said: list[str]) -> None:
    """What was told is there and opens, and every file on the disk has a row that names it."""
    with sqlite3.connect(spool.folder / "spool.sqlite") as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    found = kept(spool)
    assert len(found) == 1 or "told" not in said
    for each in found:
        assert each.has_picture == (spool.earlier.picture(HER, TODAY, each.number) is not None)
    assert {each.name for each in (spool.folder / "items").iterdir()} == set(spool._queue.files())
