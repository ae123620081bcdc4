"""A pack: many objects of one folder in one, with an index in front, so that each is read alone.

    8 bytes   SNVPACK1
    4 bytes   length of the index, big endian
    32 bytes  sha256 of the index
    index     JSON: [[name, offset, length, sha256], …], sorted by name; offsets count from the end of the index
    parts     one behind the other

A name is the object's key without its folder. Equal parts make equal bytes, so that making a pack again is harmless.
"""

import hashlib
import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sonovan.contracts.errors import InvalidRecord
from sonovan.storage.stores import REPLACED

MAGIC: Final = b"SNVPACK1"
_FRONT: Final = struct.Struct(">8sI32s")
FRONT_BYTES: Final = _FRONT.size

MAX_INDEX_BYTES: Final = 8 * 1024 * 1024
"""No index of what is packed here comes near: a part has 150 bytes in it."""


@dataclass(frozen=True, slots=True)
class Part:
    """Where one object stands in its pack. start: of its first byte, from the pack's beginning."""

    start: int
    length: int
    sha256: str

    def checked(self, data: bytes, name: str) -> bytes:
        """`data`, where these are the bytes that were packed. Raises InvalidRecord `object_contradicts_record`."""
        if len(data) != self.length or hashlib.sha256(data).hexdigest() != self.sha256:
            raise InvalidRecord(REPLACED, f"{name} is not in its pack as it was put there: replaced or damaged")
        return data


Index = Mapping[str, Part]
"""Name → where it stands."""


def make_pack(parts: Mapping[str, bytes]) -> bytes:
    """The bytes of a pack. parts: name → bytes, at least one."""
    rows, offset = [], 0
    for name in sorted(parts):
        rows.append([name, offset, len(parts[name]), hashlib.sha256(parts[name]).hexdigest()])
        offset += len(parts[name])
    index = json.dumps(rows, separators=(",", ":")).encode()
    front = _FRONT.pack(MAGIC, len(index), hashlib.sha256(index).digest())
    return b"".join((front, index, *(parts[name] for name in sorted(parts))))


def index_bytes(head: bytes, what: str) -> int:
    """How many bytes front and index have together. head: at least FRONT_BYTES from the beginning of a pack.

    what: the pack's name in the error. Raises InvalidRecord `object_contradicts_record` for what is no pack.
    """
    if len(head) < FRONT_BYTES:
        raise _no_pack(what)
    magic, length, _ = _FRONT.unpack(head[:FRONT_BYTES])
    if magic != MAGIC or length > MAX_INDEX_BYTES:
        raise _no_pack(what)
    return FRONT_BYTES + int(length)


def read_index(head: bytes, what: str) -> dict[str, Part]:
    """The index of a pack. head: its first `index_bytes(head)` bytes, or more. Raises as `index_bytes`."""
    end = index_bytes(head, what)
    index = head[FRONT_BYTES:end]
    if hashlib.sha256(index).digest() != _FRONT.unpack(head[:FRONT_BYTES])[2]:
        raise _no_pack(what)
    return {name: Part(end + offset, length, sha256) for name, offset, length, sha256 in json.loads(index)}


def read_whole(pack: bytes, what: str) -> dict[str, Part]:
    """The index of a whole pack, every part of it held against its sha256.

    Raises InvalidRecord `object_contradicts_record` where anything is not as it was packed, bytes behind the last part
    included.
    """
    index = read_index(pack, what)
    end = index_bytes(pack, what)
    for name, part in index.items():
        part.checked(pack[part.start : part.start + part.length], f"{what}: {name}")
    if end + sum(part.length for part in index.values()) != len(pack):
        raise _no_pack(what)
    return index


def _no_pack(what: str) -> InvalidRecord:
    return InvalidRecord(REPLACED, f"{what} is no pack as it was stored: replaced or damaged")
