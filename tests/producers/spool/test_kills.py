"""Killed before any two effects, and with the plug pulled: what was acknowledged is there, and it goes on."""

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sonovan.contracts.envelope import open_envelope
from sonovan.contracts.ids import mint_id
from sonovan.contracts.topics import Topic
from sonovan.contracts.van import ScreeningClosed, SequenceClosed
from sonovan.producers.items import Signer
from sonovan.producers.screening import Screening
from sonovan.producers.spool import STORED, Disk, Spool
from tests.producers.spool.dying import DyingDisk, in_a_child
from tests.producers.spool.test_screenings import shot, source
from tests.producers.spool.test_spool import receipt
from tests.producers.visits import SIGNER, VISIT, vault_at

FEWEST_EFFECTS = 70
EVER = 1e12
"""What was sent and has no receipt waits as well."""


@pytest.fixture
def folder() -> Iterator[Path]:
    """In memory where there is such a disk: which bytes survive is decided by the test, not by the machine."""
    memory = Path("/dev/shm")
    place = Path(tempfile.mkdtemp(dir=memory if os.access(memory, os.W_OK) else None))
    yield place
    shutil.rmtree(place)


NAME, SWEEP, STILLS = mint_id(), mint_id(), mint_id()


def spool_in(folder: Path, disk: Disk | None = None) -> Spool:
    return Spool(folder, vault_at(folder), disk=disk)


def screening_of(spool: Spool) -> Screening:
    if any(each.screening_id == NAME for each in spool.screenings()):
        return spool.resume_screening(NAME, SIGNER)
    return spool.open_screening(VISIT, SIGNER, [source()], screening_id=NAME)


def morning(spool: Spool, tell: Callable[[str], None]) -> None:
    """A sweep of two frames, and two held stills in one step; closed. After a kill it is done again from the start."""
    screening = screening_of(spool)
    sweep = screening.begin(source(), SWEEP, "/sweep")
    for index in range(2):
        sweep.add(shot(index), origin=f"sweep-{index}")
        tell(f"{SWEEP}/{index:06d}")
    sweep.end()
    stills = screening.begin(source(burned_in=True), STILLS, "/stills")
    stills.add_all([(shot(index), f"still-{index}") for index in range(2)])
    tell(f"{STILLS}/000000")
    tell(f"{STILLS}/000001")
    stills.end()
    screening.close()
    tell(f"{NAME}/closed/1")


def afternoon(spool: Spool, tell: Callable[[str], None]) -> None:
    """Half is sent, one receipt comes, a held frame is sent and one is not, an earlier key's item is signed again."""
    for offset, item_id in enumerate(spool.pending(99, EVER)):
        message = spool.load(item_id)
        if item_id.endswith("/opened") and message is not None:
            spool.mark_sent(item_id)
            spool.take_answer(receipt(message), 0, offset)
            tell(f"stored {item_id}")
        if item_id.endswith("/000001"):
            spool.mark_rejected(item_id, "van_revoked", retryable=True)
    spool.retry(Signer("van-1", SIGNER.private_key).sign_again)
    for frame in spool.held():
        if frame.frame_id.endswith("/000000"):
            spool.release(frame.frame_id, SIGNER, shot(0, seed=5).pixels, 9)
        else:
            spool.discard(frame.frame_id, SIGNER)
    screening = screening_of(spool)
    more = screening.begin(source(), SWEEP, "/sweep")
    more.add(shot(2), origin="sweep-2")
    tell(f"{SWEEP}/000002")
    more.end()
    screening.close()
    tell(f"{NAME}/closed/2")


def live(spool: Spool, tell: Callable[[str], None]) -> None:
    if not any(each.closing_number > 0 for each in spool.screenings()):
        morning(spool, tell)
    afternoon(spool, tell)


def outcome(spool: Spool) -> dict[str, object]:
    """What the centre would be told in the end: every item that waits or is stored, and the closings that count."""
    found: dict[str, object] = {}
    for item_id in sorted(spool.pending(99, EVER)):
        message = spool.load(item_id)
        assert message is not None, f"{item_id} has lost its bytes"
        envelope = open_envelope(message.value)
        if message.topic == Topic.SEQUENCE_CLOSED:
            closing = SequenceClosed.decode(envelope.header)
            found[closing.sequence_id] = closing.model_dump(exclude={"closed_at", "closing_number"})
        elif message.topic == Topic.SCREENING_CLOSED:
            last = ScreeningClosed.decode(envelope.header)
            found[NAME] = last.model_dump(exclude={"closed_at", "closing_number"})
        else:
            found[item_id] = envelope.payload_sha256
    return found | {"stored": spool.status().counts[STORED], "held": len(spool.held())}


def check_kept(spool: Spool, acknowledged: list[str]) -> None:
    """Nothing that was acknowledged is gone, everything that waits can be read, and no file is left over."""
    with sqlite3.connect(spool.folder / "spool.sqlite") as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        rows = dict(database.execute("SELECT item_id, state FROM items").fetchall())
        frames = {
            f"{name}/{index:06d}" for name, index in database.execute("SELECT sequence_id, frame_index FROM frames")
        }
        files = {row[0] for row in database.execute("SELECT file FROM items WHERE file IS NOT NULL")}
    for line in acknowledged:
        if line.startswith("stored "):
            assert rows[line.removeprefix("stored ")] == STORED
        else:
            assert line in rows or line in frames, f"{line} was acknowledged and is gone"
    assert {path.name for path in (spool.folder / "items").iterdir()} == files
    for item_id, state in rows.items():
        assert state == STORED or spool.load(item_id) is not None


@pytest.mark.parametrize("forgetful", [False, True], ids=["killed", "plug pulled"])
def test_a_van_that_dies_between_any_two_effects_loses_nothing_and_goes_on(folder: Path, forgetful: bool) -> None:
    with spool_in(folder / "calm", calm := DyingDisk(None)) as spool:
        live(spool, lambda _line: None)
        wanted = outcome(spool)
    assert calm.effects > FEWEST_EFFECTS
    for die_at in range(calm.effects):
        place = folder / str(die_at)

        def die(tell: Callable[[str], None], place: Path = place, die_at: int = die_at) -> None:
            with spool_in(place, DyingDisk(die_at, forgetful=forgetful)) as spool:
                live(spool, tell)

        told, status = in_a_child(die)
        assert os.WTERMSIG(status) == signal.SIGKILL, f"effect {die_at} was not reached"
        with spool_in(place) as spool:
            check_kept(spool, told)
            live(spool, told.append)
            check_kept(spool, told)
            assert outcome(spool) == wanted, f"killed at effect {die_at}"
        shutil.rmtree(place)


class InterruptedDisk(Disk):
    """Somebody types Ctrl-C while the commit number `at` returns: it is durable already."""

    def __init__(self, at: int) -> None:
        self._left = at

    def commit(self, connection: sqlite3.Connection) -> None:
        super().commit(connection)
        self._left -= 1
        if self._left == 0:
            raise KeyboardInterrupt


@pytest.mark.parametrize("at", range(1, 9))
def test_an_interrupt_just_after_a_commit_takes_no_bytes_away(folder: Path, at: int) -> None:
    told: list[str] = []
    with pytest.raises(KeyboardInterrupt), spool_in(folder, InterruptedDisk(at)) as spool:
        live(spool, told.append)
    with spool_in(folder) as spool:
        check_kept(spool, told)
        live(spool, told.append)
        check_kept(spool, told)


def test_every_transaction_is_fsynced(folder: Path) -> None:
    with spool_in(folder) as spool:
        assert spool._db.synchronous == 2


@pytest.mark.parametrize("seed", range(2))
def test_kill_minus_nine_at_any_moment_loses_no_frame_that_was_acknowledged(seed: int, tmp_path: Path) -> None:
    argv = [sys.executable, "-m", "tests.producers.spool.scanning", str(tmp_path), NAME, SWEEP]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as scanning:
        assert scanning.stdout is not None
        told = [scanning.stdout.readline().strip()]
        with pytest.raises(subprocess.TimeoutExpired):
            scanning.wait(random.Random(seed).uniform(0.0, 0.7))
        scanning.kill()
        told += scanning.stdout.read().splitlines()
    with spool_in(tmp_path) as spool:
        check_kept(spool, told)
        spool.resume_screening(NAME, SIGNER).close()
        assert spool.screenings()[0].frames >= len(told)
