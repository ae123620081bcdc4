"""A backup of a state folder, and a state folder from a backup: broker, object store, databases, secrets, certificates.

All of it is of one moment, the mark: what runs is ended cleanly, copied and started again (docs/decisions/0135).
Objects are copied before that, while everything runs, for they are never changed; so the pause is short. A backup is a
folder that is named by its mark. Files that have not changed since the newest backup beside it, and never do (objects,
closed segments of Kafka's log), are links to the same bytes. `files.jsonl` lists every file with its sha256, by which
a restore checks what it copies.
"""

import hashlib
import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from sonovan.centre import deploy_errors
from sonovan.contracts.errors import InvalidRecord, Transient
from sonovan.deploy import processes, services
from sonovan.deploy.errors import DeployError
from sonovan.deploy.files import locked
from sonovan.deploy.launches import read_launch
from sonovan.deploy.services import SERVICES, SUPERVISOR
from sonovan.deploy.state import StateFolder, silent

ABOUT: Final = "backup.json"
FILES: Final = "files.jsonl"
DATA: Final = "state"
DUMPS: Final = "dumps"
"""What the command of `--during` wrote into the folder that it finds as `$BACKUP`."""
_PARTIAL: Final = ".partial"
_LOCK: Final = ".lock"
_LOCK_DEADLINE_S: Final = 5.0
_LEFT_OUT: Final = ("run", "logs")
"""Of this machine's processes alone; of `run/` the ports are kept, where vans look for the centre."""
_PORTS: Final = Path("run") / "ports.json"
_OBJECTS: Final = Path("minio") / "data"

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class BackedUp:
    """What a backup holds. mark: UTC. copied_bytes: of what was no link. pause_s: for how long nothing ran."""

    folder: Path
    mark: datetime
    files: int
    bytes: int
    copied_bytes: int
    pause_s: float

    def document(self) -> dict[str, Any]:
        """For a program."""
        return {
            "folder": str(self.folder), "mark": self.mark.isoformat(), "files": self.files, "bytes": self.bytes,
            "copied_bytes": self.copied_bytes, "pause_s": round(self.pause_s, 1), "sonovan": version("sonovan"),
        }  # fmt: skip


def back_up(path: Path, into: Path, *, during: str | None = None, say: Say = silent) -> BackedUp:
    """Back up the state folder `path` into a new folder below `into`, which need not be there.

    during: a command of the shell that runs while nothing else does, for a database elsewhere: what it writes into the
    folder `$BACKUP` is part of the backup; where it fails there is none. What ran runs again afterwards, also where the
    backup failed. Raises InvalidRecord `option_invalid` where `into` lies in the state folder, Transient where another
    backup is being made, the disk fails, or something did not come up again.
    """
    if into.resolve().is_relative_to(path.resolve()):
        raise InvalidRecord("option_invalid", f"{into} lies in {path}: name a folder on another disk")
    with deploy_errors(), _disk_errors(into):
        into.mkdir(parents=True, exist_ok=True, mode=0o700)
        busy = f"another backup is made into {into}"
        with locked(into / _LOCK, waiting=lambda: say(busy), deadline_s=_LOCK_DEADLINE_S):
            return _back_up(StateFolder(path), into, during, say)


def _back_up(state: StateFolder, into: Path, during: str | None, say: Say) -> BackedUp:
    old, partial = newest(into), into / _PARTIAL
    shutil.rmtree(partial, ignore_errors=True)  # of a backup that was cut off
    copy = _Copy(state.path, partial / DATA, None if old is None else old / DATA)
    _make(dumps := partial / DUMPS)
    say("copying objects, while everything runs")
    copy.take(_below(state.path, _OBJECTS))
    with _still(state, say) as still:
        mark = datetime.now(UTC)
        say("copying what has changed since, and the rest; nothing runs")
        copy.take(_everything(state.path))
        copy.leave_out_others()
        if during is not None:
            _run(during, dumps)
    say("reading what was copied")
    told = BackedUp(
        into / f"{mark:%Y%m%dT%H%M%SZ}", mark, len(copy.taken), copy.bytes, copy.copied_bytes, still.seconds
    )
    _write_list(partial, copy, _known(old))
    sums = {each.name: _sha256(each) for each in sorted(dumps.iterdir())}
    about = {**told.document(), DUMPS: sums}
    (partial / ABOUT).write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
    os.sync()  # a backup that is named by its mark is whole, whatever the power does
    partial.rename(told.folder)
    if still.down:
        raise Transient(f"{told.folder} is whole, but not everything runs again: {'; '.join(still.down)}")
    return told


def restore(backup: Path, path: Path) -> dict[str, Any]:
    """Make the state folder `path`, which must be empty or not there, from a backup; what the backup says of itself.

    Each file is compared with its sha256. Nothing is started. Raises InvalidRecord `option_invalid` for what is no
    backup, a folder in use or a file that is not as it was, Transient where the disk fails.
    """
    try:
        about: dict[str, Any] = json.loads((backup / ABOUT).read_text(encoding="utf-8"))
        listed = _read_list(backup)
    except (OSError, ValueError, KeyError):
        raise InvalidRecord("option_invalid", f"{backup} is no backup: one is named by its mark") from None
    if path.exists() and any(path.iterdir()):
        raise InvalidRecord("option_invalid", f"{path} is not empty: a backup is restored into a new state folder")
    for name, sha256 in about.get(DUMPS, {}).items():
        if not (dump := backup / DUMPS / name).is_file() or _sha256(dump) != sha256:
            raise InvalidRecord("option_invalid", f"{dump} is not as it was backed up: take an earlier backup")
    with _disk_errors(path):
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name, (sha256, _, _) in listed.items():
            source, target = backup / DATA / name, path / name
            _make(target.parent)
            if source.is_symlink():
                target.symlink_to(os.readlink(source))
                continue
            shutil.copy2(source, target)
            if _sha256(target) != sha256:
                raise InvalidRecord("option_invalid", f"{name} is not as it was backed up: take an earlier backup")
        for folder in (each for each in (backup / DATA).rglob("*") if each.is_dir() and not each.is_symlink()):
            _make(path / folder.relative_to(backup / DATA))
        os.sync()
    return about


def newest(into: Path) -> Path | None:
    """The newest whole backup of a folder of backups; None where there is none."""
    found = sorted(each.parent for each in into.glob(f"[0-9]*/{ABOUT}"))
    return found[-1] if found else None


@dataclass
class _Pause:
    """seconds: how long it took. down: what did not come up again, and why."""

    seconds: float = 0.0
    down: tuple[str, ...] = ()


@contextmanager
def _still(state: StateFolder, say: Say) -> Iterator[_Pause]:
    """End everything that runs, apps first, and start the same again when the block ends, however it ends.

    What had ended by itself counts as running: it waits for its supervisor, which would not start what was stopped.
    """
    pause = _Pause()
    with state.lock(say):
        began = time.monotonic()
        rows = [row for row in services.status(state) if row.state in ("running", "ended")]
        rows.sort(key=lambda row: (row.name == SUPERVISOR, row.name not in SERVICES, row.name))
        try:
            services.stop(state, say)
            yield pause
        finally:
            tried = [_start(state, row.name, say, wait=row.state == "running") for row in rows]
            pause.down = tuple(why for why in tried if why is not None)
            pause.seconds = time.monotonic() - began


def _start(state: StateFolder, name: str, say: Say, *, wait: bool) -> str | None:
    """Start one process as before; why it does not run, None where it does. wait: until it is healthy."""
    say(f"starting {name}")
    try:
        if wait:
            services.start_one(state, name)
        else:
            processes.start(state, read_launch(state, name))
    except (DeployError, OSError) as error:
        say(f"{name} does not run: {error}")
        return f"{name}: {error}"
    return None


class _Copy:
    """Takes files from a state folder. before: the same folder as the backup before has it."""

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
        _make(target.parent)
        target.unlink(missing_ok=True)
        before = None if self._before is None else self._before / name
        if before is not None and _never_changes(name) and before.is_file() and _alike(before.stat(), now):
            os.link(before, target)
        else:
            shutil.copy2(self._source / name, target, follow_symlinks=False)
            self.copied_bytes += now.st_size
        self.taken[name] = now

    def leave_out_others(self) -> None:
        """Remove what was copied and is gone since, and sum up."""
        for name in [each for each in self.taken if not os.path.lexists(self._source / each)]:
            (self._target / name).unlink()
            del self.taken[name]
        self.bytes = sum(each.st_size for each in self.taken.values())
        for folder in (each for each in self._source.rglob("*") if each.is_dir() and not each.is_symlink()):
            if folder.relative_to(self._source).parts[0] not in _LEFT_OUT:
                _make(self._target / folder.relative_to(self._source))

    def files(self) -> Iterator[tuple[Path, Path]]:
        """Every file that was taken: (its name, where it lies)."""
        for name in sorted(self.taken):
            yield name, self._target / name


def _never_changes(name: Path) -> bool:
    """Whether a file of the same name, size and time has the same bytes: objects and segments of Kafka's log.

    Not its indexes, nor databases: these are written through memory or in place.
    """
    return name.is_relative_to(_OBJECTS) or (name.parts[0] == "kafka" and name.suffix == ".log")


def _alike(one: os.stat_result, other: os.stat_result) -> bool:
    return (one.st_size, one.st_mtime_ns) == (other.st_size, other.st_mtime_ns)


def _everything(path: Path) -> Iterator[Path]:
    for part in sorted(each.name for each in path.iterdir()):
        if part not in _LEFT_OUT:
            yield from _below(path, Path(part))
    if (path / _PORTS).exists():
        yield _PORTS


def _below(path: Path, part: Path) -> Iterator[Path]:
    if (path / part).is_file():
        yield part
    for folder, _, names in os.walk(path / part):
        for name in sorted(names):
            found = Path(folder) / name
            if found.is_symlink() or found.is_file():
                yield found.relative_to(path)


def _make(folder: Path) -> None:
    """Make a folder and those above it, for its owner alone."""
    for each in reversed((folder, *folder.parents)):
        each.mkdir(exist_ok=True, mode=0o700)


def _run(command: str, into: Path) -> None:
    told = {**os.environ, "BACKUP": str(into)}
    done = subprocess.run(["/bin/sh", "-c", command], stdin=subprocess.DEVNULL, env=told, check=False)
    if done.returncode != 0:
        raise Transient(f"the command of --during ended with {done.returncode}: there is no backup")


def _write_list(partial: Path, copy: _Copy, known: Mapping[tuple[str, int, int], str]) -> None:
    with (partial / FILES).open("w", encoding="utf-8") as written:
        for name, file in copy.files():
            found = file.lstat()
            key = (str(name), found.st_size, found.st_mtime_ns)
            sha256 = known.get(key) if _never_changes(name) else None
            row = [*key, sha256 or ("" if file.is_symlink() else _sha256(file))]
            written.write(json.dumps(row) + "\n")


def _read_list(backup: Path) -> dict[str, tuple[str, int, int]]:
    """sha256, size and time of each file of a backup."""
    lines = (backup / FILES).read_text(encoding="utf-8").splitlines()
    return {name: (sha256, size, at) for name, size, at, sha256 in map(json.loads, lines)}


def _known(backup: Path | None) -> dict[tuple[str, int, int], str]:
    listed = {} if backup is None else _read_list(backup)
    return {(name, size, at): sha256 for name, (sha256, size, at) in listed.items()}


def _sha256(file: Path) -> str:
    with file.open("rb") as read:
        return hashlib.file_digest(read, "sha256").hexdigest()


@contextmanager
def _disk_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        where = error.filename or folder
        raise Transient(f"{where}: {error.strerror}; make room, or name another disk") from error
