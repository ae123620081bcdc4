"""How long a worker may wait for what never comes: whoever forges signatures must not have it wait all the time.

A record of a van or key that the registry does not know yet is held for some seconds. `assess` takes one message at a
time, so that one forged record a second would delay every other one by that long, for good.
"""

from collections.abc import Callable
from typing import Final

REST: Final = 9.0
"""After a wait in vain, nobody is waited for this many times as long: at most a tenth of the time is lost."""

LEAST_S: Final = 1.0
"""Each wait in vain halves how long the next one may last, down to this: what comes behind it waits as long as it."""

FORGOTTEN_AFTER_S: Final = 600.0
"""So long after the newest wait in vain, the next one may last as long as ever."""


class Patience:
    """Counts waits that were in vain. clock: seconds of a steady clock, of any beginning."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._again_at = self._forgotten_at = self._longest_s = float("-inf")

    def allows(self) -> bool:
        """Whether somebody may be waited for now."""
        return self._clock() >= self._again_at

    def at_most_s(self, wanted_s: float) -> float:
        """How much of `wanted_s` may be waited."""
        return wanted_s if self._clock() >= self._forgotten_at else min(wanted_s, self._longest_s)

    def in_vain(self, waited_s: float) -> None:
        """A wait of so many seconds ended, and nothing had come."""
        now_s = self._clock()
        if waited_s <= 0.0:
            return
        longest_s = waited_s if now_s >= self._forgotten_at else max(self._longest_s, waited_s)
        self._longest_s = max(longest_s / 2, LEAST_S)
        self._again_at = max(self._again_at, now_s + REST * waited_s)
        self._forgotten_at = now_s + FORGOTTEN_AFTER_S
