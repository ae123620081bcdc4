"""Cut a van's link while its frames flow, and set its clock wrong by a day and by ten years; part of `make bench-van`.

The van is `sonovan van simulate` in a process of its own; it reaches a real centre over TLS through a relay. The relay
falls at random moments while bytes go up, for up to a few seconds: connections end, or at every fifth cut they stay
open and carry nothing any more, which a van can only find out by waiting. Then the same van sends sweeps while its
process's clock (Debian's `faketime`) is off. At a clock at which the centre's certificate counts, the van's report must
tell the centre how far it is off; at another one the van keeps all, the command must say that it may be the clock, and
all goes once the clock is right. At the end every frame must have one result, every item its signed receipt, and every
screening its complete report.
"""

import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any, Final

from benchmarks.relay import Relay, relay
from benchmarks.shared import say
from benchmarks.van_link_counted import Sent, accounted, complete, revisions_of, says_clock, tells_clock
from benchmarks.van_vault import vault_of
from sonovan.centre import Centre, down, up
from sonovan.cli.failures import Exit
from sonovan.contracts.topics import Topic
from sonovan.contracts.van_reports import VanReported
from sonovan.producers.enrol import enrol
from sonovan.producers.receipts import pin
from sonovan.producers.site import new_secret
from sonovan.producers.spool import STORED, Spool
from sonovan.producers.vault import Vault
from sonovan.transport.tail import read_all

VAN: Final = "van-link"
FRAMES: Final = 150
MBIT_PER_S: Final = 1.0
SILENT_EACH: Final = 5
"""Every cut of this number leaves connections open that carry nothing any more."""
FLOWING_BYTES: Final = 100_000
"""So much must have gone up since the link was healed before it is cut again."""
PAUSES_S: Final = (0.0, 2.0)
FALLEN_S: Final = (0.5, 5.0)
CLOCKS_S: Final = {"+1d": 86_400, "-1d": -86_400, "+10y": 315_360_000, "-10y": -315_360_000}
"""How far the van's clock is ahead, as `faketime` takes it and in seconds; its years have 365 days."""
CLOCK_FRAMES: Final = 12
_GIVE_UP_S: Final = 300.0
_CLOCK_GIVES_UP_S: Final = 15.0
_LOOK_EVERY_S: Final = 0.05


def link(cuts: int, seed: int = 0, frames: int = FRAMES) -> dict[str, Any]:
    """Cut the link so many times while a sweep goes up, then set the clock wrong; figures for `van.json`."""
    if shutil.which("faketime") is None:
        raise RuntimeError("faketime is not installed: on Debian and Ubuntu type apt-get install faketime")
    with tempfile.TemporaryDirectory(prefix="sonovan-van-link-") as folder:
        state, sent = Path(folder) / "state", Sent()
        try:
            centre = up(state, apps=("segment", "assess"), progress=say)
            vault = _enrolled(centre)
            with relay(MBIT_PER_S) as way:
                took_s = _cut(state, vault, way, frames, cuts, seed, sent)
                at = {clock: _at_clock(centre, way, clock, seed, sent) for clock in CLOCKS_S}
                _van(state, way, "spool", "retry", "--give-up-s", f"{_GIVE_UP_S:g}").check_returncode()
            _until(lambda: sent.screenings <= complete(revisions_of(centre, sent)), "every screening has its report")
            with Spool(vault.folder / "spool", vault) as spool:
                found = accounted(centre, spool, VAN, sent)
            return {
                "link_cut": len(took_s),
                "link_cut_silently": len(took_s) // SILENT_EACH,
                "link_healed_to_receipt_s": round(max(took_s), 1),
                "link_healed_to_receipt_median_s": round(median(took_s), 1),
                "link_frames": len(sent.frames),
                "link_clock": {clock: word for clock, (word, _) in at.items()},
                "link_clock_unnamed": sum(not named for _, named in at.values()),
                **found,
            }
        finally:
            down(state, progress=say)


def _enrolled(centre: Centre) -> Vault:
    """The vault of the van, which believes nothing that this centre has not signed."""
    vault = vault_of(centre.path, VAN)
    enrol(vault, VAN, centre.enrol_van(VAN, None), centre.kafka("registrar"))
    pin(vault, centre.receipt_keys().public)
    new_secret(vault)
    return vault


def _command(way: Relay, state: Path, words: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    command = [sys.executable, "-m", "sonovan", "van", *words, "--van", VAN, "--state", str(state)]
    return command, {**os.environ, "SONOVAN_KAFKA_PROXY": way.address, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}


def _van(state: Path, way: Relay, *words: str, clock: str | None = None) -> "subprocess.CompletedProcess[str]":
    command, environment = _command(way, state, words)
    before = [] if clock is None else ["faketime", "-f", clock]
    return subprocess.run([*before, *command], env=environment, capture_output=True, text=True, check=False)


def _sweep(frames: int, seed: int, give_up_s: float) -> list[str]:
    words = ["simulate", "--sweeps", "1", "--frames", str(frames), "--seed", str(seed), "--wait", "--json"]
    return [*words, "--give-up-s", f"{give_up_s:g}"]


def _cut(state: Path, vault: Vault, way: Relay, frames: int, cuts: int, seed: int, sent: Sent) -> list[float]:
    """Send one sweep, and cut meanwhile; seconds from each healing until the next receipt was in the spool."""
    command, environment = _command(way, state, _sweep(frames, seed, _GIVE_UP_S))
    chance, took_s = random.Random(seed), list[float]()
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            with Spool(vault.folder / "spool", vault) as spool:
                for number in range(1, cuts + 1):
                    _go_up(way, process, FLOWING_BYTES)
                    time.sleep(chance.uniform(*PAUSES_S))
                    _go_up(way, process, 1)
                    way.fall(silently=number % SILENT_EACH == 0)
                    time.sleep(chance.uniform(*FALLEN_S))
                    took_s.append(_until_a_receipt(spool, way.heal))
                    say(f"cut {number} of {cuts}: the next receipt after {took_s[-1]:.1f} s")
            told, _ = process.communicate()
        except BaseException:
            process.kill()
            raise
    if process.returncode != Exit.DONE:
        raise RuntimeError(f"the van ended with {process.returncode}: what it said stands above")
    sent.note(told)
    return took_s


def _until_a_receipt(spool: Spool, heal: Callable[[], None]) -> float:
    """Heal the link; seconds from then until one more item has its receipt."""
    before = spool.status().counts[STORED]
    heal()
    healed_at = time.monotonic()
    _until(lambda: spool.status().counts[STORED] > before, "a receipt")
    return time.monotonic() - healed_at


def _go_up(way: Relay, process: "subprocess.Popen[str]", size: int) -> None:
    """Wait until so many bytes more have gone up."""
    wanted = way.carried["up"] + size

    def there() -> bool:
        if process.poll() is not None:
            raise RuntimeError("the sweep was sent before the last cut: it has too few frames")
        return way.carried["up"] >= wanted

    _until(there, "bytes that go up")


def _at_clock(centre: Centre, way: Relay, clock: str, seed: int, sent: Sent) -> tuple[str, bool]:
    """Send a sweep with the clock off: whether it was `sent` or `kept`, and whether the clock was named for it."""
    ran = _van(centre.path, way, *_sweep(CLOCK_FRAMES, seed, _CLOCK_GIVES_UP_S), clock=clock)
    if ran.stdout:
        sent.note(ran.stdout)
    if ran.returncode == Exit.UNAVAILABLE:
        word, named = "kept", says_clock(ran.stderr)
    elif ran.returncode == Exit.DONE:
        word, named = "sent", tells_clock(_last_report(centre), CLOCKS_S[clock])
    else:
        raise RuntimeError(f"clock {clock}: the van ended with {ran.returncode}: {ran.stderr}")
    say(f"clock {clock}: {word}, {'named' if named else f'NOT NAMED: {ran.stderr}'}")
    return word, named


def _last_report(centre: Centre) -> VanReported | None:
    found = [message.decode() for message in read_all(centre.kafka("reader"), Topic.VAN_REPORTED)]
    return next((each for each in reversed(found) if isinstance(each, VanReported) and each.van_id == VAN), None)


def _until(condition: Callable[[], bool], what: str) -> None:
    give_up_at = time.monotonic() + _GIVE_UP_S
    while not condition():
        if time.monotonic() > give_up_at:
            raise RuntimeError(f"not within {_GIVE_UP_S:g} s: {what}")
        time.sleep(_LOOK_EVERY_S)
