"""What a scanner sent is kept before it is answered, once, and nothing is dropped without a word."""

import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sonovan.contracts.errors import InvalidRecord
from sonovan.producers.spool import Spool, SpoolFull
from tests.producers.spool.dying import DyingDisk, in_a_child
from tests.producers.spool.test_full_disk import FullDisk
from tests.producers.visits import vault_at

UID, OTHER = "1.2.840.113619.2.55.1", "1.2.840.113619.2.55.2"


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    with Spool(tmp_path, vault_at(tmp_path)) as opened:
        yield opened


def test_an_object_comes_back_as_it_came_and_once(spool: Spool) -> None:
    first = spool.inbox.put(b"an object", UID, about={"calling": "SCANNER"})
    assert first == (1, True)
    assert spool.inbox.put(b"an object", UID) == (1, False)
    assert spool.inbox.load(1) == b"an object"
    (found,) = spool.inbox.list()
    assert (found.box, found.about, found.size) == ("arrived", {"calling": "SCANNER"}, 9)
    assert len(list((spool.folder / "items").iterdir())) == 1


def test_other_bytes_under_one_uid_are_refused_and_the_first_stay(spool: Spool) -> None:
    spool.inbox.put(b"an object", UID)
    with pytest.raises(InvalidRecord) as caught:
        spool.inbox.put(b"another one", UID)
    assert caught.value.reason == "item_contradicts_spool"
    assert UID not in caught.value.message
    assert spool.inbox.load(1) == b"an object"


def test_what_waits_for_somebody_has_its_box_and_its_reason(spool: Spool) -> None:
    spool.inbox.put(b"one", UID, box="quarantine", reason="not_ultrasound")
    spool.inbox.put(b"other", OTHER)
    spool.inbox.move(2, "tray", "slip_unknown")
    assert [(each.box, each.reason) for each in spool.inbox.list()] == [
        ("quarantine", "not_ultrasound"),
        ("tray", "slip_unknown"),
    ]
    assert spool.inbox.counts() == {"arrived": 0, "tray": 1, "quarantine": 1, "done": 0}
    assert [each.number for each in spool.inbox.list("tray")] == [2]


def test_what_is_done_is_deleted_and_not_received_again(spool: Spool) -> None:
    spool.inbox.put(b"an object", UID, about={"calling": "SCANNER"})
    spool.inbox.move(1, "done")
    assert (spool.inbox.load(1), spool.inbox.list()) == (None, [])
    assert list((spool.folder / "items").iterdir()) == []
    assert spool.inbox.put(b"an object", UID) == (1, False)
    with pytest.raises(InvalidRecord):
        spool.inbox.move(1, "tray")


def test_a_purge_leaves_the_inbox_alone(spool: Spool) -> None:
    spool.inbox.put(b"an object", UID)
    spool.purge()
    assert spool.inbox.load(1) == b"an object"


def test_neither_object_nor_uid_nor_caller_is_readable_on_the_disk(spool: Spool) -> None:
    spool.inbox.put(b"an object with a name in it", UID, about={"calling": "SCANNER"})
    on_disk = b"".join(path.read_bytes() for path in spool.folder.rglob("*") if path.is_file())
    for secret in (b"a name in it", UID.encode(), b"SCANNER"):
        assert secret not in on_disk


def test_a_full_disk_receives_nothing(tmp_path: Path) -> None:
    with Spool(tmp_path, vault_at(tmp_path), disk=FullDisk(100)) as spool:
        with pytest.raises(SpoolFull):
            spool.inbox.put(b"x" * 200, UID)
        assert spool.inbox.list() == []
        assert list((tmp_path / "items").iterdir()) == []


@pytest.mark.parametrize("forgetful", [False, True], ids=["killed", "plug pulled"])
def test_killed_between_any_two_effects_what_was_answered_is_there(forgetful: bool) -> None:
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(dir=memory if os.access(memory, os.W_OK) else None))

    def receive(spool: Spool, tell: Callable[[str], None]) -> None:
        for uid in (UID, OTHER):
            number, _ = spool.inbox.put(uid.encode() * 100, uid)
            tell(str(number))
        if spool.inbox.load(1) is not None:
            spool.inbox.move(1, "done")

    with Spool(folder / "calm", vault_at(folder), disk=(calm := DyingDisk(None))) as spool:
        receive(spool, lambda _line: None)
    assert calm.effects > 10
    for die_at in range(calm.effects):
        place = folder / str(die_at)

        def die(tell: Callable[[str], None], place: Path = place, die_at: int = die_at) -> None:
            with Spool(place, vault_at(folder), disk=DyingDisk(die_at, forgetful=forgetful)) as spool:
                receive(spool, tell)

        told, status = in_a_child(die)
        assert os.WTERMSIG(status) == signal.SIGKILL
        with Spool(place, vault_at(folder)) as spool:
            numbers = {str(each.number) for box in ("arrived", "done") for each in spool.inbox.list(box)}
            assert set(told) <= numbers
            receive(spool, told.append)
            assert spool.inbox.counts() == {"arrived": 1, "tray": 0, "quarantine": 0, "done": 1}
            assert spool.inbox.load(2) == OTHER.encode() * 100
            assert len(list((place / "items").iterdir())) == 1
    shutil.rmtree(folder)
