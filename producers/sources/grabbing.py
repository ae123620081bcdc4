"""Grab pictures from a device in real time, in a thread of its own, and count what is lost on the way.

A picture is lost where whoever takes them is too slow for too long, and where the device's own times leave a gap. Both
have a place in the sequence: the index of a picture counts the lost ones.
"""

import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import median
from threading import Condition, Thread
from typing import Any, Final, Protocol

import cv2
import numpy as np

from sonovan.producers.sources.source import Pixels

MOST_BYTES: Final = 512 * 2**20
"""Pictures that wait to be taken: 19 s of 640 x 480 in colour at 30 a second, whatever is taken meanwhile."""
_RECENT: Final = 8
_GAP: Final = 1.5
"""A gap is longer than so many steps, as in clips (`clip_times.py`)."""
_MOST_GAP: Final = 10_000
_ALIKE: Final = 0.25


class Frames(Protocol):
    """What is used of `cv2.VideoCapture`."""

    def read(self) -> tuple[bool, Any]:
        """Whether there is another picture, and the picture: (rows, columns) or in BGR. It waits for one."""

    def get(self, prop: int, /) -> float:
        """A property, 0 where it is not known."""

    def release(self) -> None:
        """Close the device."""


@dataclass(frozen=True, slots=True)
class Grabbed:
    """One picture. lost: how many before it, since the one before, are missing. pixels: as `CapturedFrame` has them."""

    index: int
    time_ms: float
    pixels: Pixels
    lost: int


class Grabber:
    """Grabs from a device from `start` to `stop`.

    waits: the device waits for whoever takes, as a file does; a live one does not, and what does not fit is lost.
    """

    def __init__(
        self,
        device: Frames,
        *,
        waits: bool = False,
        most_bytes: int = MOST_BYTES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """clock: seconds, rising; it tells times where the device does not."""
        self._device, self._waits, self._most, self._clock = device, waits, most_bytes, clock
        self._waiting: deque[Grabbed] = deque()
        self._size, self._stopped, self._ended = 0, False, False
        self._changed = Condition()
        self._thread = Thread(target=self._grab, name="grabber", daemon=True)
        self.signal_lost, self.count, self.lost_at_end = False, 0, 0

    def start(self) -> None:
        """Begin to grab."""
        self._thread.start()

    def stop(self) -> None:
        """Grab no more; what was grabbed may still be taken. Any thread may call this."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def join(self) -> None:
        """Wait until the device is closed, once it was stopped."""
        self._thread.join()

    def taken(self) -> Iterator[Grabbed]:
        """Each picture in order, until it was stopped or the signal is lost.

        Then signal_lost says which, count how many pictures there were, lost_at_end how many of them are lost behind
        the last one.
        """
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._ended)
                if not self._waiting:
                    return
                found = self._waiting.popleft()
                self._size -= found.pixels.nbytes
                self._changed.notify_all()
            yield found

    def _grab(self) -> None:
        index = lost = 0
        times = _Times(self._device.get(cv2.CAP_PROP_FPS), self._clock)
        try:
            while not self._stopped:
                there, picture = self._device.read()
                if not there:
                    self.signal_lost = not self._stopped
                    break
                moment, gap = times.of(self._device.get(cv2.CAP_PROP_POS_MSEC))
                index, lost = index + gap, lost + gap
                pixels = _rgb(picture)
                if self._put(Grabbed(index, moment, pixels, lost)):
                    lost = 0
                else:
                    lost += 1
                index += 1
        finally:
            self._device.release()
            with self._changed:
                self.count, self.lost_at_end = index, lost
                self._ended = True
                self._changed.notify_all()

    def _put(self, found: Grabbed) -> bool:
        size = found.pixels.nbytes
        with self._changed:
            if self._waits:
                self._changed.wait_for(lambda: self._stopped or self._fits(size))
            if not self._fits(size):
                return False
            self._waiting.append(found)
            self._size += size
            self._changed.notify_all()
            return True

    def _fits(self, size: int) -> bool:
        return not self._waiting or self._size + size <= self._most


class _Times:
    """When pictures were taken, in ms from the first; and how many are missing between two of a steady device."""

    def __init__(self, rate: float, clock: Callable[[], float]) -> None:
        self._step = 1000 / rate if 1 <= rate <= 1000 else 0.0
        self._clock, self._began = clock, clock()
        self._first: float | None = None
        self._last, self._told = -1.0, False
        self._steps: deque[float] = deque(maxlen=_RECENT)

    def of(self, device_ms: float) -> tuple[float, int]:
        """The time of the picture that was just read, and how many are missing before it."""
        if self._first is None:
            self._first, self._began = device_ms, self._clock()
            self._last = 0.0
            return 0.0, 0
        self._told = self._told or device_ms > self._first
        if not self._told:
            self._last = max(self._last, round((self._clock() - self._began) * 1000, 3))
            return self._last, 0
        moment = round(max(device_ms - self._first, self._last), 3)
        step, self._last = moment - self._last, moment
        usual = median(self._steps) if len(self._steps) == _RECENT else 0.0
        steady = self._step > 0 and abs(usual - self._step) <= _ALIKE * self._step
        if steady and step > _GAP * self._step:
            return moment, min(_MOST_GAP, round(step / self._step) - 1)
        self._steps.append(step)
        return moment, 0


def _rgb(picture: Any) -> Pixels:
    if picture.ndim == 3:
        picture = picture[..., ::-1] if picture.shape[2] == 3 else picture[..., 0]
    return np.ascontiguousarray(picture)
