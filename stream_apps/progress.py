"""Whether a worker gets on, and what it waits for: what /healthz and /readyz tell, and when it holds.

Waiting for something that is away is not being dead: starting the worker again would help nothing, so it stays live,
is not ready, and names what it waits for. A worker that has something to do, waits for nothing that it knows of and
finishes nothing is not live. Used from the event loop's thread alone.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Hashable
from typing import Final

log = logging.getLogger(__name__)

PARTITIONS: Final = "partitions"
BROKER: Final = "broker"
VANS: Final = "vans"
DISK: Final = "disk"
LEAVING: Final = "leaving"
STARTING: Final = "starting"
"""Names of what a worker may wait for, beside the single attempts that `retrying.retry` makes again."""

STANDS_BY: Final = "it stands by: other workers hold all partitions"
"""What a worker waits for that takes over when another one goes."""

READING_BACK: Final = "reading tables back"
"""Partitions are being moved, or tables read back from their changelogs: something to do (`Progress.busy`)."""

APART_S: Final = 2.0
"""Clocks that are further apart are named; times in records are the broker's either way."""


class Progress:
    """One worker's state, from its start on. `ticks` is any steady clock in seconds."""

    def __init__(self, stuck_after_s: float, *, ticks: Callable[[], float] = time.monotonic) -> None:
        """stuck_after_s: how long a worker may have something to do and finish nothing before it counts as not live."""
        self._stuck_after_s, self._ticks = stuck_after_s, ticks
        self._waits: dict[Hashable, str] = {}
        self._faults: dict[str, str] = {}
        self._busy: dict[str, bool] = {}
        self._since_s = ticks()
        self.broker_ahead_s = 0.0
        """By how much the broker's clock is ahead of this machine's, in seconds; below 0 where it is behind."""
        self._room = asyncio.Event()
        self._room.set()

    def waits(self, key: Hashable, why: str) -> None:
        """Something is not there; `why` says what, as "the broker does not answer" does."""
        self._waits[key] = why
        if key == DISK:
            self._room.clear()

    def has(self, key: Hashable) -> None:
        """It is there; harmless where it was never missed."""
        if self._waits.pop(key, None) is not None:
            self.advanced()
        if key == DISK:
            self._room.set()

    def __contains__(self, key: Hashable) -> bool:
        return key in self._waits

    def busy(self, name: str, working: bool) -> None:
        """Whether there is something to do, of the kind `name`; the time that it may take counts from its beginning."""
        if working and not any(self._busy.values()):
            self.advanced()
        self._busy[name] = working

    def advanced(self) -> None:
        """Something was finished."""
        self._since_s = self._ticks()

    def broker_ahead(self, seconds: float) -> None:
        """Compare the clocks: `seconds` is 0 where the broker's time lies between a record's sending and its answer."""
        if abs(seconds) >= APART_S > abs(self.broker_ahead_s):
            log.warning("%s", clocks_apart(seconds))
        self.broker_ahead_s = seconds

    def brokers_time_s(self) -> float:
        """The broker's time, by which records are aged: this machine's, and by how much the broker's is ahead of it."""
        return time.time() + self.broker_ahead_s

    def fault(self, name: str, why: str | None) -> None:
        """Something that somebody should mend though the worker gets on; None: it is mended, or never was a fault."""
        if why is None:
            self._faults.pop(name, None)
        else:
            if name not in self._faults:
                log.warning("%s", why)
            self._faults[name] = why

    @property
    def notes(self) -> tuple[str, ...]:
        """What somebody should mend though the worker gets on."""
        clocks = (clocks_apart(self.broker_ahead_s),) if abs(self.broker_ahead_s) >= APART_S else ()
        return (*clocks, *self._faults.values())

    @property
    def away(self) -> bool:
        """Whether something beside the broker does not answer, such as the object store or a database."""
        return bool(self._waits.keys() - {PARTITIONS, BROKER, VANS, DISK, LEAVING, STARTING})

    @property
    def faulty(self) -> bool:
        """Whether there is something that somebody should mend though the worker gets on, clocks aside."""
        return bool(self._faults)

    async def room(self) -> None:
        """Return once there is room on the disk."""
        await self._room.wait()

    @property
    def waiting(self) -> tuple[str, ...]:
        """What the worker waits for, each once, longest first; empty when it is ready."""
        return tuple(dict.fromkeys(self._waits.values()))

    @property
    def stuck_s(self) -> float | None:
        """For how long it has finished nothing though it could; None where it is live.

        To wait for partitions that are one's own, while the broker answers, is to be at work on them.
        """
        still_s = self._ticks() - self._since_s
        waits = self._waits.keys() - ({PARTITIONS} if self._busy.get(READING_BACK) else set())
        if waits or not any(self._busy.values()) or still_s < self._stuck_after_s:
            return None
        return still_s


def clocks_apart(broker_ahead_s: float) -> str:
    """Which clock is ahead, in words."""
    whose = "behind" if broker_ahead_s > 0 else "ahead of"
    return f"this machine's clock is {abs(broker_ahead_s):.0f} s {whose} the broker's: set both by one time server"
