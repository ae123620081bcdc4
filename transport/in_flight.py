"""A bound on the bytes that were handed over and not yet acknowledged."""

import threading
import time
from collections.abc import Callable

from sonovan.contracts.errors import Transient


class InFlightBytes:
    """Admits at most `limit` bytes at a time, or one message of any size when nothing else is on its way.

    Without a bound, bulk that is queued would be sent before whatever is urgent. Safe for several threads.
    """

    def __init__(self, limit: int, clock: Callable[[], float] = time.monotonic) -> None:
        if limit < 1:
            raise ValueError(f"a limit of {limit} bytes admits nothing")
        self.limit = limit
        self._clock = clock
        self._held = 0
        self._changed = threading.Condition()

    @property
    def held(self) -> int:
        """Bytes admitted and not yet released."""
        with self._changed:
            return self._held

    def admit(self, size: int, deadline_s: float) -> None:
        """Take `size` bytes, waiting for room up to `deadline_s` seconds. Raises Transient when there is none."""
        give_up_at = self._clock() + deadline_s
        with self._changed:
            while self._held and self._held + size > self.limit:
                left_s = give_up_at - self._clock()
                if left_s <= 0:
                    raise Transient(f"{self._held} bytes were not acknowledged within {deadline_s:g} s")
                self._changed.wait(left_s)
            self._held += size

    def wait_empty(self, deadline_s: float) -> bool:
        """Wait until nothing is held, up to `deadline_s` seconds; returns whether that is so."""
        with self._changed:
            return self._changed.wait_for(lambda: self._held == 0, timeout=deadline_s)

    def release(self, size: int) -> None:
        """Give `size` bytes back: acknowledged, or known to be unsent."""
        with self._changed:
            self._held -= size
            self._changed.notify_all()
