"""Objects that lie in packs, found as if each lay alone.

A store asks here for what it does not have under its own key. Indexes of packs are kept for the folders that were asked
for last: a pack never changes, so what its index says holds until the pack is erased.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from sonovan.contracts.errors import InvalidRecord
from sonovan.storage.keys import pack_folder, pack_key
from sonovan.storage.packs.format import Index, Part, index_bytes, read_index

HEAD_BYTES: Final = 64 * 1024
"""Read at first of a pack: front and index of four hundred parts."""

FOLDERS: Final = 64
"""Of so many folders the indexes are kept in memory: 100 kB each for a sweep of 300 frames."""

LOOKED_FOR_S: Final = 30.0
"""For so long a folder in which no pack was counts as one without, where somebody puts an object. Objects that were
packed stay for twice as long (`packing.GRACE_S`), so that a put always meets either the object or its pack."""

ReadRange = Callable[[str, str, int, int], bytes]
"""(bucket, key, start, length) → so many bytes, fewer where the object ends before. Raises KeyError where it is not."""


@dataclass
class _Folder:
    """The packs of one folder, as far as they are known. looked_s: when no further one was there."""

    packs: list[Index] = field(default_factory=list)
    looked_s: float = float("-inf")


class Packs:
    """The packs of one store. Safe to use from several threads."""

    def __init__(self, read: ReadRange, clock: Callable[[], float] = time.monotonic) -> None:
        """Nothing is read yet. clock: seconds that only go on."""
        self._read, self._clock = read, clock
        self._folders: OrderedDict[tuple[str, str], _Folder] = OrderedDict()
        self._lock = threading.Lock()

    def knows(self, bucket: str, key: str) -> bool:
        """Whether an index in memory has this object: then it is quicker to read it from its pack at once."""
        folder = pack_folder(bucket, key)
        with self._lock:
            known = None if folder is None else self._folders.get((bucket, folder))
            return known is not None and any(key[len(folder or "") :] in index for index in known.packs)

    def get(self, bucket: str, key: str) -> bytes:
        """An object's bytes, held against the sha256 in the index.

        Raises KeyError where no pack has it, InvalidRecord `object_contradicts_record` where pack or part are damaged,
        and as the store.
        """
        found = self._find(bucket, key, look_again_after_s=0)
        if found is None:
            raise KeyError(f"{bucket}/{key}")
        pack, part = found
        try:
            data = self._read(bucket, pack, part.start, part.length) if part.length else b""
        except KeyError:  # erased since its index was read
            self._forget(bucket, key)
            raise KeyError(f"{bucket}/{key}") from None
        return part.checked(data, f"{bucket}/{key}")

    def has(self, bucket: str, key: str) -> bool:
        """Whether a pack has this object, and is still there. Raises as `get`, but for KeyError."""
        found = self._find(bucket, key, look_again_after_s=0)
        if found is None:
            return False
        try:
            self._read(bucket, found[0], 0, 1)
        except KeyError:
            self._forget(bucket, key)
            return False
        return True

    def taken(self, bucket: str, key: str) -> bytes | None:
        """What a pack has under a key that somebody is about to put; None where nothing is, or what is there is
        damaged.

        Folders that were found without a pack are not asked for LOOKED_FOR_S. Raises as the store.
        """
        try:
            if self._find(bucket, key, look_again_after_s=LOOKED_FOR_S) is None:
                return None
            return self.get(bucket, key)
        except (KeyError, InvalidRecord):  # the object is stored beside the damaged pack, and found there first
            return None

    def _find(self, bucket: str, key: str, look_again_after_s: float) -> tuple[str, Part] | None:
        folder = pack_folder(bucket, key)
        if folder is None:
            return None
        known, name = self._known(bucket, folder), key[len(folder) :]
        number = 0
        while True:
            with self._lock:
                index = known.packs[number] if number < len(known.packs) else None
                fresh = self._clock() - known.looked_s < look_again_after_s
            if index is None and not fresh:
                index = self._next(bucket, folder, number, known)
            if index is None:
                return None
            if name in index:
                return pack_key(folder, number), index[name]
            number += 1

    def _known(self, bucket: str, folder: str) -> _Folder:
        with self._lock:
            known = self._folders.setdefault((bucket, folder), _Folder())
            self._folders.move_to_end((bucket, folder))
            while len(self._folders) > FOLDERS:
                self._folders.popitem(last=False)
            return known

    def _next(self, bucket: str, folder: str, number: int, known: _Folder) -> Index | None:
        """Read the index of pack `number`, the next one that is not known yet; None where there is none."""
        asked_s = self._clock()
        try:
            index = index_of(self._read, bucket, pack_key(folder, number))
        except KeyError:
            with self._lock:
                known.looked_s = asked_s
            return None
        with self._lock:
            if number == len(known.packs):
                known.packs.append(index)
        return index

    def _forget(self, bucket: str, key: str) -> None:
        with self._lock:
            self._folders.pop((bucket, pack_folder(bucket, key) or ""), None)


def either(packs: Packs, get_alone: Callable[[str, str], bytes], bucket: str, key: str) -> bytes:
    """An object's bytes, whether it lies alone or in a pack.

    While an object is packed it lies in both; where its pack is damaged, what lies alone counts. Raises KeyError where
    it is in neither, InvalidRecord `object_contradicts_record` where it lies in a damaged pack alone, and as the store.
    """
    damaged: InvalidRecord | None = None
    if packs.knows(bucket, key):
        try:
            return packs.get(bucket, key)
        except KeyError:
            pass
        except InvalidRecord as error:
            damaged = error
    try:
        return get_alone(bucket, key)
    except KeyError:
        if damaged is not None:
            raise damaged from None
        return packs.get(bucket, key)


def index_of(read: ReadRange, bucket: str, pack: str) -> Index:
    """The index of a pack, in one request as a rule.

    Raises KeyError where it is not there, InvalidRecord `object_contradicts_record` for a damaged one.
    """
    what = f"{bucket}/{pack}"
    head = read(bucket, pack, 0, HEAD_BYTES)
    end = index_bytes(head, what)
    if end > len(head):
        head += read(bucket, pack, len(head), end - len(head))
    return read_index(head, what)
