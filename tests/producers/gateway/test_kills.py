"""A listener that is killed: what it acknowledged is there, and what it did not is not."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Thread

from pydicom import dcmread

from sonovan.contracts.signatures import generate_key
from sonovan.producers.gateway.gateway import open_desk
from sonovan.producers.gateway.intake import ARRIVED, COMPOSED
from sonovan.producers.plan import both_sides
from sonovan.producers.spool import Spool
from sonovan.producers.vault import Vault
from tests.producers.files import grey, write_dicom
from tests.producers.gateway.vans import SLIP, TODAY, send, study
from tests.producers.visits import VISIT, vault_of
from tests.waiting import until

VAN = "van-kill"


@contextmanager
def serving(state: Path) -> Iterator[tuple["subprocess.Popen[str]", int]]:
    """`sonovan van serve` in a process of its own, and its port; killed at the end."""
    command = (
        sys.executable,
        "-m",
        "sonovan",
        "van",
        "serve",
        "--port",
        "0",
        "--no-upload",
        "--no-page",
        "--state",
        str(state),
    )
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process, int(process.stdout.readline().rpartition(" ")[2])
        finally:
            process.kill()


def enrolled(state: Path) -> Vault:
    vault = vault_of(state, VAN)
    vault.write("signing_key", generate_key())
    with open_desk(vault) as desk:
        desk.register.expect(replace(VISIT, slip_number=SLIP, planned=both_sides(["breast"])), TODAY)
    return vault


def test_killed_in_the_middle_of_a_c_store_nothing_acknowledged_is_lost_and_nothing_doubled(tmp_path: Path) -> None:
    vault = enrolled(tmp_path)
    small = [study(tmp_path / f"{n}.dcm", 3, 10 * n) for n in range(3)]
    pictures = [grey(1000, 1000, seed % 3) for seed in range(60)]
    large = write_dicom(tmp_path / "large.dcm", pictures, shape=(1000, 1000), PatientID=SLIP, Laterality="R")
    acknowledged: list[int] = []
    incoming = vault.folder / "incoming"
    with serving(tmp_path) as (process, port):
        assert send(port, *small) == [0, 0, 0]

        def scan() -> None:
            try:
                acknowledged.extend(send(port, large))
            except (AttributeError, RuntimeError):  # no status: the association was cut off
                return

        sending = Thread(target=scan)
        sending.start()
        until(lambda: any(each.stat().st_size > 2**21 for each in incoming.iterdir()), "a part of it is there")
        process.kill()
        sending.join()
    assert acknowledged == []
    clear = dcmread(large).PixelData[2**20 : 2**20 + 64]
    assert not any(clear in each.read_bytes() for each in incoming.iterdir())
    with open_desk(vault) as desk:
        assert [each.state for each in desk.intake.objects() if each.state not in (ARRIVED, COMPOSED)] == []
        assert len(desk.intake.objects()) == 3
    with serving(tmp_path) as (process, port):
        assert list(incoming.iterdir()) == []
        assert send(port, large, *small) == [0, 0, 0, 0]
        with open_desk(vault) as desk:
            until(lambda: not desk.intake.objects(ARRIVED), "all is composed")
            assert [each.state for each in desk.intake.objects()] == [COMPOSED] * 4
        process.terminate()
        assert process.wait(60) == 0
    with Spool(vault.folder / "spool", vault) as spool:
        (screening,) = spool.screenings()
        assert (screening.sequences, screening.frames) == (4, 69)
    assert os.listdir(vault.folder / "objects") == []


def test_killed_while_it_takes_from_a_watched_folder_nothing_is_lost_doubled_or_left_in_the_clear(
    tmp_path: Path,
) -> None:
    vault, landing = enrolled(tmp_path), tmp_path / "landing"
    landing.mkdir()
    options = f'[[folder]]\npath = "{landing}"\nsettle_s = 0.01\nafter = "delete"\n'
    (vault.folder / "van.toml").write_text(options)
    for number in range(12):
        study(landing / f"{number}.dcm", 3, 10 * number)
    for taken in (1, 6):
        with serving(tmp_path), open_desk(vault) as desk:
            until(lambda: len(desk.intake.objects()) >= taken, "some are taken")  # noqa: B023
    with serving(tmp_path) as (process, _), open_desk(vault) as desk:
        until(lambda: not list(landing.iterdir()) and not desk.intake.objects(ARRIVED), "all are composed")
        assert [each.state for each in desk.intake.objects()] == [COMPOSED] * 12
        process.terminate()
        assert process.wait(60) == 0
    with Spool(vault.folder / "spool", vault) as spool:
        (screening,) = spool.screenings()
        assert (screening.sequences, screening.frames) == (12, 36)
    assert os.listdir(vault.folder / "objects") == []
