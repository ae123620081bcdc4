"""Record sweeps from a scanner's video output into the screening of whoever is being scanned."""

from collections.abc import Callable
from dataclasses import dataclass
from threading import Event, Lock, Thread

from sonovan.contracts.errors import InvalidRecord, SonovanError
from sonovan.contracts.ids import mint_id
from sonovan.contracts.lexicon import Organ, Position, Side, View
from sonovan.producers.gateway.composing import Clean, only_organ, put_all, screening_of
from sonovan.producers.gateway.recording_now import recording_now
from sonovan.producers.gateway.register import Expected
from sonovan.producers.gateway.settings import CaptureEntry
from sonovan.producers.gateway.watching import Watch
from sonovan.producers.items import Signer
from sonovan.producers.sources.capture import Sweep, open_device
from sonovan.producers.sources.grabbing import Frames
from sonovan.producers.sources.origin import Origin
from sonovan.producers.sources.source import CaptureOptions
from sonovan.producers.spool import Spool

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class SweepOrder:
    """What is to be scanned: of whom, which organ, side and region; a scale that the operator says now; who scans."""

    entry: Expected
    organ: Organ | None = None
    side: Side | None = None
    region: Position | None = None
    view: View | None = None
    spacing_mm: float | None = None
    depth_mm: float | None = None
    operator: str | None = None


def entry_of(entries: tuple[CaptureEntry, ...], name: str | None) -> CaptureEntry:
    """The capture of this name, the only one without a name. Raises InvalidRecord `option_invalid`."""
    found = [each for each in entries if name in (None, each.name)]
    if len(found) == 1:
        return found[0]
    names = ", ".join(each.name for each in entries)
    message = f"say which capture: {names}" if names else "van.toml has no [[capture]]"
    raise InvalidRecord("option_invalid", message)


def record(
    spool: Spool,
    signer: Signer,
    clean: Clean,
    watch: Watch,
    entry: CaptureEntry,
    order: SweepOrder,
    tell: Tell,
    started: Callable[[Sweep], None],
    open_it: Callable[[Origin], Frames] = open_device,
) -> str:
    """Record one sweep until it is stopped or the signal is lost; each frame is durable in the spool, in order.

    started: is given the sweep, to stop it, before the first frame is read. Returns the screening's id.
    Raises InvalidRecord `side_missing`, `organ_missing`, `no_signal`, or where no frame came; Transient, Fatal.
    """
    organ = order.organ or only_organ(order.entry)
    if organ == "breast" and order.side is None:
        raise InvalidRecord("side_missing", "say which breast: left or right")
    options = CaptureOptions(organ=organ, side=order.side, position=order.region, view=order.view)
    calibration = entry.calibration(order.spacing_mm, order.depth_mm)
    sweep = Sweep(entry.origin, open_it(entry.origin), calibration, options, tell)
    with recording_now(spool.folder):
        started(sweep)
        screening = screening_of(spool, order.entry, signer)
        put_all(screening, clean(sweep.source), f"capture {mint_id()}", watch, order.operator)
    return order.entry.screening_id


class Recorder:
    """Records one sweep at a time, in a thread of its own; any thread may start and stop it.

    screening_id: into which a sweep is being recorded, or its last frames are being kept; None while none is.
    broke_off: the screening whose newest sweep nobody stopped: the signal was lost, or frames could not be kept; None
    once another one was started.
    """

    def __init__(
        self,
        spool: Spool,
        signer: Signer,
        clean: Clean,
        watch: Watch,
        captures: tuple[CaptureEntry, ...],
        tell: Tell,
        open_it: Callable[[Origin], Frames] = open_device,
    ) -> None:
        """tell: takes a line in which nobody is named. open_it: opens a device."""
        self._spool, self._signer, self._clean, self._watch = spool, signer, clean, watch
        self._captures, self._tell, self._open = captures, tell, open_it
        self._lock = Lock()
        self._thread: Thread | None = None
        self._sweep: Sweep | None = None
        self._stopping = False
        self.screening_id: str | None = None
        self.broke_off: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The captures of van.toml."""
        return tuple(each.name for each in self._captures)

    @property
    def recording(self) -> bool:
        """Whether a sweep is being recorded."""
        return self.screening_id is not None

    def start(self, order: SweepOrder, name: str | None = None) -> None:
        """Begin a sweep; it returns once the device has answered. name: which capture, None the only one.

        Raises InvalidRecord `option_invalid` where one is being recorded, and as `record` does before its first frame.
        """
        entry = entry_of(self._captures, name)
        with self._lock:
            if self.recording:
                raise InvalidRecord("option_invalid", "a sweep is being recorded already: stop it first")
            begun = Event()
            failed: list[SonovanError] = []
            screening_id = order.entry.screening_id
            self._sweep, self._stopping = None, False
            self.screening_id, self.broke_off = screening_id, None

            def started(sweep: Sweep) -> None:
                self._sweep = sweep
                begun.set()

            def run() -> None:
                try:
                    record(
                        self._spool, self._signer, self._clean, self._watch, entry, order, self._tell, started,
                        self._open,
                    )  # fmt: skip
                except SonovanError as error:
                    failed.append(error)
                    if begun.is_set():
                        self._tell(f"the sweep: {error}")
                finally:
                    if self._sweep is not None and not self._stopping:
                        self.broke_off = screening_id
                    self.screening_id = None
                    self._watch.changed()
                    begun.set()

            self._thread = Thread(target=run, name="recorder")
            self._thread.start()
            begun.wait()
            if failed and self._sweep is None:
                raise failed[0]

    def stop(self) -> None:
        """End the sweep, if there is one; returns once its last frame is durable."""
        with self._lock:
            self._stopping = True
            if self._sweep is not None:
                self._sweep.stop()
            if self._thread is not None:
                self._thread.join()
            self._sweep, self._thread = None, None
