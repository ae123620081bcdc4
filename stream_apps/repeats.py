"""Warnings that come again and again: one line for each cause and interval, with how many were left out.

A broker that is away makes every library of a worker complain several times a second: three workers wrote 3.6 GB a day.
"""

import copy
import logging
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

EVERY_S: Final = 60.0
MOST_CAUSES: Final = 1000

_CHANGES = re.compile(r"[^\w]*(?:[\d./:+-]*\d[\d./:+-]*s?|(?=\S*\d)\S{16,})[^\w]*")
"""A word that differs from line to line of one cause: a number, a time, an id, a place in a topic."""


@dataclass(slots=True)
class _Repeated:
    """began_s: when this cause's interval began. last: the newest of the lines that it does not show."""

    began_s: float
    last: logging.LogRecord | None = None
    left_out: int = 0


class Repeats(logging.Handler):
    """Passes lines on to another handler: the first of each cause at once, of the others the last of each interval.

    Lines below WARNING and CRITICAL ones pass always. What is held is shown when its interval is over, or at `close`.
    """

    def __init__(
        self, inner: logging.Handler, *, every_s: float = EVERY_S, ticks: Callable[[], float] = time.monotonic
    ) -> None:
        """inner: writes the lines. ticks: any steady clock in seconds."""
        super().__init__()
        self._inner, self._every_s, self._ticks = inner, every_s, ticks
        self._seen: dict[tuple[str, ...], _Repeated] = {}
        self._timer: threading.Timer | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Show the line, or hold it; called under this handler's lock."""
        if not logging.WARNING <= record.levelno < logging.CRITICAL:
            self._inner.handle(record)
            return
        self.show_due()
        cause = cause_of(record)
        if cause not in self._seen and len(self._seen) >= MOST_CAUSES:
            cause = (record.name, record.levelname)
        repeated = self._seen.get(cause)
        if repeated is None:
            self._seen[cause] = _Repeated(self._ticks())
            self._inner.handle(record)
            return
        repeated.last, repeated.left_out = record, repeated.left_out + 1
        if self._timer is None:
            self._timer = threading.Timer(self._every_s, self._on_time)
            self._timer.daemon = True
            self._timer.start()

    def show_due(self) -> None:
        """Show what was held of every interval that is over. A cause that was still for a whole one begins anew."""
        now_s = self._ticks()
        for cause, repeated in list(self._seen.items()):
            if now_s - repeated.began_s >= self._every_s:
                if repeated.last is None:
                    del self._seen[cause]
                else:
                    self._show(repeated)
                    self._seen[cause] = _Repeated(now_s)

    def close(self) -> None:
        """Show all that is held, and close the inner handler."""
        with self.lock or threading.RLock():
            for repeated in self._seen.values():
                self._show(repeated)
            self._seen.clear()
            if self._timer is not None:
                self._timer.cancel()
        self._inner.close()
        super().close()

    def flush(self) -> None:
        """Whatever was shown is written."""
        self._inner.flush()

    def setFormatter(self, fmt: logging.Formatter | None) -> None:  # noqa: N802  # logging's own name
        """The inner handler's."""
        self._inner.setFormatter(fmt)

    def _on_time(self) -> None:
        with self.lock or threading.RLock():
            self._timer = None
            self.show_due()
            if any(repeated.last for repeated in self._seen.values()):
                self._timer = threading.Timer(self._every_s, self._on_time)
                self._timer.daemon = True
                self._timer.start()

    def _show(self, repeated: _Repeated) -> None:
        if repeated.last is None:
            return
        shown = copy.copy(repeated.last)
        shown.msg, shown.args = shown.getMessage(), None
        if repeated.left_out > 1:
            shown.msg += f" ({repeated.left_out - 1} more like this within {self._every_s:.0f} s, left out)"
        self._inner.handle(shown)


def cause_of(record: logging.LogRecord) -> tuple[str, ...]:
    """What lines of one cause share: who logs, how grave it is, the words without numbers and ids, the error."""
    words = " ".join("#" if _CHANGES.fullmatch(word) else word for word in record.getMessage().split())
    error = record.exc_info[0] if record.exc_info else None
    return record.name, record.levelname, words, error.__name__ if error else ""
