"""The seam behind which objects are kept: MinIO at the centre, a folder in the embedded run."""

from typing import Final, Protocol

from sonovan.contracts.errors import InvalidRecord

CONTRADICTS: Final = "object_contradicts_stored"


class ObjectStore(Protocol):
    """Write-once objects. Every implementation is safe to use from several threads."""

    def put(self, bucket: str, key: str, data: bytes, content_type: str) -> None:
        """Store `data` durably, or return when the same bytes stand there already.

        Raises InvalidRecord `object_contradicts_stored` when other bytes stand there (they stay), Transient when
        the store is away or full, Fatal when it refuses this account.
        """

    def get(self, bucket: str, key: str) -> bytes:
        """The object's bytes. Raises KeyError when it is not there, Transient and Fatal as `put`."""

    def exists(self, bucket: str, key: str) -> bool:
        """Whether the object is there. Raises Transient and Fatal as `put`."""


def contradiction(bucket: str, key: str) -> InvalidRecord:
    """The error of a put whose key holds other bytes."""
    return InvalidRecord(CONTRADICTS, f"{bucket}/{key} is stored with other bytes; what is stored stays")
