"""What the console measures of itself: by door, never by who asked or whose screening it was."""

import time
from collections.abc import Callable
from enum import Enum
from typing import Final

from sonovan.contracts.exposition import Described, Times

BOUNDS_S: Final = (0.05, 0.1, 0.3, 1.0, 3.0)
"""Upper bounds in seconds; a page is to be there within 0.3."""


class ConsoleMetric(Enum):
    """All metrics of the console. `door` is the pattern of an address (`/reading/{screening_id}`), no address."""

    READY = Described("sonovan_console_ready", "gauge", (), "1 while accounts can be looked up, else 0.")
    REQUESTS = Described(
        "sonovan_console_requests_total", "counter", ("door", "status"), "Requests that were answered, by first digit."
    )
    SECONDS = Described("sonovan_console_request_seconds", "histogram", ("door",), "Time until an answer begins.")


class ConsoleMeasured:
    """Counts what one console does. Used from the event loop's thread; `text` from any."""

    def __init__(self, ticks: Callable[[], float] = time.perf_counter) -> None:
        """ticks: seconds of a steady clock."""
        self.ticks = ticks
        self._counts: dict[tuple[str, str], int] = {}
        self._times: dict[str, Times] = {}

    def answered(self, door: str, status: int, elapsed_s: float) -> None:
        """A request was answered. door: the pattern of its address."""
        key = (door, f"{status // 100}xx")
        self._counts[key] = self._counts.get(key, 0) + 1
        self._times.setdefault(door, Times(BOUNDS_S)).add(elapsed_s)

    def text(self, ready: bool) -> str:
        """Everything in Prometheus' text format. ready: whether accounts can be looked up now."""
        readiness, requests, seconds = (metric.value for metric in ConsoleMetric)
        lines = [*readiness.head(), readiness.line({}, (), float(ready))]
        lines += [*requests.head(), *(requests.line({}, key, count) for key, count in list(self._counts.items()))]
        lines += seconds.head()
        for door, times in list(self._times.items()):
            lines += times.lines(seconds.name, {"door": door})
        return "\n".join(lines) + "\n"
