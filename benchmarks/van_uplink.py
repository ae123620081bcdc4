"""How soon a van has a preliminary result over a slow link: levels first against first in, first out."""

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any, Final

from benchmarks.relay import Relay, relay
from benchmarks.shared import VISIT, say
from benchmarks.van_vault import vault_of
from sonovan.centre import Centre, down, up
from sonovan.contracts.broker import BrokerSettings
from sonovan.contracts.ids import STRIDES, mint_id
from sonovan.producers.enrol import enrol, load_kafka, load_signer
from sonovan.producers.items import Signer
from sonovan.producers.screening import compose_sequence
from sonovan.producers.simulate import simulated_sources
from sonovan.producers.spool import QUEUED, STORED, Spool
from sonovan.producers.upload import Uploader
from sonovan.producers.vault import Vault

MBIT_PER_S: Final = 4.0
GIVE_UP_S: Final = 900.0
_LOOK_EVERY_S: Final = 0.05


class FirstInFirstOut(Spool):
    """A spool that sends its items in the order in which they were put."""

    def pending(self, limit: int, resend_before: float, levels: int = len(STRIDES)) -> list[str]:
        """As `Spool.pending`, in another order."""
        rows = self._db.read("SELECT item_id FROM items WHERE state = ? ORDER BY number LIMIT ?", QUEUED, limit)
        return [row[0] for row in rows]


@dataclass(frozen=True, slots=True)
class Timed:
    """One upload. first_s: until the first report was on the van; its status, and until the complete one was there."""

    first_s: float
    first_status: str
    complete_s: float
    items: int
    stored: int
    bytes_up: int


def uplink(frames: int, mbit_per_s: float = MBIT_PER_S) -> dict[str, Any]:
    """Send one sweep twice through the same link, once in each order. Figures for `van.json`."""
    with tempfile.TemporaryDirectory(prefix="sonovan-uplink-") as folder:
        state = Path(folder) / "state"
        try:
            centre = up(state, apps=("segment", "assess"), progress=say)
            with relay(mbit_per_s) as link:
                warm_up = _timed(centre, Spool, 8, "warm", link)
                levels = _timed(centre, Spool, frames, "levels", link)
                fifo = _timed(centre, FirstInFirstOut, frames, "fifo", link)
        finally:
            down(state, progress=say)
    if warm_up.stored != warm_up.items:
        raise RuntimeError("the centre did not store what warmed it up")
    return {
        "preliminary_speedup": round(fifo.first_s / levels.first_s, 1),
        "preliminary_s": round(levels.first_s, 1),
        "preliminary_status": levels.first_status,
        "first_in_first_out_s": round(fifo.first_s, 1),
        "first_in_first_out_status": fifo.first_status,
        "complete_s": round(levels.complete_s, 1),
        "complete_first_in_first_out_s": round(fifo.complete_s, 1),
        "sweep_frames": frames,
        "sweep_mib": round(levels.bytes_up / 2**20, 1),
        "link_mbit_per_s": mbit_per_s,
        "uplink_lost": levels.items - levels.stored + fifo.items - fifo.stored,
    }


def _timed(centre: Centre, kind: type[Spool], frames: int, van_id: str, link: Relay) -> Timed:
    vault, kafka, signer = _enrolled(centre, van_id)
    with kind(vault.folder / "spool", vault) as spool:
        (source,) = simulated_sources("breast", 1, frames, 7)
        screening = spool.open_screening(VISIT, signer, [source])
        compose_sequence(screening, source, mint_id())
        screening_id = screening.close().screening_id
        items, before = spool.status().waiting, link.carried["up"]
        failed: list[BaseException] = []

        def complete() -> bool:
            report = spool.report(screening_id)
            return report is not None and report.status == "complete" and not spool.status().waiting

        def send() -> None:
            through = kafka.model_copy(update={"proxy": link.address})
            try:
                Uploader(spool, through, van_id).run(complete, give_up_s=GIVE_UP_S)
            except BaseException as error:
                failed.append(error)

        began = time.monotonic()
        sending = Thread(target=send)
        sending.start()
        while (first := spool.report(screening_id)) is None and not failed:
            time.sleep(_LOOK_EVERY_S)
        first_s = time.monotonic() - began
        sending.join()
        if failed or first is None:
            raise RuntimeError(f"{van_id}: the upload failed: {failed}")
        complete_s = time.monotonic() - began
        say(f"{van_id}: {first.status} after {first_s:.1f} s, complete after {complete_s:.1f} s")
        stored = spool.status().counts[STORED]
        return Timed(first_s, str(first.status), complete_s, items, stored, link.carried["up"] - before)


def _enrolled(centre: Centre, van_id: str) -> tuple[Vault, BrokerSettings, Signer]:
    vault = vault_of(centre.path, van_id)
    enrol(vault, van_id, centre.enrol_van(van_id, None), centre.kafka("registrar"))
    return vault, load_kafka(vault, van_id), load_signer(vault, van_id)
