"""How often a store is asked for packs, and that whoever reads or puts always meets an object or its pack."""

from pathlib import Path

import pytest

from sonovan.storage.folder_store import FolderStore
from sonovan.storage.keys import Bucket, pack_folder, pack_key, review_mask_key
from sonovan.storage.packs.format import make_pack
from sonovan.storage.packs.packing import GRACE_S
from sonovan.storage.packs.reading import FOLDERS, LOOKED_FOR_S, Packs
from tests.clinical.records import SWEEP, VAN
from tests.storage.packs.sweeps import BYTES, FOLDER

KEY = f"{FOLDER}000001.jls"


class Asked:
    """A store, its clock, and what it was asked for."""

    def __init__(self, folder: Path) -> None:
        self.store, self.now_s, self.keys = FolderStore(folder), 100.0, list[tuple[str, int, int]]()
        self.packs = Packs(self.read, lambda: self.now_s)

    def read(self, bucket: str, key: str, start: int, length: int) -> bytes:
        self.keys.append((key, start, length))
        return self.store.read_range(bucket, key, start, length)

    def pack(self, folder: str = FOLDER, number: int = 0, **parts: bytes) -> None:
        named = {f"{name}.jls": data for name, data in parts.items()} or {"000001.jls": b"pixels"}
        self.store.put(Bucket.FRAMES, pack_key(folder, number), make_pack(named), BYTES)


@pytest.fixture
def asked(tmp_path: Path) -> Asked:
    return Asked(tmp_path)


def test_a_second_frame_of_a_folder_costs_one_range(asked: Asked) -> None:
    asked.pack(**{"000001": b"pixels", "000002": b"others"})
    assert asked.packs.get(Bucket.FRAMES, KEY) == b"pixels"
    assert [key for key, _, _ in asked.keys] == [pack_key(FOLDER, 0)] * 2
    asked.keys.clear()
    assert asked.packs.get(Bucket.FRAMES, f"{FOLDER}000002.jls") == b"others"
    ((_, _, length),) = asked.keys
    assert length == len(b"others")


def test_a_put_asks_once_in_half_a_minute_and_a_read_always(asked: Asked) -> None:
    for _ in range(3):
        assert asked.packs.taken(Bucket.FRAMES, KEY) is None
    assert len(asked.keys) == 1
    asked.pack()
    assert asked.packs.taken(Bucket.FRAMES, KEY) is None, "what lay alone is still there"
    with pytest.raises(KeyError):
        asked.packs.get(Bucket.FRAMES, f"{FOLDER}000009.jls")
    assert asked.packs.get(Bucket.FRAMES, KEY) == b"pixels"
    asked.now_s += LOOKED_FOR_S
    assert asked.packs.taken(Bucket.FRAMES, KEY) == b"pixels"
    assert GRACE_S >= 2 * LOOKED_FOR_S, "nothing that was packed is deleted while a put may count on its lying alone"


def test_what_was_erased_is_gone_for_who_knew_where_it_lay(asked: Asked) -> None:
    asked.pack()
    assert asked.packs.has(Bucket.FRAMES, KEY)
    asked.store.delete(Bucket.FRAMES, pack_key(FOLDER, 0))
    assert not asked.packs.has(Bucket.FRAMES, KEY)
    with pytest.raises(KeyError):
        asked.packs.get(Bucket.FRAMES, KEY)
    assert asked.packs.taken(Bucket.FRAMES, KEY) is None
    asked.pack(**{"000001": b"another"})
    assert asked.packs.get(Bucket.FRAMES, KEY) == b"another", "nothing is remembered of what was erased"


def test_a_later_pack_is_found_behind_the_first(asked: Asked) -> None:
    asked.pack()
    asked.pack(number=1, **{"000002": b"later"})
    assert asked.packs.get(Bucket.FRAMES, f"{FOLDER}000002.jls") == b"later"
    assert asked.packs.knows(Bucket.FRAMES, KEY)


def test_indexes_are_kept_of_so_many_folders(asked: Asked) -> None:
    folders = [f"{VAN}/{SWEEP[:-4]}{number:04d}/" for number in range(FOLDERS + 1)]
    for folder in folders:
        asked.pack(folder)
        asked.packs.get(Bucket.FRAMES, f"{folder}000001.jls")
    assert not asked.packs.knows(Bucket.FRAMES, f"{folders[0]}000001.jls")
    assert all(asked.packs.knows(Bucket.FRAMES, f"{folder}000001.jls") for folder in folders[1:])


def test_an_index_that_is_longer_than_what_is_read_at_first(asked: Asked) -> None:
    asked.pack(**{f"{number:06d}": b"p" for number in range(2000)})
    assert asked.packs.get(Bucket.FRAMES, f"{FOLDER}001999.jls") == b"p"
    assert len(asked.keys) == 3


@pytest.mark.parametrize(
    ("bucket", "key"),
    [
        (Bucket.MASKS, review_mask_key(SWEEP, 1, SWEEP)),
        (Bucket.REPORTS, KEY),
        (Bucket.QUARANTINE, KEY),
        (Bucket.FRAMES, pack_key(FOLDER, 0)),
        (Bucket.FRAMES, "tests/a"),
    ],
)
def test_what_is_never_packed_is_not_asked_for(asked: Asked, bucket: Bucket, key: str) -> None:
    assert pack_folder(bucket, key) is None
    assert asked.packs.taken(bucket, key) is None
    assert not asked.packs.has(bucket, key)
    assert asked.keys == []


def test_masks_of_a_replay_have_packs_of_their_own() -> None:
    assert pack_folder(Bucket.MASKS, f"shadow/{FOLDER}000001/a-b.png") == f"shadow/{FOLDER}"
    assert pack_folder(Bucket.MASKS, f"{FOLDER}000001/a-b.png") == FOLDER
