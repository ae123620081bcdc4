"""Vans that scan at a steady rate, through their spools, for as long as something happens to the centre."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from threading import Event, Thread
from types import TracebackType
from typing import Final, Self

from benchmarks.shared import VISIT, numbered
from benchmarks.van_vault import vault_of
from sonovan.centre import Centre
from sonovan.contracts.ids import mint_id
from sonovan.producers.enrol import enrol, load_kafka, load_signer
from sonovan.producers.screening import compose_sequence
from sonovan.producers.simulate import simulated_sources
from sonovan.producers.sources import CapturedFrame, LostFrame
from sonovan.producers.spool import Spool
from sonovan.producers.upload import Uploader, reported

GIVE_UP_S: Final = 300.0
PICTURES: Final = 24
LONGEST_FRAMES: Final = 2000


@dataclass(frozen=True, slots=True)
class Scanned:
    """A screening of one sweep that a van scanned. frame_ids: of all its frames."""

    van_id: str
    screening_id: str
    frame_ids: frozenset[str]


class Van:
    """One van: it uploads from its spool while a `with` block runs."""

    def __init__(self, centre: Centre, number: int) -> None:
        self.van_id = f"scale-{number}"
        vault = vault_of(centre.path, self.van_id)
        enrol(vault, self.van_id, centre.enrol_van(self.van_id, None), centre.kafka("registrar"))
        self._signer = load_signer(vault, self.van_id)
        self._spool = Spool(vault.folder / "spool", vault)
        self._uploader = Uploader(self._spool, load_kafka(vault, self.van_id), self.van_id)
        (self._source,) = simulated_sources("breast", 1, PICTURES, number)
        self._pictures = [shot for shot in self._source.read() if isinstance(shot, CapturedFrame)]
        self._stop, self._error = Event(), list[BaseException]()
        self._thread = Thread(target=self._upload, name=self.van_id)

    def __enter__(self) -> Self:
        self._spool.__enter__()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        self._spool.__exit__(kind, error, trace)

    def scan(self, frames_per_s: float, over: Event) -> Scanned:
        """Scan one sweep, a frame at a time, until `over` is set."""

        def read() -> Iterator[CapturedFrame | LostFrame]:
            began = time.monotonic()
            for index in range(LONGEST_FRAMES):
                if over.wait(max(began + index / frames_per_s - time.monotonic(), 0.0)) and index > 0:
                    return
                yield numbered(self._pictures[index % len(self._pictures)], index)

        source = replace(self._source, read=read, frame_count=None)
        screening = self._spool.open_screening(VISIT, self._signer, [source])
        compose_sequence(screening, source, mint_id())
        composed = screening.close()
        (sequence,) = composed.sequences
        named = frozenset(f"{sequence.sequence_id}/{index:06d}" for index in range(sequence.frames))
        return Scanned(self.van_id, composed.screening_id, named)

    def has_report(self, screening_id: str) -> bool:
        """Whether every item of the screening has its receipt, and the van knows of its final report."""
        if self._error:
            raise self._error[0]
        return reported(self._spool, screening_id)

    def _upload(self) -> None:
        try:
            self._uploader.run(self._stop.is_set, give_up_s=GIVE_UP_S)
        except BaseException as error:  # for whoever waits for a report
            self._error.append(error)


def scanning(vans: list[Van], frames_per_s: float, happening: Callable[[], None], lead_s: float) -> list[Scanned]:
    """Have every van scan one sweep, from `lead_s` before what happens to `lead_s` after it."""
    over, scanned, errors = Event(), list[Scanned](), list[BaseException]()

    def scan(van: Van) -> None:
        try:
            scanned.append(van.scan(frames_per_s, over))
        except BaseException as error:  # for whoever started this thread
            errors.append(error)

    threads = [Thread(target=scan, args=(van,)) for van in vans]
    for thread in threads:
        thread.start()
    try:
        time.sleep(lead_s)
        happening()
        time.sleep(lead_s)
    finally:
        over.set()
        for thread in threads:
            thread.join()
    if errors:
        raise errors[0]
    return scanned
