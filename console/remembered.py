"""What several people ask for at the same time is asked of the catalogue once, and answered from memory a while."""

import threading
import time
from collections.abc import Callable, Hashable
from typing import Final, TypeVar, cast

from sonovan.contracts.errors import SonovanError

_MOST: Final = 256
"""Answers that are remembered; the oldest goes where there is one more."""

T = TypeVar("T")


class Remembered:
    """Answers by a key, each for its time. Any thread may ask; who asks while an answer is being made waits for it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """clock: seconds."""
        self._clock, self._lock = clock, threading.Lock()
        self._answers: dict[Hashable, tuple[float, object]] = {}
        self._making: dict[Hashable, threading.Lock] = {}

    def get(self, key: Hashable, seconds: float, make: Callable[[], T], *, stale: float = 0.0) -> T:
        """The answer of a key, made where none is younger than `seconds`. Raises what `make` raises, and keeps
        nothing then.

        stale: one that is older, but younger than this, is given at once, and another one is made meanwhile.
        """
        with self._lock:
            making = self._making.setdefault(key, threading.Lock())
            made_at, answer = self._answers.get(key, (float("-inf"), None))
        age = self._clock() - made_at
        if age < seconds:
            return cast(T, answer)
        if age < stale:
            if making.acquire(blocking=False):
                threading.Thread(target=self._again, args=(key, make, making), daemon=True).start()
            return cast(T, answer)
        with making:
            made_at, answer = self._answers.get(key, (float("-inf"), None))
            if self._clock() - made_at < seconds:
                return cast(T, answer)
            return self._kept(key, make())

    def _again(self, key: Hashable, make: Callable[[], object], making: threading.Lock) -> None:
        try:
            self._kept(key, make())
        except SonovanError:
            return  # whoever asks when the old answer is too old is told
        finally:
            making.release()

    def _kept(self, key: Hashable, made: T) -> T:
        with self._lock:
            self._answers.pop(key, None)
            self._answers[key] = (self._clock(), made)
            while len(self._answers) > _MOST:
                oldest = next(iter(self._answers))
                del self._answers[oldest]
                self._making.pop(oldest, None)
        return made
