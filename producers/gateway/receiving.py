"""Objects on their way in: what a scanner sends comes piece by piece, and each piece is encrypted at once.

pynetdicom (3.0.4) can write a dataset into a temporary file instead of memory, but in the clear, and after a kill it
stays there. So while a listener runs, its `NamedTemporaryFile` is `Incoming.file`. A test sends through a real
association and fails where a newer pynetdicom no longer asks for such a file.
"""

import hashlib
import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from pynetdicom import _config, dimse_messages

from sonovan.contracts.errors import Transient
from sonovan.producers.gateway.sealed_file import CHUNK_BYTES, SealedWriter
from sonovan.producers.private_files import sync_folder
from sonovan.producers.spool import SpoolFull
from sonovan.producers.vault import Vault


class Received:
    """One object as it comes in, with what pynetdicom uses of a NamedTemporaryFile. size: bytes so far.

    What cannot be written is remembered and not raised: the rest of the object is taken off the wire, and the scanner
    is then told that there is no room.
    """

    def __init__(self, path: Path, vault: Vault, least_free_bytes: int, make_room: Callable[[], bool]) -> None:
        """make_room: as for `Incoming`."""
        self.name, self.file, self.size = str(path), self, 0
        self._least_free, self._digest, self._make_room = least_free_bytes, hashlib.sha256(), make_room
        self._trouble: str | None = None
        self._checked_at = -CHUNK_BYTES
        try:
            self._writer: SealedWriter | None = SealedWriter(path, vault)
        except OSError as error:
            self._writer, self._trouble = None, str(error.strerror)

    def write(self, data: bytes) -> int:
        """Take some bytes."""
        self.size += len(data)
        if self._writer is None:
            return len(data)
        self._digest.update(data)
        try:
            self._check_room(self._writer.path.parent)
            self._writer.write(data)
        except OSError as error:
            self._trouble = str(error.strerror)
            self.close()
        return len(data)

    @property
    def sha256(self) -> str:
        """Of what came so far, in hex."""
        return self._digest.hexdigest()

    def flush(self) -> None:
        """Nothing: what counts is `keep`."""

    def close(self) -> None:
        """Forget the object, unless it was kept."""
        if self._writer is not None:
            self._writer.abandon()
            self._writer = None

    def __del__(self) -> None:
        self.close()

    def keep(self, folder: Path) -> tuple[str, str]:
        """Move the whole object, durably, into a folder of the same disk: the name of its file, and its SHA-256.

        Raises SpoolFull where there was no room for it, and then nothing of it is left.
        """
        writer = self._writer
        try:
            if writer is None:
                raise OSError(0, self._trouble or "it was given up")
            writer.finish()
            writer.path.rename(folder / writer.path.name)
            sync_folder(folder)
        except OSError as error:
            self.close()
            message = f"no room for another object in {folder} ({error.strerror}): nothing of it was kept"
            raise SpoolFull(message) from error
        self._writer = None
        return writer.path.name, self._digest.hexdigest()

    def _check_room(self, folder: Path) -> None:
        if self.size - self._checked_at >= CHUNK_BYTES:
            if _free(folder) < self._least_free + 2 * CHUNK_BYTES:
                with suppress(Transient):  # then nothing was let go of, and the object is refused
                    self._make_room()
            if (free := _free(folder)) < self._least_free + 2 * CHUNK_BYTES:
                raise OSError(0, f"{free / 2**20:.0f} MiB are free")
            self._checked_at = self.size


def _free(folder: Path) -> int:
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


class Incoming:
    """The folder of objects that nobody acknowledged yet; its files are of no use after a kill.

    One listener in a process may receive at a time.
    """

    def __init__(
        self, folder: Path, vault: Vault, least_free_bytes: int, make_room: Callable[[], bool] = lambda: False
    ) -> None:
        """Removes what a kill left. make_room: lets go of what may go once the disk is short. Raises Transient."""
        self._folder, self._vault, self._least_free, self._make_room = folder, vault, least_free_bytes, make_room
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            for left in folder.iterdir():
                left.unlink()
        except OSError as error:
            raise Transient(f"cannot write in {folder}: {error.strerror}; make room") from error
        self._before: Any = None

    def file(self, **_options: object) -> Received:
        """The next object. _options: what pynetdicom asks of a temporary file."""
        return Received(self._folder / secrets.token_hex(16), self._vault, self._least_free, self._make_room)

    def start(self) -> None:
        """Take what pynetdicom receives from now on."""
        self._before = (dimse_messages.NamedTemporaryFile, _config.STORE_RECV_CHUNKED_DATASET)  # type: ignore[attr-defined]
        dimse_messages.NamedTemporaryFile = self.file  # type: ignore[attr-defined,assignment]  # our own kind of file
        _config.STORE_RECV_CHUNKED_DATASET = True

    def stop(self) -> None:
        """Leave pynetdicom as it was."""
        dimse_messages.NamedTemporaryFile, _config.STORE_RECV_CHUNKED_DATASET = self._before  # type: ignore[attr-defined]
