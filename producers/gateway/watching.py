"""What the operator sees while a woman is scanned: frames as they come into her screening, and how good they are.

In memory alone: after a restart it begins anew, while the spool still has every frame.
"""

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median
from threading import Lock
from typing import Final

import numpy as np

from sonovan.clinical.adequacy import ADEQUACY_RULES
from sonovan.clinical.motion import MOTION_RULES
from sonovan.contracts.lexicon import Organ, Side
from sonovan.models.errors import UnusablePicture
from sonovan.models.picture.live import LiveQuality, live_quality
from sonovan.producers.gateway.preview import Preview
from sonovan.producers.sources import CapturedFrame, LostFrame, Pixels, Source
from sonovan.producers.sources.capture import FROZEN
from sonovan.producers.sources.origin import Origin

LATEST: Final = 12
"""Frames that are shown."""
SCREENINGS: Final = 8
"""Screenings that are remembered; the oldest is forgotten."""
_UNDER_WAY_S: Final = 10.0
"""A sweep of which nothing has come for so long, while something else did, is not under way any more."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One frame that was judged. blurred: far less sharp than those of its sweep before it."""

    organ: Organ
    side: Side | None
    frame_index: int
    quality: LiveQuality
    blurred: bool


@dataclass
class _Seen:
    frames: int = 0
    lost: int = 0
    latest: deque[Judged] = field(default_factory=lambda: deque(maxlen=LATEST))
    sharp: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=MOTION_RULES.near))
    pictures: dict[Origin, "_Pictures"] = field(default_factory=dict)
    ended_frozen: bool = False
    last_at: float | None = None

    @property
    def frozen(self) -> bool:
        now = self.last_at or 0.0
        lately = [each for each in self.pictures.values() if now - each.at <= _UNDER_WAY_S]  # others broke off
        return self.ended_frozen or any(each.frozen or each.noted for each in lately)


@dataclass
class _Pictures:
    """The pictures of one sweep that is under way. different: how many that differ from the one before. still: how many
    frames up to the newest are alike. noted: whoever records it says of the newest that it stands still. at: UNIX
    seconds of the newest.
    """

    newest: Pixels | None = None
    different: int = 0
    still: int = 0
    noted: bool = False
    at: float = 0.0

    def take(self, shot: CapturedFrame, now: float) -> None:
        if self.newest is not None and np.array_equal(self.newest, shot.pixels):
            self.still += 1
        else:
            self.still, self.different = 1, self.different + 1
        self.newest, self.noted, self.at = shot.pixels, FROZEN in shot.notes, now

    @property
    def frozen(self) -> bool:
        """Whether its frames would be enough, were they different ones."""
        enough = ADEQUACY_RULES.assessable_frames[1]
        return self.still >= enough and self.different < enough


@dataclass(frozen=True, slots=True)
class Glance:
    """What came into a screening since the gateway started. last_at: UNIX seconds of the last frame.

    frozen: the newest sweep does not count, as its picture stands still: of its frames fewer than enough differ
    (`sonovan.clinical.adequacy`), or whoever records it says so.
    """

    version: int = 0
    frames: int = 0
    lost: int = 0
    latest: tuple[Judged, ...] = ()
    last_at: float | None = None
    frozen: bool = False


class Watch:
    """Takes frames from whoever composes, and is looked at by pages; any thread may do either."""

    def __init__(self, clock: Callable[[], float] = time.time, preview: Preview | None = None) -> None:
        """clock: UNIX seconds. preview: is offered what is judged; None looks at nothing."""
        self._clock, self._lock = clock, Lock()
        self.preview = preview or Preview()
        self._seen: dict[str, _Seen] = {}
        self._version = 0

    def frames(self, screening_id: str, source: Source, shots: Sequence[CapturedFrame | LostFrame]) -> None:
        """Take frames that are in the spool now. The last one of them is judged: a few milliseconds for each call."""
        captured = [shot for shot in shots if isinstance(shot, CapturedFrame)]
        quality = _quality(captured[-1]) if captured else None
        if captured:
            self.preview.offer(screening_id, source, captured[-1])
        with self._lock:
            seen = self._seen.setdefault(screening_id, _Seen())
            while len(self._seen) > SCREENINGS:
                del self._seen[next(each for each in self._seen if each != screening_id)]
            if any(shot.frame_index == 0 for shot in shots):
                seen.sharp.clear()
                seen.pictures[source.path], seen.ended_frozen = _Pictures(), False
            pictures = seen.pictures.setdefault(source.path, _Pictures())
            for shot in captured:
                pictures.take(shot, self._clock())
            seen.frames += len(captured)
            seen.lost += len(shots) - len(captured)
            seen.last_at = self._clock()
            if quality is not None:
                blurred = _blurred(quality.sharpness, tuple(seen.sharp))
                seen.latest.append(Judged(source.organ, source.laterality, captured[-1].frame_index, quality, blurred))
                if quality.sharpness is not None and quality.reason is None:
                    seen.sharp.append(quality.sharpness)
            self._version += 1

    def ended(self, screening_id: str, source: Source, frames: int) -> None:
        """A sweep is over, with so many frames.

        That it was recorded to its end while the picture stood still is no matter any more, as whoever scans may have
        stopped the picture to end it; that too few of its frames differ is.
        """
        with self._lock:
            seen = self._seen.get(screening_id)
            pictures = None if seen is None else seen.pictures.pop(source.path, None)
            if seen is not None and pictures is not None:
                seen.ended_frozen = pictures.frozen
        self.preview.ended(screening_id, source, frames - 1)
        self.changed()

    def changed(self) -> None:
        """Something else that pages show has changed."""
        with self._lock:
            self._version += 1

    def version(self) -> int:
        """Higher whenever something came, into any screening, or was looked at."""
        return self._version + self.preview.looks

    def glance(self, screening_id: str) -> Glance:
        """What came into a screening; nothing where none did."""
        with self._lock:
            seen = self._seen.get(screening_id)
            if seen is None:
                return Glance(self._version)
            return Glance(self._version, seen.frames, seen.lost, tuple(seen.latest), seen.last_at, seen.frozen)


def _quality(shot: CapturedFrame) -> LiveQuality | None:
    panel = max(shot.panels, key=lambda each: each.width * each.height)
    try:
        return live_quality(shot.pixels, (panel.left, panel.top, panel.width, panel.height))
    except UnusablePicture:
        return None


def _blurred(sharpness: tuple[float, float] | None, before: Sequence[tuple[float, float]]) -> bool:
    """Whether a frame is far less sharp, on either axis, than the judged ones of its sweep before it.

    As `sonovan.clinical.motion` does with the whole sweep: here nothing is known yet of what follows.
    """
    if sharpness is None or len(before) < MOTION_RULES.near // 2:
        return False
    return any(sharpness[axis] < MOTION_RULES.sharp * median(each[axis] for each in before) for axis in (0, 1))
