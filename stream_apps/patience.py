"""How long a worker may wait for what never comes: whoever forges signatures must not have it wait all the time.

A record of a van or key that the registry does not know yet is held for some seconds. `assess` takes one message at a
time, so that one forged record a second would delay every other one by that long, for good.
"""

from collections.abc import Callable
from typing import Final

REST: Final = 9.0
"""After a wait in vain, nobody is waited for this many times as long: at most a tenth of the time is lost."""


class Patience:
    """Counts waits that were in vain. clock: seconds of a steady clock, of any beginning."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock, self._again_at = clock, float("-inf")

    def allows(self) -> bool:
        """Whether somebody may be waited for now."""
        return self._clock() >= self._again_at

    def in_vain(self, waited_s: float) -> None:
        """A wait of so many seconds ended, and nothing had come."""
        self._again_at = max(self._again_at, self._clock() + REST * waited_s)
