"""How fast a van takes what scanners send: until it is acknowledged, and until its frames are in the spool.

The scanners are DCMTK's `storescu` where it is installed: a scanner computes on a machine of its own, and pynetdicom in
its place takes as much of these cores as the van does.
"""

import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from pydicom import Dataset, dcmread

from benchmarks.shared import say
from benchmarks.van_scanner import cores, expect, files_of, pictures, port_of, serving, store, ultrasound
from benchmarks.van_scanner import storescu as _storescu
from benchmarks.van_vault import vault_of
from sonovan.contracts.signatures import generate_key
from sonovan.producers.gateway.gateway import open_desk
from sonovan.producers.gateway.intake import ARRIVED, COMPOSED
from sonovan.producers.spool import Spool
from sonovan.producers.vault import Vault

SCANNERS: Final = 2
_PICTURES: Final = 200
_GIVE_UP_S: Final = 900.0
_LOOK_EVERY_S: Final = 0.05

Scan = Callable[[int, Sequence[Path]], int]
"""Sends files to a port over one association; how many were acknowledged."""


def intake(loop_frames: int = 300, stills: int = 800) -> dict[str, Any]:
    """Two scanners at once, without an uploader. Figures for `van.json`.

    intake_fps: stills (an object of one frame each) acknowledged a second, each encrypted and fsynced before. Some
    seconds of them, for the van still loads its networks when it begins to listen.
    loops_intake_fps: the same of frames in cine loops. composed_fps: frames of these loops a second, from the first
    C-STORE to the last frame cleaned, coded, signed, encrypted and fsynced in the spool.
    """
    scan = _scan if shutil.which("storescu") is None else _storescu
    with tempfile.TemporaryDirectory(prefix="sonovan-intake-") as folder:
        shown = [pictures(_PICTURES, seed) for seed in range(SCANNERS)]
        singles = [[ultrasound([each[number % _PICTURES]]) for number in range(stills)] for each in shown]
        acknowledged_s, _ = _sent(Path(folder), "stills", singles, scan, compose=False)
        loops = [[ultrasound(pictures(loop_frames, 10 + seed))] for seed in range(SCANNERS)]
        loops_s, composed_s = _sent(Path(folder), "loops", loops, scan, compose=True)
    return {
        "intake_fps": round(SCANNERS * stills / acknowledged_s, 1),
        "loops_intake_fps": round(SCANNERS * loop_frames / loops_s, 1),
        "composed_fps": round(SCANNERS * loop_frames / composed_s, 1),
        "intake_size": "640x480",
        "intake_cores": cores(),
        "intake_scanner": "pynetdicom" if scan is _scan else "storescu",
    }


def _sent(state: Path, van_id: str, objects: list[list[Dataset]], scan: Scan, *, compose: bool) -> tuple[float, float]:
    """Seconds until all is acknowledged, and until all is composed; each list is sent by a scanner of its own."""
    vault = vault_of(state, van_id)
    vault.write("signing_key", generate_key())
    expect(vault)
    files = [files_of(state / f"{van_id}-{number}", each) for number, each in enumerate(objects)]
    with serving(state, van_id, "--no-upload") as process, ThreadPoolExecutor(len(objects)) as scanners:
        port = port_of(process)
        if port is None:
            raise RuntimeError("van serve did not start")
        began = time.monotonic()
        sending = [scanners.submit(scan, port, each) for each in files]
        if [each.result() for each in sending] != [len(each) for each in objects]:
            raise RuntimeError("an object was not acknowledged")
        acknowledged_s = time.monotonic() - began
        if compose:
            _await_composed(vault)
        composed_s = time.monotonic() - began
        if not compose:
            process.kill()
    say(f"{van_id}: acknowledged after {acknowledged_s:.1f} s, done after {composed_s:.1f} s")
    return acknowledged_s, composed_s


def _scan(port: int, files: Sequence[Path]) -> int:
    """Send as one scanner; how many were acknowledged."""
    return sum(1 for _ in store(port, [dcmread(each) for each in files]))


def _await_composed(vault: Vault) -> None:
    give_up_at = time.monotonic() + _GIVE_UP_S
    with open_desk(vault) as desk, Spool(vault.folder / "spool", vault) as spool:
        while desk.intake.objects(ARRIVED):
            if time.monotonic() > give_up_at:
                raise RuntimeError("the objects were not composed")
            time.sleep(_LOOK_EVERY_S)
        if {each.state for each in desk.intake.objects()} != {COMPOSED} or not spool.screenings():
            raise RuntimeError("an object waits in the tray or the quarantine")
