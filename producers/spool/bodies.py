"""The bodies of items: one encrypted file for each, under a random name that tells nothing."""

import fcntl
import secrets
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sonovan.contracts.errors import Fatal, Transient
from sonovan.producers.spool.disk import Disk
from sonovan.producers.vault import Vault

LEAST_FREE_BYTES: Final = 32 * 2**20


class SpoolFull(Transient):
    """There is no room for another item: nothing of it was kept, and all that was there stays."""


class ItemDamaged(Fatal):
    """The body of one item is damaged or gone. It cannot be sent; all others are whole."""


class Bodies:
    """A folder of encrypted files. A file that no row of the database names was never acknowledged to anybody."""

    def __init__(self, folder: Path, vault: Vault, disk: Disk, least_free_bytes: int) -> None:
        """least_free_bytes: what stays free on the disk, so that receipts can be noted however full it is.

        Raises OSError.
        """
        self.folder = folder
        self._vault, self._disk, self._least_free = vault, disk, least_free_bytes
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._writers = _SharedLock(folder.parent / "writers.lock")

    @contextmanager
    def writing(self) -> Iterator[None]:
        """While files are written that no row names yet; `sweep` waits for no writer and does nothing beside one."""
        with self._writers.shared():
            yield

    def write(self, bodies: Sequence[tuple[str, bytes]]) -> list[str]:
        """Write and fsync one file for each (what it is, its bytes); the files' names. To be called within `writing`.

        Raises SpoolFull, and then no file is left.
        """
        size = sum(len(data) for _, data in bodies)
        free = self._disk.free_bytes(self.folder)
        if free - size < self._least_free:
            raise self._full(f"{free / 2**20:.0f} MiB are free, of which {self._least_free / 2**20:.0f} stay free")
        names: list[str] = []
        try:
            for about, data in bodies:
                names.append(secrets.token_hex(16))
                path = self.folder / names[-1]
                self._disk.write(path, self._vault.seal(data, about))
                self._disk.sync(path)
            self._disk.sync_folder(self.folder)
        except OSError as error:
            self.remove(names)
            raise self._full(str(error.strerror)) from error
        return names

    def has_room(self, size: int) -> bool:
        """Whether so many bytes may be written and enough stays free. Raises OSError."""
        return self._disk.free_bytes(self.folder) - size >= self._least_free

    def read(self, name: str, about: str) -> bytes | None:
        """The bytes of a file; None where it is gone. Raises Fatal for a damaged one, Transient."""
        path = self.folder / name
        try:
            sealed = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Transient(f"cannot read {path}: {error.strerror}") from error
        return self._vault.unseal(sealed, about)

    def remove(self, names: Iterable[str]) -> None:
        """Remove files; what cannot be removed now is swept later."""
        for name in names:
            try:
                self._disk.remove(self.folder / name)
            except OSError:
                return

    def sweep(self, named: Callable[[], Iterable[str]]) -> None:
        """Remove the files that are not `named`, unless somebody writes now: they were left by a kill.

        named: asked once no writer is between its file and its row.
        """
        with self._writers.alone() as alone:
            if alone:
                kept = set(named())
                self.remove([path.name for path in self.folder.iterdir() if path.name not in kept])

    def close(self) -> None:
        """Give the lock's file back."""
        self._writers.close()

    def _full(self, detail: str) -> SpoolFull:
        message = f"no room in the spool {self.folder.parent} ({detail}): nothing of this was kept, all else is there"
        return SpoolFull(f"{message}; make room, or run: sonovan van spool purge")


class _SharedLock:
    """A file lock that many threads and processes share, or one has alone."""

    def __init__(self, path: Path) -> None:
        self._handle = path.open("w")
        self._turn, self._holders = threading.Lock(), 0

    @contextmanager
    def shared(self) -> Iterator[None]:
        with self._turn:
            if self._holders == 0:
                fcntl.flock(self._handle, fcntl.LOCK_SH)
            self._holders += 1
        try:
            yield
        finally:
            with self._turn:
                self._holders -= 1
                if self._holders == 0:
                    fcntl.flock(self._handle, fcntl.LOCK_UN)

    def close(self) -> None:
        self._handle.close()

    @contextmanager
    def alone(self) -> Iterator[bool]:
        """Whether nobody else has the lock; where somebody does, nothing is waited for."""
        with self._turn:
            try:
                if self._holders:
                    raise BlockingIOError
                fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            try:
                yield True
            finally:
                fcntl.flock(self._handle, fcntl.LOCK_UN)
