"""A sweep is packed whatever happens meanwhile, and whoever reads never finds an object gone."""

from pathlib import Path

import pytest

from sonovan.contracts.errors import Fatal, InvalidRecord
from sonovan.storage.folder_store import FolderStore
from sonovan.storage.keys import Bucket, pack_key
from sonovan.storage.packs import packing
from sonovan.storage.packs.packing import delete_alone, pack_sweep
from tests.clinical.records import SWEEP, VAN
from tests.storage.packs.sweeps import BYTES, FOLDER, fill, objects_of, read


class Ended(Exception):
    """The process was killed."""


class Killed(FolderStore):
    """Ends the process before its `left`th put or delete."""

    def __init__(self, folder: Path, left: int) -> None:
        super().__init__(folder)
        self.left = left

    def put(self, bucket: str, key: str, data: bytes, content_type: str) -> None:
        self._count()
        super().put(bucket, key, data, content_type)

    def delete(self, bucket: str, key: str) -> None:
        self._count()
        super().delete(bucket, key)

    def _count(self) -> None:
        if not self.left:
            raise Ended
        self.left -= 1


def allowed() -> None:
    """Nothing forbids a put."""


def pack(store: FolderStore) -> None:
    for bucket in (Bucket.FRAMES, Bucket.MASKS):
        delete_alone(store, bucket, pack_sweep(store, bucket, FOLDER, allowed).deletable)


def test_a_sweep_becomes_one_object_for_each_bucket_and_reads_as_before(tmp_path: Path) -> None:
    store, objects = FolderStore(tmp_path), fill(FolderStore(tmp_path), objects_of(40))
    pack(store)
    assert [store.below(bucket, FOLDER) for bucket in (Bucket.FRAMES, Bucket.MASKS)] == [[pack_key(FOLDER, 0)]] * 2
    for reader in (store, FolderStore(tmp_path)):
        assert read(reader, objects) == objects
        assert all(reader.exists(*each) for each in objects)
        assert not reader.exists(Bucket.FRAMES, f"{FOLDER}000099.jls")
        with pytest.raises(KeyError):
            reader.get(Bucket.FRAMES, f"{FOLDER}000099.jls")


def test_killed_before_any_put_or_delete_nothing_is_lost_and_the_next_run_goes_on(tmp_path: Path) -> None:
    objects = objects_of(4)
    for left in range(11):  # two puts and eight deletes, and one run to the end
        folder = tmp_path / str(left)
        fill(FolderStore(folder), objects)
        try:
            pack(Killed(folder, left))
        except Ended:
            assert left < 10
        else:
            assert left == 10
        reader = FolderStore(folder)
        assert read(reader, objects) == objects
        fill(FolderStore(folder), objects)  # a worker stores them again: the same objects, in whatever form
        pack(FolderStore(folder))
        assert reader.below(Bucket.FRAMES, FOLDER) == [pack_key(FOLDER, 0)]
        assert read(reader, objects) == read(FolderStore(folder), objects) == objects


def test_what_comes_later_goes_into_the_next_pack(tmp_path: Path) -> None:
    store, objects = FolderStore(tmp_path), objects_of(9)
    fill(store, objects_of(5))
    pack(store)
    fill(FolderStore(tmp_path), objects)
    assert len(store.below(Bucket.FRAMES, FOLDER)) == 1 + 4
    pack(store)
    assert store.below_after(Bucket.FRAMES, FOLDER, "") == [pack_key(FOLDER, 0), pack_key(FOLDER, 1)]
    assert read(store, objects) == read(FolderStore(tmp_path), objects) == objects


def test_a_long_sweep_gets_several_packs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "MAX_PACK_BYTES", 1000)
    store, objects = FolderStore(tmp_path), fill(FolderStore(tmp_path), objects_of(9))
    done = pack_sweep(store, Bucket.FRAMES, FOLDER, allowed)
    assert (done.made, done.packs, len(done.deletable)) == (5, 5, 9)
    pack(store)
    assert len(store.below(Bucket.FRAMES, FOLDER)) == 5
    assert read(store, objects) == objects


def test_a_key_that_lies_in_a_pack_keeps_its_first_bytes(tmp_path: Path) -> None:
    store, objects = FolderStore(tmp_path), fill(FolderStore(tmp_path), objects_of(3))
    pack(store)
    (bucket, key), data = next(iter(objects.items()))
    store.put(bucket, key, data, BYTES)
    with pytest.raises(InvalidRecord) as caught:
        FolderStore(tmp_path).put(bucket, key, b"others", BYTES)
    assert caught.value.reason == "object_contradicts_stored"
    assert store.below(bucket, FOLDER) == [pack_key(FOLDER, 0)]


def test_a_pack_that_is_damaged_is_told_and_nothing_is_deleted(tmp_path: Path) -> None:
    store, objects = FolderStore(tmp_path), fill(FolderStore(tmp_path), objects_of(3))
    assert pack_sweep(store, Bucket.FRAMES, FOLDER, allowed).deletable
    path = store.path(Bucket.FRAMES, pack_key(FOLDER, 0))
    path.write_bytes(path.read_bytes()[:-1] + b"X")
    with pytest.raises(InvalidRecord, match="replaced or damaged"):
        pack_sweep(store, Bucket.FRAMES, FOLDER, allowed)
    assert read(FolderStore(tmp_path), objects) == objects, "what lies alone counts"
    last = max(key for bucket, key in objects if bucket == Bucket.FRAMES)
    store.delete(Bucket.FRAMES, last)
    for reader in (store, FolderStore(tmp_path)):
        with pytest.raises(InvalidRecord) as caught:
            reader.get(Bucket.FRAMES, last)
        assert caught.value.reason == "object_contradicts_record"
    store.put(Bucket.FRAMES, last, objects[Bucket.FRAMES, last], BYTES)
    assert read(FolderStore(tmp_path), objects) == objects, "its van sent it again"


def test_other_bytes_beside_a_pack_are_named_and_left(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    fill(store, objects_of(3))
    pack(store)
    key = f"{FOLDER}000001.jls"
    store.path(Bucket.FRAMES, key).write_bytes(b"others")
    done = pack_sweep(store, Bucket.FRAMES, FOLDER, allowed)
    assert (done.differing, done.deletable, done.made) == ([key], [], 0)
    assert store.below_after(Bucket.FRAMES, FOLDER, "") == [key, pack_key(FOLDER, 0)]


class Forgetful(FolderStore):
    """Loses the end of what it stores."""

    def put(self, bucket: str, key: str, data: bytes, content_type: str) -> None:
        super().put(bucket, key, data[:-1] if "pack-" in key else data, content_type)


def test_a_store_that_loses_bytes_stops_the_run_before_anything_is_deleted(tmp_path: Path) -> None:
    objects = fill(FolderStore(tmp_path), objects_of(3))
    with pytest.raises(Fatal, match="nothing was deleted"):
        pack(Forgetful(tmp_path))
    assert read(FolderStore(tmp_path), objects) == objects


def test_a_put_is_not_made_where_it_is_forbidden(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    fill(store, objects_of(3))

    def forbidden() -> None:
        raise Ended

    with pytest.raises(Ended):
        pack_sweep(store, Bucket.FRAMES, FOLDER, forbidden)
    assert not store.exists(Bucket.FRAMES, pack_key(FOLDER, 0))


def test_a_single_object_stays_as_it_is(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    fill(store, objects_of(1))
    assert pack_sweep(store, Bucket.FRAMES, FOLDER, allowed).deletable == []
    assert pack_sweep(store, Bucket.FRAMES, f"{VAN}/{SWEEP[:-1]}0/", allowed).alone == 0
