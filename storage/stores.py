"""The seam behind which objects are kept: MinIO at the centre, a folder in the embedded run."""

import hashlib
import hmac
from typing import Final, Protocol

from sonovan.contracts.errors import InvalidRecord

CONTRADICTS: Final = "object_contradicts_stored"
REPLACED: Final = "object_contradicts_record"


class ObjectStore(Protocol):
    """Write-once objects. Every implementation is safe to use from several threads.

    An object may lie alone or in a pack of its folder (`storage.packs`): put, get and exists answer alike for both.
    """

    def put(self, bucket: str, key: str, data: bytes, content_type: str) -> None:
        """Store `data` durably, or return when the same bytes stand there already.

        Raises InvalidRecord `object_contradicts_stored` when other bytes stand there (they stay), Transient when
        the store is away or full, Fatal when it refuses this account.
        """

    def get(self, bucket: str, key: str) -> bytes:
        """The object's bytes. Raises KeyError when it is not there, InvalidRecord `object_contradicts_record` when it
        lies in a pack that is damaged, Transient and Fatal as `put`."""

    def exists(self, bucket: str, key: str) -> bool:
        """Whether the object is there. Raises Transient and Fatal as `put`."""

    def delete(self, bucket: str, key: str) -> None:
        """Delete the object for good; nothing happens where none is, nor to what lies in a pack: that goes with its
        pack. Raises Transient and Fatal as `put`."""

    def below(self, bucket: str, folder: str) -> list[str]:
        """The keys of some objects that lie below a folder, a thousand at most; none where there is none. A pack is one
        object.

        folder: ends with a slash. Raises Transient and Fatal as `put`.
        """


class PackingStore(ObjectStore, Protocol):
    """A store whose objects somebody packs: it shows what lies alone and what lies in packs apart."""

    def get_alone(self, bucket: str, key: str) -> bytes:
        """As `get`, of what lies alone; a pack does, too."""

    def read_range(self, bucket: str, key: str, start: int, length: int) -> bytes:
        """At most `length` bytes, at least 1, of an object that lies alone, from byte `start` on; fewer where it ends
        before. Raises as `get`."""

    def below_after(self, bucket: str, folder: str, after: str) -> list[str]:
        """As `below`, in the order of the keys, those behind `after` alone."""


def get_named(store: ObjectStore, bucket: str, key: str, sha256: str) -> bytes:
    """The bytes of an object that a record names. sha256: what the record says of them.

    Raises InvalidRecord `object_contradicts_record` where other bytes stand there: somebody replaced them, or they are
    damaged. Otherwise as ObjectStore.get.
    """
    data = store.get(bucket, key)
    if not hmac.compare_digest(hashlib.sha256(data).hexdigest(), sha256):
        raise InvalidRecord(REPLACED, f"{bucket}/{key} is not the object that its record names: replaced or damaged")
    return data


def contradiction(bucket: str, key: str) -> InvalidRecord:
    """The error of a put whose key holds other bytes."""
    return InvalidRecord(CONTRADICTS, f"{bucket}/{key} is stored with other bytes; what is stored stays")
