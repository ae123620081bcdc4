"""Kill `sonovan van serve`, gateway and uploader in one, at random moments, while a scanner sends and a broker takes.

The scanner does what scanners do: an object that was not acknowledged is sent again, an object that was is forgotten.
At the end every frame of every acknowledged object must stand in `frame.captured` under one name with one content, and
in the spool once. A message that is sent twice, the same both times, is what the centre takes once: it is counted as
`repeated`, not as doubled.
"""

import random
import tempfile
import time
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event, Thread
from typing import Any, Final

from pydicom import Dataset

from benchmarks.answering import Answering
from benchmarks.shared import say
from benchmarks.van_scanner import expect, pictures, port_of, serving, store, ultrasound
from benchmarks.van_vault import vault_of
from sonovan.centre import Centre, down, up
from sonovan.contracts.envelope import open_envelope
from sonovan.contracts.topics import Topic
from sonovan.contracts.van import FrameCaptured
from sonovan.producers.enrol import enrol
from sonovan.producers.gateway.gateway import open_desk
from sonovan.producers.gateway.intake import ARRIVED, COMPOSED
from sonovan.producers.spool import Spool
from sonovan.producers.vault import Vault
from sonovan.transport.tail import read_all

VANS: Final = 2
FRAMES_EACH: Final = 3
PAUSE_S: Final = 2.5
"""A kill comes within so long of the moment from which the process listens, or, one in EARLY, from its start."""
EARLY: Final = 6
_FIGURES: Final = (
    "killed_before_listening", "killed_in_c_store", "objects", "frames", "frames_held", "lost", "doubled", "repeated",
)  # fmt: skip
_GIVE_UP_S: Final = 600.0
_LOOK_EVERY_S: Final = 0.5


def kills(count: int, seed: int = 0) -> dict[str, Any]:
    """So many kills, shared by VANS vans at once; figures for `van.json`."""
    with tempfile.TemporaryDirectory(prefix="sonovan-van-kills-") as folder:
        state = Path(folder) / "state"
        try:
            centre = up(state, apps=(), progress=say)
            vaults = {f"van-kills-{number}": vault_of(state, f"van-kills-{number}") for number in range(VANS)}
            for van_id, vault in vaults.items():
                enrol(vault, van_id, centre.enrol_van(van_id, None), centre.kafka("registrar"))
                expect(vault)
            with Answering(centre), ThreadPoolExecutor(VANS) as threads:
                each = [
                    threads.submit(_of_one_van, centre, state, van_id, vault, count // VANS, seed + number)
                    for number, (van_id, vault) in enumerate(vaults.items())
                ]
                figures = sum((Counter(one.result()) for one in each), Counter())
            return {name: figures[name] for name in ("killed", *_FIGURES)}
        finally:
            down(state, progress=say)


def _of_one_van(centre: Centre, state: Path, van_id: str, vault: Vault, count: int, seed: int) -> dict[str, int]:
    """Kill one van so many times, let it end its work, and count."""
    sent, waiting, moments = _killed(state, van_id, count, seed)
    sent += _ended(state, van_id, vault, waiting)
    return {"killed": count, **moments, **_counted(centre, van_id, vault, sent)}


def _killed(state: Path, van_id: str, count: int, seed: int) -> tuple[list[Dataset], list[Dataset], dict[str, int]]:
    """Kill, and send meanwhile: the objects that were acknowledged, the one that was not yet, when the kills came."""
    chance, sent = random.Random(seed), list[Dataset]()
    moments = {"killed_before_listening": 0, "killed_in_c_store": 0}
    made = _objects(seed)
    waiting = [next(made)]
    for number in range(count):
        with serving(state, van_id) as process:
            listening, over = Event(), Event()

            def scan(process: Any = process, listening: Event = listening, over: Event = over) -> None:
                port = port_of(process)
                if port is None:
                    return
                listening.set()
                while not over.is_set():
                    acknowledged = list(store(port, waiting))
                    if not acknowledged:
                        return
                    sent.extend(acknowledged)
                    waiting[:] = [next(made)]

            scanner = Thread(target=scan)
            scanner.start()
            if chance.randrange(EARLY):
                listening.wait(_GIVE_UP_S)
            time.sleep(chance.uniform(0.0, PAUSE_S))
            before = len(sent)
            process.kill()
            over.set()
            scanner.join()
            moments["killed_before_listening"] += not listening.is_set()
            moments["killed_in_c_store"] += listening.is_set() and len(sent) == before
        if number % 10 == 9:
            say(f"{van_id}: kill {number + 1} of {count}: {len(sent)} objects acknowledged")
    return sent, waiting, moments


def _objects(seed: int) -> Any:
    """Objects without end, no picture of which is like another one."""
    frames = pictures(48, seed)
    number = 0
    while True:
        taken = [frames[(number + index) % len(frames)].copy() for index in range(FRAMES_EACH)]
        for index, each in enumerate(taken):  # a mark that no other picture has, in the middle of the tissue
            bits = f"{number * FRAMES_EACH + index:032b}"
            each[240:244, 300:332] = [[121 if bit == "1" else 120 for bit in bits]] * 4
        yield ultrasound(taken)
        number += 1


def _ended(state: Path, van_id: str, vault: Vault, waiting: list[Dataset]) -> list[Dataset]:
    """Send what was not acknowledged, and let it run until everything is composed, sent and has its receipt."""
    give_up_at = time.monotonic() + _GIVE_UP_S
    with serving(state, van_id) as process, open_desk(vault) as desk, Spool(vault.folder / "spool", vault) as spool:
        sent = list(store(port_of(process) or 0, waiting))
        while desk.intake.objects(ARRIVED) or spool.status().waiting:
            if time.monotonic() > give_up_at:
                raise RuntimeError(f"not done: {len(desk.intake.objects(ARRIVED))} objects, {spool.status()}")
            time.sleep(_LOOK_EVERY_S)
        fates = [each.state for each in desk.intake.objects()]
        if set(fates) != {COMPOSED}:
            say(f"objects that are not composed: {sorted(set(fates))}")
        say(f"{van_id}: {len(fates)} objects came")
    return sent


def _counted(centre: Centre, van_id: str, vault: Vault, sent: list[Dataset]) -> dict[str, int]:
    contents: dict[str, set[str]] = defaultdict(set)
    messages = 0
    for message in read_all(centre.kafka("reader"), Topic.FRAME_CAPTURED):
        header = FrameCaptured.decode(open_envelope(message.value or b"").header)
        if header.van_id == van_id:
            contents[header.frame_id].add(header.pixels_sha256)
            messages += 1
    names: dict[str, set[str]] = defaultdict(set)
    for name, found in contents.items():
        for sha256 in found:
            names[sha256].add(name)
    with Spool(vault.folder / "spool", vault) as spool:
        (screening,) = spool.screenings()
        held = screening.held
    wanted = FRAMES_EACH * len(sent)
    return {
        "objects": len(sent),
        "frames": wanted,
        "frames_held": held,
        "lost": max(wanted - held - len(names), 0) + max(wanted - screening.frames, 0),
        "doubled": sum(len(each) - 1 for each in (*contents.values(), *names.values()))
        + max(screening.frames - wanted, 0) + abs(screening.sequences - len(sent)),
        "repeated": messages - len(contents),
    }  # fmt: skip
