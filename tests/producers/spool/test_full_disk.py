"""A full disk: the item is refused in plain words, nothing is acknowledged, and what was there stays."""

import errno
import os
import resource
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sonovan.contracts.errors import Transient
from sonovan.contracts.ids import mint_id
from sonovan.producers.spool import STORED, Disk, Spool, SpoolFull
from tests.producers.spool.dying import in_a_child
from tests.producers.spool.test_kills import NAME, SWEEP, check_kept, spool_in
from tests.producers.spool.test_screenings import shot, source
from tests.producers.spool.test_spool import begun, fill, frame, receipt, store_all
from tests.producers.visits import SIGNER, VISIT, vault_at

SMALL, FLOOR, FILLED = 8 * 2**20, 4 * 2**20, 3 * 2**20


def scan_until_full(spool: Spool) -> tuple[list[str], SpoolFull]:
    """Add frames until there is no room; those that were acknowledged."""
    screening = spool.open_screening(VISIT, SIGNER, [source()], screening_id=NAME)
    sequence, added = screening.begin(source(), SWEEP), list[str]()
    try:
        for index in range(10_000):
            sequence.add(shot(index, seed=index % 9))
            added.append(f"{SWEEP}/{index:06d}")
    except SpoolFull as error:
        return added, error
    raise AssertionError("the disk was never full")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path | None]:
    """A disk of which one MiB is left for items, where this account may mount one; else None."""
    tried = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SMALL}", "tmpfs", str(tmp_path)], capture_output=True)
    if tried.returncode == 0:
        (tmp_path / "other").write_bytes(bytes(FILLED))
    yield tmp_path if tried.returncode == 0 else None
    if tried.returncode == 0:
        subprocess.run(["umount", "--lazy", str(tmp_path)], check=True)


class FullDisk(Disk):
    """A disk with room for so many bytes of bodies, for accounts that may mount none."""

    def __init__(self, room: int) -> None:
        self._room = room

    def write(self, path: Path, data: bytes) -> None:
        if len(data) > self._room:
            super().write(path, data[: self._room])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._room -= len(data)
        super().write(path, data)


def test_a_full_disk_refuses_the_frame_and_keeps_all_that_was_there(small_disk: Path | None, tmp_path: Path) -> None:
    where = small_disk or tmp_path
    disk = None if small_disk else FullDisk(2**18)
    with Spool(where, vault_at(where), least_free_bytes=FLOOR, disk=disk) as spool:
        added, error = scan_until_full(spool)
        assert len(added) > 5, "there was room for some"
        assert str(where) in str(error)
        assert "sonovan van spool purge" in str(error)
        check_kept(spool, added)
        with pytest.raises(SpoolFull):
            spool.resume_screening(NAME, SIGNER).close()
    with spool_in(where) as spool:
        check_kept(spool, added)


def test_receipts_are_noted_on_a_full_disk_and_make_room(small_disk: Path | None, tmp_path: Path) -> None:
    where = small_disk or tmp_path
    disk = None if small_disk else FullDisk(2**18)
    with Spool(where, vault_at(where), least_free_bytes=FLOOR, disk=disk) as spool:
        added, _ = scan_until_full(spool)
        assert store_all(spool) == len(added) + 1
        assert spool.status().counts[STORED] == len(added) + 1
    with Spool(where, vault_at(where), least_free_bytes=FLOOR) as spool:
        screening = spool.resume_screening(NAME, SIGNER)
        screening.begin(source(), SWEEP).add(shot(len(added)))
        screening.close()


def test_a_body_that_is_cut_short_by_the_disk_leaves_no_file(tmp_path: Path) -> None:
    with Spool(tmp_path, vault_at(tmp_path), disk=FullDisk(1000)) as spool:
        screening, sequence = begun(spool), mint_id()
        fill(spool, [frame(screening, sequence, 0)])
        with pytest.raises(SpoolFull):
            fill(spool, [frame(screening, sequence, 1)])
        assert len(list((tmp_path / "items").iterdir())) == 1
        assert spool.status().waiting == 1


def test_a_quota_in_the_middle_of_the_database_loses_nothing(tmp_path: Path) -> None:
    """RLIMIT_FSIZE ends the log of SQLite, not a body: the frame is refused as well."""

    def scan(tell: Callable[[str], None]) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (700_000, 700_000))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        with spool_in(tmp_path) as spool:
            sequence = spool.open_screening(VISIT, SIGNER, [source()], screening_id=NAME).begin(source(), SWEEP)
            try:
                for index in range(10_000):
                    sequence.add(shot(index, seed=index % 9))
                    tell(f"{SWEEP}/{index:06d}")
            except Transient as error:
                tell(f"transient {error}")

    told, status = in_a_child(scan)
    assert status == 0
    *added, last = told
    assert added
    assert last.startswith("transient")
    assert str(tmp_path) in last
    with spool_in(tmp_path) as spool:
        check_kept(spool, added)
        spool.resume_screening(NAME, SIGNER).close()
        waiting = [message for item_id in spool.pending(10_000, 0) if (message := spool.load(item_id)) is not None]
        assert all(receipt(message).item_id == message.item_id for message in waiting)
