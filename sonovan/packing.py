"""Frames and masks of screenings on which nothing works any more, into packs: one screening after the other.

Each screening is claimed, its folders are packed, the claim ends; `packing.GRACE_S` later what lay alone is deleted,
and the catalogue notes that the screening is packed. Ended in between, the next run finds objects in both forms, reads
the packs again, and goes on. One run at a time works for a state folder; runs of several machines share the screenings.
"""

import fcntl
import os
import secrets
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Final

from sonovan.contracts.errors import InvalidRecord, Transient
from sonovan.storage.catalogue.database import Database
from sonovan.storage.catalogue.packing import (
    PUT_WITHIN_S,
    ToPack,
    claim,
    note_packed,
    now_ms,
    release,
    release_all,
    to_pack,
)
from sonovan.storage.packs.packing import GRACE_S, PackedSweep, delete_alone, pack_sweep
from sonovan.storage.stores import PackingStore

FOLDER: Final = "pack"
QUIET_DAYS: Final = 15.0
"""One day longer than `assess` keeps the rows of a complete screening, and many more than Kafka keeps frames
(docs/scale.md)."""


@dataclass
class Done:
    """What a run did. objects: frames and masks that lay alone and are deleted. packs, pack_bytes: that were made.

    left: why folders were left as they are, with the folder; somebody must look at them.
    """

    screenings: int = 0
    objects: int = 0
    packs: int = 0
    pack_bytes: int = 0
    left: list[str] = field(default_factory=list)


@dataclass
class _Waiting:
    """A screening whose packs are whole. due_s: when what lay alone may be deleted, on the run's clock."""

    which: ToPack
    due_s: float
    sweeps: list[tuple[str, PackedSweep]]


@dataclass
class Packing:
    """One run. clock, sleep: seconds that only go on, and a pause. grace_s: see `packing.GRACE_S`."""

    database: Database
    store: PackingStore
    holder: str
    say: Callable[[str], None]
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    grace_s: float = GRACE_S

    def run(self, quiet_days: float = QUIET_DAYS, at_most: int | None = None) -> Done:
        """Pack what may be packed, `at_most` so many screenings; returns once what lay alone is deleted.

        Raises Transient and Fatal as database and store; another run goes on.
        """
        done, waiting = Done(), deque[_Waiting]()
        release_all(self.database, self.holder)
        for each in islice(self._free(quiet_days), at_most):
            if (packed := self._one(each, done)) is not None:
                waiting.append(packed)
            while waiting and waiting[0].due_s <= self.clock():
                self._finish(waiting.popleft(), done)
        while waiting:
            self.sleep(max(0.0, waiting[0].due_s - self.clock()))
            self._finish(waiting.popleft(), done)
        return done

    def _free(self, quiet_days: float) -> Iterator[ToPack]:
        after = ""
        while some := to_pack(self.database, now_ms(), quiet_days, after):
            yield from some
            after = some[-1].screening_id

    def _one(self, which: ToPack, done: Done) -> _Waiting | None:
        """Pack the folders of one screening under a claim; None where that is not to be, or a folder was left."""
        if not claim(self.database, which.screening_id, self.holder, now_ms()):
            return None
        since_s, sweeps = self.clock(), list[tuple[str, PackedSweep]]()

        def in_time() -> None:
            if self.clock() - since_s > PUT_WITHIN_S:
                raise Transient(f"{which.screening_id} took longer to pack than a claim counts; the next run goes on")

        left = len(done.left)
        try:
            for bucket, folder in which.folders:
                try:
                    sweep = pack_sweep(self.store, bucket, folder, in_time)
                except InvalidRecord as error:
                    done.left.append(str(error))
                    continue
                done.left += [f"{bucket}/{key} lies alone with other bytes than in its pack" for key in sweep.differing]
                sweeps.append((bucket, sweep))
        finally:
            release(self.database, which.screening_id, self.holder)
        return _Waiting(which, self.clock() + self.grace_s, sweeps) if len(done.left) == left else None

    def _finish(self, packed: _Waiting, done: Done) -> None:
        for bucket, sweep in packed.sweeps:
            delete_alone(self.store, bucket, sweep.deletable)
        sweeps = [sweep for _, sweep in packed.sweeps]
        objects, made = sum(len(each.deletable) for each in sweeps), sum(each.made for each in sweeps)
        made_bytes = sum(each.made_bytes for each in sweeps)
        note_packed(self.database, packed.which, objects, sum(each.packs for each in sweeps), made_bytes)
        done.screenings, done.objects = done.screenings + 1, done.objects + objects
        done.packs, done.pack_bytes = done.packs + made, done.pack_bytes + made_bytes
        self.say(f"{packed.which.screening_id}: {objects} objects in {made} packs")


@contextmanager
def only_run(state: Path) -> Iterator[str]:
    """Hold the state folder for one run, and give its name as a holder of claims, which is the same for each run.

    Raises Transient where another run holds it, or the disk does not take it.
    """
    folder = state / FOLDER
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(folder / "held", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Transient(f"cannot use {folder}: {error.strerror}") from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Transient(f"another run packs for {state}: wait for it to end") from None
        name = os.read(handle, 64).decode()
        if not name:
            name = secrets.token_hex(16)
            os.write(handle, name.encode())
            os.fsync(handle)
        yield name
    finally:
        os.close(handle)
