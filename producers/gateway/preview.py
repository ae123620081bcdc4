"""A look at the newest frame by the centre's own network, on this laptop, while somebody scans: where to look again.

It says where something is outlined and never that nothing is, gives no category, and is kept in memory alone: nothing
of it is stored as a result or sent. One thread with the lowest priority looks, at most half of the time, and not at all
while objects wait to be composed.
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Event, Lock
from typing import TYPE_CHECKING, Final, Literal, Protocol

from sonovan.contracts.lexicon import Organ, Side
from sonovan.models.errors import ModelError, UnusablePicture
from sonovan.models.picture.letterbox import Box
from sonovan.producers.sources import CapturedFrame, Pixels, Source

if TYPE_CHECKING:  # it brings the runtimes with it, which a page without a preview does not need
    from sonovan.models.segmenter import Segmentation

LEAST_PAUSE_S: Final = 0.2
"""Between two looks, and at least as long as the look before took."""
BEHIND_POLL_S: Final = 1.0
LATE: Final = 16
"""Frames before the end of a sweep: an outline on one of these, and the sweep ended on it. So many frames are put into
the spool in one step, and the last one of each step is offered."""
SCREENINGS: Final = 8
"""Screenings that are remembered; the oldest is forgotten."""
_LOWEST: Final = 19
"""Niceness of the thread."""

_Place = tuple[Organ, Side | None]

State = Literal["off", "starting", "ready", "no_weights", "failed", "silenced"]

_LOG: Final = logging.getLogger(__name__)


class Network(Protocol):
    """What looks at a frame: `sonovan.models.segmenter.Segmenter`."""

    def segment(
        self,
        pixels: Pixels,
        organ: str,
        panels: Sequence[Box] = (),
        spacing_mm: Sequence[tuple[float, float] | None] = (),
    ) -> "Segmentation":
        """As `Segmenter.segment`."""  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """A frame that was looked at. polygons: the outlines on it, (column, row) in its pixels; box: of its largest panel.

    number: counts all looks, so that two pictures have two names. at: UNIX seconds.
    """

    number: int
    organ: Organ
    side: Side | None
    frame_index: int
    polygons: tuple[tuple[tuple[float, float], ...], ...]
    pixels: Pixels = field(repr=False)
    box: Box
    spacing_mm: tuple[float, float] | None
    at: float


@dataclass(frozen=True, slots=True)
class Previewed:
    """What a page shows of a screening. outlined: the newest frame on which something is outlined.

    ended_on_it: the newest sweep is over, and one of its last frames shows an outline.
    one_plane: no other sweep of that organ and side came after the one on which something was outlined first, or each
    is named as of the same view or of another place.
    """

    state: State = "off"
    outlined: Look | None = None
    ended_on_it: bool = False
    one_plane: bool = False


@dataclass
class _Seen:
    outlined: Look | None = None
    latest: tuple[Source, int, bool] | None = None  # sweep, frame index, whether something was outlined
    ended: tuple[Source, int] | None = None  # sweep, index of its last frame
    first: dict[_Place, Source] = field(default_factory=dict)  # the sweep on which something was outlined first
    across: set[_Place] = field(default_factory=set)  # where another sweep came after that one


class Preview:
    """Takes frames from whoever composes and is looked at by pages, from any thread; `run` looks at them in its own."""

    def __init__(
        self,
        open_network: Callable[[], Network] | None = None,
        behind: Callable[[], bool] = lambda: False,
        silenced: Callable[[str], bool] = lambda _screening_id: False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """open_network: loads it, raises ModelError where it is not here; None previews nothing. behind: whether
        objects wait to be composed. silenced: whether no machine may look at a screening any more, as she agrees to it
        no longer or it is void: nothing of it is looked at or shown then. clock: UNIX seconds.
        """
        self._open, self._silenced, self._clock, self._lock = open_network, silenced, clock, Lock()
        self.behind = behind
        self._seen: dict[str, _Seen] = {}
        self._next: tuple[str, Source, CapturedFrame] | None = None
        self._state: State = "off" if open_network is None else "starting"
        self._wake, self._stop = Event(), Event()
        self.looks = 0

    def offer(self, screening_id: str, source: Source, shot: CapturedFrame) -> None:
        """A frame that is in the spool now; it takes the place of one that nobody looked at yet. Held ones are left."""
        with self._lock:
            if self._state in ("off", "no_weights", "failed") or shot.held:
                return
            self._next = (screening_id, source, shot)
            _note_plane(self._of(screening_id), _place(source, shot), source)
        self._wake.set()

    def ended(self, screening_id: str, source: Source, last_index: int) -> None:
        """A sweep is over. last_index: of the last frame that could be read."""
        with self._lock:
            self._of(screening_id).ended = (source, last_index)

    def of(self, screening_id: str) -> Previewed:
        """What there is to show of a screening."""
        if self._silenced(screening_id):
            self._forget(screening_id)
            return Previewed("silenced")
        with self._lock:
            seen = self._seen.get(screening_id, _Seen())
            look = seen.outlined
            one_plane = look is not None and (look.organ, look.side) not in seen.across
            return Previewed(self._state, look, _ended_on_it(seen), one_plane)

    def run(self) -> None:
        """Look at frames until `stop`. Raises nothing: a preview is a help, and whatever ends it must end neither the
        listener nor a scan. Pages say so.
        """
        if self._open is None:
            return
        try:
            self._run(self._open)
        except Exception:  # the runtimes have no common class, and none of theirs may end a scan
            _LOG.exception("the preview ended by an error; scanning goes on without it")
            with self._lock:
                self._state, self._next = "failed", None

    def _run(self, open_network: Callable[[], Network]) -> None:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _LOWEST)
        try:
            network = open_network()
        except ModelError:
            with self._lock:
                self._state, self._next = "no_weights", None
            return
        with self._lock:
            self._state = "ready"
        while not self._stop.is_set():
            if not self._wake.wait(BEHIND_POLL_S):
                continue
            if self.behind():
                self._stop.wait(BEHIND_POLL_S)
                continue
            self._wake.clear()
            began = time.monotonic()
            self._look(network)
            self._stop.wait(max(LEAST_PAUSE_S, time.monotonic() - began))

    def stop(self) -> None:
        """Have `run` return after the frame that it has in hand."""
        self._stop.set()
        self._wake.set()

    def _look(self, network: Network) -> None:
        with self._lock:
            chosen, self._next = self._next, None
        if chosen is None:
            return
        screening_id, source, shot = chosen
        if self._silenced(screening_id):
            self._forget(screening_id)
            return
        panels = tuple((each.left, each.top, each.width, each.height) for each in shot.panels)
        spacing = tuple(each.spacing_mm for each in shot.panels)
        try:
            found = network.segment(shot.pixels, source.organ, panels, spacing)
        except UnusablePicture:
            return
        largest = max(range(len(panels)), key=lambda each: panels[each][2] * panels[each][3])
        polygons = tuple(each.polygon for each in found.regions)
        with self._lock:
            self.looks += 1
            seen = self._of(screening_id)
            seen.latest = (source, shot.frame_index, bool(polygons))
            if polygons:
                box = panels[largest] if len(panels) == 1 else (0, 0, shot.pixels.shape[1], shot.pixels.shape[0])
                place = _place(source, shot)
                seen.first.setdefault(place, source)
                seen.outlined = Look(
                    self.looks, *place, shot.frame_index, polygons, shot.pixels, box, spacing[largest],
                    self._clock(),
                )  # fmt: skip

    def _forget(self, screening_id: str) -> None:
        with self._lock:
            self._seen.pop(screening_id, None)

    def _of(self, screening_id: str) -> _Seen:
        """What is known of a screening, within the lock."""
        seen = self._seen.setdefault(screening_id, _Seen())
        while len(self._seen) > SCREENINGS:
            del self._seen[next(name for name, each in self._seen.items() if name != screening_id)]
        return seen


def _place(source: Source, shot: CapturedFrame) -> _Place:
    """The organ, and the side of the sweep or else of the frame's largest panel."""
    largest = max(shot.panels, key=lambda each: each.width * each.height)
    return source.organ, source.laterality or largest.laterality


def _note_plane(seen: _Seen, place: _Place, source: Source) -> None:
    first = seen.first.get(place)
    if first is None or source is first:
        return
    elsewhere = source.position != first.position and None not in (source.position, first.position)
    if not elsewhere and (source.view is None or source.view != first.view):
        seen.across.add(place)


def _ended_on_it(seen: _Seen) -> bool:
    if seen.latest is None or seen.ended is None:
        return False
    (source, index, outlined), (sweep, last) = seen.latest, seen.ended
    return outlined and source is sweep and last > 0 and index > last - LATE
