"""What lies alone in a sweep's folder goes into packs: stored, read back, and only then deleted by whoever asked.

A pack is put once and never changes. Whatever comes into the folder later lies beside it, and goes into the next pack.
`pack_sweep` deletes nothing: `PackedSweep.deletable` names what stands, byte for byte, in a pack that was read back
whole, and `delete_alone` deletes that once GRACE_S have passed. Ended at any moment, this leaves objects in both forms,
and the same call finds out what may be deleted.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from sonovan.contracts.errors import Fatal, InvalidRecord
from sonovan.storage.keys import pack_folder, pack_key
from sonovan.storage.packs.format import Part, make_pack, read_whole
from sonovan.storage.packs.reading import LOOKED_FOR_S
from sonovan.storage.stores import PackingStore

MAX_PACK_BYTES: Final = 32 * 1024 * 1024
"""Of the parts of a pack, as a rule 270 frames; a longer sweep gets several. A single larger object has its own."""

LEAST: Final = 2
"""Fewer objects than this stay as they are."""

GRACE_S: Final = 2 * LOOKED_FOR_S
"""For so long objects lie beside a pack that is whole, before they are deleted."""

CONTENT_TYPE: Final = "application/octet-stream"


@dataclass
class PackedSweep:
    """What was done with one folder. alone: objects that lay alone. packs: how many there are now. made: of these, how
    many are new. made_bytes: their size. deletable: keys of what stands in a pack that was read back. differing: keys
    of what lies alone with other bytes than in a pack; it is left, for somebody to look at.
    """

    alone: int = 0
    packs: int = 0
    made: int = 0
    made_bytes: int = 0
    deletable: list[str] = field(default_factory=list)
    differing: list[str] = field(default_factory=list)


def pack_sweep(store: PackingStore, bucket: str, folder: str, before_put: Callable[[], None]) -> PackedSweep:
    """Pack what lies alone in a folder.

    folder: as `keys.sweep_folder` gives it. before_put: called before each pack is put; it raises where that must not
    be.
    Raises Transient and Fatal as the store, Fatal for a pack that does not come back as it was put, InvalidRecord
    `object_contradicts_record` for an earlier pack that is damaged: nothing of this folder may be deleted then.
    """
    done, packed = PackedSweep(), _packs(store, bucket, folder)
    done.packs = packed.packs
    waiting: dict[str, bytes] = {}
    for key in list(_alone(store, bucket, folder)):
        done.alone += 1
        try:
            data = store.get_alone(bucket, key)
        except KeyError:  # erased meanwhile
            continue
        name = key.removeprefix(folder)
        if (part := packed.parts.get(name)) is not None:
            same = hashlib.sha256(data).hexdigest() == part.sha256
            (done.deletable if same else done.differing).append(key)
            continue
        if waiting and sum(map(len, waiting.values())) + len(data) > MAX_PACK_BYTES:
            _put(store, bucket, folder, waiting, before_put, done)
            waiting = {}
        waiting[name] = data
    if len(waiting) >= LEAST or (waiting and done.made):
        _put(store, bucket, folder, waiting, before_put, done)
    return done


def delete_alone(store: PackingStore, bucket: str, keys: list[str]) -> None:
    """Delete what `pack_sweep` named, GRACE_S or longer after it did. Raises Transient and Fatal as the store."""
    for key in keys:
        store.delete(bucket, key)


@dataclass(frozen=True)
class _Packs:
    packs: int
    parts: dict[str, Part]


def _packs(store: PackingStore, bucket: str, folder: str) -> _Packs:
    """All packs of a folder, each read whole and checked."""
    parts: dict[str, Part] = {}
    number = 0
    while True:
        key = pack_key(folder, number)
        try:
            pack = store.get_alone(bucket, key)
        except KeyError:
            return _Packs(number, parts)
        parts = {**read_whole(pack, f"{bucket}/{key}"), **parts}  # as readers: the first pack that has it counts
        number += 1


def _alone(store: PackingStore, bucket: str, folder: str) -> Iterator[str]:
    """What lies alone in a folder and may be packed, in the order of the keys."""
    after = ""
    while keys := store.below_after(bucket, folder, after):
        yield from (key for key in keys if pack_folder(bucket, key) == folder)
        after = keys[-1]


def _put(
    store: PackingStore,
    bucket: str,
    folder: str,
    parts: dict[str, bytes],
    before_put: Callable[[], None],
    done: PackedSweep,
) -> None:
    pack, key = make_pack(parts), pack_key(folder, done.packs)
    before_put()
    store.put(bucket, key, pack, CONTENT_TYPE)
    try:
        back = read_whole(store.get_alone(bucket, key), f"{bucket}/{key}")
    except (InvalidRecord, KeyError) as error:
        raise Fatal(
            f"{bucket}/{key} does not come back as it was stored: look at the store; nothing was deleted"
        ) from error
    if {name: part.sha256 for name, part in back.items()} != {
        name: hashlib.sha256(data).hexdigest() for name, data in parts.items()
    }:
        raise Fatal(f"{bucket}/{key} holds something else than was stored: look at the store; nothing was deleted")
    done.deletable += [folder + name for name in sorted(parts)]
    done.packs, done.made, done.made_bytes = done.packs + 1, done.made + 1, done.made_bytes + len(pack)
