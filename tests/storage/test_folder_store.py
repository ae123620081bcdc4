import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sonovan.contracts.errors import InvalidRecord, Transient
from sonovan.storage.folder_store import FolderStore
from sonovan.storage.keys import Bucket

BYTES = "application/octet-stream"


def test_what_is_put_can_be_read_and_leaves_nothing_else_behind(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    store.put(Bucket.FRAMES, "a/b.jpegls", b"pixels", BYTES)
    assert store.get(Bucket.FRAMES, "a/b.jpegls") == b"pixels"
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["b.jpegls"]


@given(first=st.binary(max_size=64), second=st.binary(max_size=64))
def test_a_key_keeps_its_first_bytes(tmp_path_factory: pytest.TempPathFactory, first: bytes, second: bytes) -> None:
    store = FolderStore(tmp_path_factory.mktemp("store"))
    store.put(Bucket.MASKS, "key", first, BYTES)
    if first == second:
        store.put(Bucket.MASKS, "key", second, BYTES)
    else:
        with pytest.raises(InvalidRecord) as caught:
            store.put(Bucket.MASKS, "key", second, BYTES)
        assert caught.value.reason == "object_contradicts_stored"
    assert store.get(Bucket.MASKS, "key") == first


def test_of_racing_writers_one_wins_and_every_other_is_refused(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    start = threading.Barrier(8)
    refused: list[int] = []

    def write(number: int) -> None:
        start.wait()
        try:
            store.put(Bucket.FRAMES, "raced", bytes([number]) * 100_000, BYTES)
        except InvalidRecord:
            refused.append(number)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kept = store.get(Bucket.FRAMES, "raced")
    assert len(refused) == 7
    assert kept == bytes([({*range(8)} - {*refused}).pop()]) * 100_000


def test_absent_is_a_key_error(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    assert not store.exists(Bucket.REPORTS, "nothing")
    with pytest.raises(KeyError):
        store.get(Bucket.REPORTS, "nothing")


@pytest.mark.parametrize("key", ["../outside", "a//b", "", "/etc/passwd", "a/../../b", "."])
def test_a_key_cannot_leave_its_bucket(tmp_path: Path, key: str) -> None:
    with pytest.raises(ValueError):
        FolderStore(tmp_path / "store").put(Bucket.FRAMES, key, b"", BYTES)


def test_a_full_disk_is_transient_and_leaves_no_half_object(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    store = FolderStore(tmp_path)
    with pytest.raises(Transient):
        store.put(Bucket.FRAMES, "key", b"pixels", BYTES)
    assert not store.exists(Bucket.FRAMES, "key")
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_what_a_killed_put_leaves_is_no_object_and_goes_with_an_erasure(tmp_path: Path) -> None:
    code = """if True:
        import os, signal, sys
        from pathlib import Path
        from sonovan.storage.folder_store import FolderStore
        from sonovan.storage.keys import Bucket
        os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)
        FolderStore(Path(sys.argv[1])).put(Bucket.FRAMES, "a/b.jpegls", b"pixels", "")
    """
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False).returncode == -signal.SIGKILL
    store = FolderStore(tmp_path)
    assert store.below_after(Bucket.FRAMES, "a", "") == []
    assert not store.exists(Bucket.FRAMES, "a/b.jpegls")
    (left,) = store.below(Bucket.FRAMES, "a")
    store.delete(Bucket.FRAMES, left)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_without_links_an_object_is_still_written_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    store = FolderStore(tmp_path)
    store.put(Bucket.FRAMES, "key", b"pixels", BYTES)
    store.put(Bucket.FRAMES, "key", b"pixels", BYTES)
    with pytest.raises(InvalidRecord):
        store.put(Bucket.FRAMES, "key", b"others", BYTES)
