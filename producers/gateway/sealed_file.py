"""A file that is encrypted while it is written: an object of any size needs little memory and is never in the clear.

A chunk stands as its length, 4 bytes, and the sealed bytes. Each is sealed under the file's name, its own number and
whether it is the last one: chunks that were swapped, left out or cut off at the end are refused.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final

from sonovan.contracts.errors import Fatal
from sonovan.producers.vault import Vault

CHUNK_BYTES: Final = 2**20
_LENGTH_BYTES: Final = 4


class SealedWriter:
    """A new file at `path`, of mode 0600. Every method raises OSError. size: bytes written so far, as in clear."""

    def __init__(self, path: Path, vault: Vault) -> None:
        self.path, self.size = path, 0
        self._vault, self._buffer, self._chunks = vault, bytearray(), 0
        self._stream = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")

    def write(self, data: bytes) -> int:
        """Take some bytes; they lie on the disk a chunk later."""
        self._buffer += data
        self.size += len(data)
        while len(self._buffer) > CHUNK_BYTES:
            self._put(bytes(self._buffer[:CHUNK_BYTES]), last=False)
            del self._buffer[:CHUNK_BYTES]
        return len(data)

    def finish(self) -> None:
        """Write the rest; the bytes are durable when this returns, the name is when its folder was synced."""
        self._put(bytes(self._buffer), last=True)
        self._stream.flush()
        os.fsync(self._stream.fileno())
        self._stream.close()

    def abandon(self) -> None:
        """Close and remove the file; nothing is left of it."""
        self._buffer.clear()
        with suppress(OSError):  # the disk is full and bytes are still buffered; the descriptor is closed all the same
            self._stream.close()
        self.path.unlink(missing_ok=True)

    def _put(self, data: bytes, *, last: bool) -> None:
        sealed = self._vault.seal(data, _about(self.path.name, self._chunks, last))
        self._stream.write(len(sealed).to_bytes(_LENGTH_BYTES, "big") + sealed)
        self._chunks += 1


def read_sealed(path: Path, vault: Vault) -> Iterator[bytes]:
    """The bytes of such a file, in chunks. Raises Fatal where it was changed or cut short, OSError."""
    with path.open("rb") as stream:
        for number in range(2**32):
            sealed = _next(stream)
            if sealed is None:
                raise Fatal(f"{path} was cut short; keep the folder as it is, and ask before anything is deleted")
            last = os.fstat(stream.fileno()).st_size == stream.tell()
            yield vault.unseal(sealed, _about(path.name, number, last))
            if last:
                return


def _next(stream: BinaryIO) -> bytes | None:
    length = int.from_bytes(stream.read(_LENGTH_BYTES), "big")
    sealed = stream.read(min(length, 2 * CHUNK_BYTES))
    return sealed if length and len(sealed) == length else None


def _about(name: str, number: int, last: bool) -> str:
    return f"object {name} {number} {'last' if last else 'more'}"
