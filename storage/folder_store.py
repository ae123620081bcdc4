"""Objects as files of a folder: the embedded run's store, with MinIO's semantics."""

import errno
import os
import tempfile
from itertools import islice
from pathlib import Path

from sonovan.contracts.errors import Transient
from sonovan.storage.packs.reading import Packs, either
from sonovan.storage.stores import contradiction

_UNFINISHED = ".writing-"
"""So begins the name of a file that a `put` has not finished, or never will: it is no object yet."""

_NO_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS}
_WORLD = {
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EFBIG,
    errno.EIO,
    errno.EROFS,
    errno.EMFILE,
    errno.ENFILE,
    errno.EACCES,
    errno.EPERM,
}


class FolderStore:
    """See PackingStore: `<folder>/<bucket>/<key>`.

    An object appears whole and synced to disk, or not at all; it never changes. Two writers of one key, processes or
    threads, race safely: the first link wins, the other compares bytes. `content_type` is not kept.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._packs = Packs(self.read_range)

    def put(self, bucket: str, key: str, data: bytes, content_type: str) -> None:
        """See ObjectStore.put."""
        path = self.path(bucket, key)
        if (packed := self._packs.taken(bucket, key)) is not None:
            if packed != data:
                raise contradiction(bucket, key)
            return
        try:
            if not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                if _written_first(path, data):
                    return
            if path.read_bytes() != data:
                raise contradiction(bucket, key)
        except OSError as error:
            raise _of(error, path) from error

    def get(self, bucket: str, key: str) -> bytes:
        """See ObjectStore.get."""
        return either(self._packs, self.get_alone, bucket, key)

    def get_alone(self, bucket: str, key: str) -> bytes:
        """See PackingStore.get_alone."""
        return self.read_range(bucket, key, 0, -1)

    def read_range(self, bucket: str, key: str, start: int, length: int) -> bytes:
        """See PackingStore.read_range. length: -1 for all that follows."""
        path = self.path(bucket, key)
        try:
            with path.open("rb") as stream:
                stream.seek(start)
                return stream.read(length)
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            raise KeyError(f"{bucket}/{key}") from None
        except OSError as error:
            raise _of(error, path) from error

    def exists(self, bucket: str, key: str) -> bool:
        """See ObjectStore.exists."""
        return self.path(bucket, key).is_file() or self._packs.has(bucket, key)

    def delete(self, bucket: str, key: str) -> None:
        """See ObjectStore.delete."""
        path = self.path(bucket, key)
        try:
            path.unlink(missing_ok=True)
            if path.parent.is_dir():
                _sync_folder(path.parent)
        except OSError as error:
            raise _of(error, path) from error

    def below(self, bucket: str, folder: str) -> list[str]:
        """See ObjectStore.below. Names what a killed `put` left behind too, so that an erasure deletes it."""
        root = self.folder / bucket
        files = (path for path in self.path(bucket, folder.rstrip("/")).rglob("*") if path.is_file())
        return [path.relative_to(root).as_posix() for path in islice(files, 1000)]

    def below_after(self, bucket: str, folder: str, after: str) -> list[str]:
        """See PackingStore.below_after. What a killed `put` left behind is no object, and is not named."""
        root = self.folder / bucket
        files = (path for path in self.path(bucket, folder.rstrip("/")).rglob("*") if path.is_file())
        files = (path for path in files if not path.name.startswith(_UNFINISHED))
        keys = sorted(path.relative_to(root).as_posix() for path in files)
        return [key for key in keys if key > after][:1000]

    def path(self, bucket: str, key: str) -> Path:
        """Where the object lies alone, or would. Raises ValueError for a key that would leave its bucket."""
        parts = key.split("/")
        if not all(parts) or any(part in {".", ".."} for part in (bucket, *parts)) or "/" in bucket:
            raise ValueError(f"{bucket}/{key} is not an object's key")
        return self.folder.joinpath(bucket, *parts)


def _written_first(path: Path, data: bytes) -> bool:
    """Whether this call made `path`; False when somebody else did meanwhile."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=_UNFINISHED)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        try:
            os.link(temporary, path)  # fails where the name exists: rename would replace it
        except FileExistsError:
            return False
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            if path.exists():  # FAT and some network shares have no links: there, two writers may race
                return False
            os.rename(temporary, path)
    finally:
        Path(temporary).unlink(missing_ok=True)
    _sync_folder(path.parent)
    return True


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _of(error: OSError, path: Path) -> Exception:
    """Transient for a disk that is full, broken or forbidden; anything else is a mistake of ours and stays."""
    if error.errno in _WORLD:
        return Transient(f"cannot use {path.parent}: {error.strerror}; free or mend the disk, then try again")
    return error
