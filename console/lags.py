"""How far stages are behind their topics, measured again and again while the console runs, for the last hours."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sonovan.contracts.errors import SonovanError
from sonovan.transport.lag import Lag

EVERY_S: Final = 60.0
KEPT: Final = 6 * 60
"""Measurements: six hours."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Every stage and topic at one moment."""

    at: datetime
    lags: Sequence[Lag]


class Lags:
    """Keeps the last measurements in memory; a console that starts has none. Any thread may read them."""

    def __init__(self, measure: Callable[[], Sequence[Lag]], now: Callable[[], datetime]) -> None:
        """measure: asks the broker; raises Transient and Fatal as it does."""
        self._measure, self._now = measure, now
        self._kept: deque[Measured] = deque(maxlen=KEPT)
        self._over = threading.Event()
        self.failing = False
        """Whether the last try failed: what is kept is older than it should be."""

    def look(self) -> None:
        """Measure once."""
        try:
            self._kept.append(Measured(self._now(), tuple(self._measure())))
            self.failing = False
        except SonovanError:
            self.failing = True

    def start(self) -> None:
        """Measure from now on, in a thread of its own."""
        threading.Thread(target=self._go_on, name="lags", daemon=True).start()

    def stop(self) -> None:
        """Measure no more."""
        self._over.set()

    def _go_on(self) -> None:
        while not self._over.is_set():
            self.look()
            self._over.wait(EVERY_S)

    @property
    def kept(self) -> Sequence[Measured]:
        """All that is kept, the oldest first."""
        return tuple(self._kept)
