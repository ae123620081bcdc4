"""The files of a backup: copied or linked from a state folder, and listed with their sha256."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

FILES: Final = "files.jsonl"
"""The list: a line of JSON for each file, the fields of `Listed` in their order."""
OBJECTS: Final = Path("minio") / "data"
LEFT_OUT: Final = ("run", "logs")
"""Of this machine's processes alone; of `run/` the ports are kept, where vans look for the centre."""
_PORTS: Final = Path("run") / "ports.json"


class Listed(NamedTuple):
    """One file of a backup. name: in the state folder. sha256: "" of a link."""

    name: str
    size: int
    mtime_ns: int
    sha256: str


class Copy:
    """Copies files of a state folder, or links those that the backup before has and that never change.

    source: the state folder. target: the same folder in the new backup. before: the same in the backup before, None
    where there is none. `taken` has the files by their names in the state folder, as they were when they were copied.
    """

    def __init__(self, source: Path, target: Path, before: Path | None) -> None:
        self._source, self._target, self._before = source, target, before
        self.taken: dict[Path, os.stat_result] = {}
        self.bytes = self.copied_bytes = 0

    def take(self, names: Iterator[Path]) -> None:
        """Copy or link each, unless what was copied before is as it is now."""
        for name in names:
            try:
                now = (self._source / name).lstat()
            except FileNotFoundError:
                continue  # a temporary file of a store that runs
            if name in self.taken and _alike(self.taken[name], now):
                continue
            try:
                self._take(name, now)
            except FileNotFoundError:
                continue

    def _take(self, name: Path, now: os.stat_result) -> None:
        target = self._target / name
        make_folder(target.parent)
        target.unlink(missing_ok=True)
        before = None if self._before is None else self._before / name
        if before is not None and _never_changes(name) and before.is_file() and _alike(before.stat(), now):
            os.link(before, target)
        else:
            shutil.copy2(self._source / name, target, follow_symlinks=False)
            self.copied_bytes += now.st_size
        self.taken[name] = now

    def finish(self) -> None:
        """Remove what was copied and is gone since, make folders that have no file, and sum up the bytes."""
        for name in [each for each in self.taken if not os.path.lexists(self._source / each)]:
            (self._target / name).unlink()
            del self.taken[name]
        self.bytes = sum(each.st_size for each in self.taken.values())
        for folder in folders(self._source):
            if folder.parts[0] not in LEFT_OUT:
                make_folder(self._target / folder)

    def files(self) -> Iterator[tuple[Path, Path]]:
        """Every file that was taken: (its name, where it lies)."""
        for name in sorted(self.taken):
            yield name, self._target / name


def _never_changes(name: Path) -> bool:
    """Whether a file of the same name, size and time has the same bytes: objects and segments of Kafka's log.

    Not its indexes, nor databases: these are written through memory or in place.
    """
    return name.is_relative_to(OBJECTS) or (name.parts[0] == "kafka" and name.suffix == ".log")


def _alike(one: os.stat_result, other: os.stat_result) -> bool:
    return (one.st_size, one.st_mtime_ns) == (other.st_size, other.st_mtime_ns)


def everything(path: Path) -> Iterator[Path]:
    """The names of all files of a state folder that belong into a backup, relative to it."""
    for part in sorted(each.name for each in path.iterdir()):
        if part not in LEFT_OUT:
            yield from below(path, Path(part))
    if (path / _PORTS).exists():
        yield _PORTS


def below(path: Path, part: Path) -> Iterator[Path]:
    """The names of all files and links of one part of a folder, relative to the folder."""
    if (path / part).is_file():
        yield part
    for folder, _, names in os.walk(path / part):
        for name in sorted(names):
            found = Path(folder) / name
            if found.is_symlink() or found.is_file():
                yield found.relative_to(path)


def folders(path: Path) -> Iterator[Path]:
    """Every folder below a path, relative to it; no links to folders."""
    return (each.relative_to(path) for each in path.rglob("*") if each.is_dir() and not each.is_symlink())


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, for its owner alone."""
    for each in reversed((folder, *folder.parents)):
        each.mkdir(exist_ok=True, mode=0o700)


def write_list(folder: Path, copy: Copy, before: Path | None) -> None:
    """Write the list of what was copied into the folder of a backup.

    before: the backup before, whose sums are taken over for files that have not changed since and never do.
    """
    known = {} if before is None else {each[:3]: each.sha256 for each in read_list(before)}
    with (folder / FILES).open("w", encoding="utf-8") as written:
        for name, file in copy.files():
            found = file.lstat()
            key = (str(name), found.st_size, found.st_mtime_ns)
            sha256 = known.get(key) if _never_changes(name) else None
            row = Listed(*key, sha256 or ("" if file.is_symlink() else sha256_of(file)))
            written.write(json.dumps(row) + "\n")


def read_list(backup: Path) -> list[Listed]:
    """The list of a backup. Raises OSError, ValueError or TypeError where it has none, or one that is damaged."""
    return [Listed(*json.loads(line)) for line in (backup / FILES).read_text(encoding="utf-8").splitlines()]


def sha256_of(file: Path) -> str:
    """The sha256 of a file's bytes, in hexadecimal digits."""
    with file.open("rb") as read:
        return hashlib.file_digest(read, "sha256").hexdigest()
