"""A backup of a state folder, and a state folder from a backup: broker, object store, databases, secrets, certificates.

All of it is of one moment, the mark: what runs is ended cleanly, copied and started again (docs/decisions/0135).
Objects are copied before that, while everything runs, for they are never changed; so the pause is short. A backup is a
folder that is named by its mark. Files that have not changed since the newest backup beside it, and never do (objects,
closed segments of Kafka's log), are links to the same bytes. `files.jsonl` lists every file with its sha256, by which
a restore checks what it copies.
"""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from sonovan.backup_files import (
    OBJECTS,
    Copy,
    below,
    everything,
    folders,
    make_folder,
    read_list,
    sha256_of,
    write_list,
)
from sonovan.centre import deploy_errors
from sonovan.contracts.errors import InvalidRecord, Transient
from sonovan.deploy import processes, services
from sonovan.deploy.errors import DeployError
from sonovan.deploy.files import locked
from sonovan.deploy.launches import read_launch
from sonovan.deploy.services import SERVICES, SUPERVISOR
from sonovan.deploy.state import StateFolder, silent

ABOUT: Final = "backup.json"
DATA: Final = "state"
DUMPS: Final = "dumps"
"""What the command of `--during` wrote into the folder that it finds as `$BACKUP`."""
_PARTIAL: Final = ".partial"
_LOCK: Final = ".lock"
_LOCK_DEADLINE_S: Final = 5.0

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
    copy = Copy(state.path, partial / DATA, None if old is None else old / DATA)
    make_folder(dumps := partial / DUMPS)
    say("copying objects, while everything runs")
    copy.take(below(state.path, OBJECTS))
    with _still(state, say) as still:
        mark = datetime.now(UTC)
        say("copying what has changed since, and the rest; nothing runs")
        copy.take(everything(state.path))
        copy.finish()
        if during is not None:
            _run(during, dumps)
    say("reading what was copied")
    told = BackedUp(
        into / f"{mark:%Y%m%dT%H%M%SZ}", mark, len(copy.taken), copy.bytes, copy.copied_bytes, still.seconds
    )
    write_list(partial, copy, old)
    sums = {each.name: sha256_of(each) for each in sorted(dumps.iterdir())}
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
        listed = read_list(backup)
    except (OSError, ValueError, TypeError):
        raise InvalidRecord("option_invalid", f"{backup} is no backup: one is named by its mark") from None
    if path.exists() and any(path.iterdir()):
        raise InvalidRecord("option_invalid", f"{path} is not empty: a backup is restored into a new state folder")
    for name, sha256 in about.get(DUMPS, {}).items():
        if not (dump := backup / DUMPS / name).is_file() or sha256_of(dump) != sha256:
            raise InvalidRecord("option_invalid", f"{dump} is not as it was backed up: take an earlier backup")
    with _disk_errors(path):
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name, _, _, sha256 in listed:
            source, target = backup / DATA / name, path / name
            make_folder(target.parent)
            if source.is_symlink():
                target.symlink_to(os.readlink(source))
                continue
            shutil.copy2(source, target)
            if sha256_of(target) != sha256:
                raise InvalidRecord("option_invalid", f"{name} is not as it was backed up: take an earlier backup")
        for folder in folders(backup / DATA):
            make_folder(path / folder)
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


def _run(command: str, into: Path) -> None:
    told = {**os.environ, "BACKUP": str(into)}
    done = subprocess.run(["/bin/sh", "-c", command], stdin=subprocess.DEVNULL, env=told, check=False)
    if done.returncode != 0:
        raise Transient(f"the command of --during ended with {done.returncode}: there is no backup")


@contextmanager
def _disk_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        where = error.filename or folder
        raise Transient(f"{where}: {error.strerror}; make room, or name another disk") from error
