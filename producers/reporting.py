"""Make what a van reports of itself (`van.reported`), and say when the next report is due."""

import platform
import time
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Final

from sonovan.contracts.envelope import seal
from sonovan.contracts.topics import Topic
from sonovan.contracts.van_reports import VanReported
from sonovan.producers.items import Signer
from sonovan.producers.spool import Disk, Spool

REPORT_EVERY_S: Final = 120.0
_FORGETS: Final = 0.8
"""What of the link was measured before counts that much less with each item that is acknowledged."""


class LinkSeen:
    """How fast the link was while something was under way, how far the van's clock is before the broker's, and for how
    long nobody has answered. clock: seconds of a steady clock.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._bytes, self._busy_s, self._acknowledged_at = 0.0, 0.0, 0.0
        self._clock = clock
        self._silent_since: float | None = None
        self.clock_ahead_s: float | None = None
        self.certificate_refused = False
        """Whether the centre's certificate does not count by this machine's clock."""
        self.cannot_send = False
        """Whether sending ended in an error that does not pass by itself, such as a refused account."""

    @property
    def bits_per_s(self) -> int | None:
        """Of the last items; None before the first."""
        return round(8 * self._bytes / self._busy_s) if self._busy_s > 0 else None

    def note(self, size: int, handed_at: float, at: float) -> None:
        """An item of so many bytes was handed over and is acknowledged now, both in seconds of a steady clock."""
        busy_s = max(at - max(handed_at, self._acknowledged_at), 0.0)
        self._bytes = _FORGETS * self._bytes + size
        self._busy_s = _FORGETS * self._busy_s + busy_s
        self._acknowledged_at = at

    def note_clock(self, appended_at: datetime, now: datetime) -> None:
        """The broker appended something at this time of its own, and here it is now."""
        self.clock_ahead_s = round((now - appended_at).total_seconds(), 1)

    def answered(self) -> None:
        """The centre answers."""
        self._silent_since, self.certificate_refused, self.cannot_send = None, False, False

    def silent(self, *, for_s: float = 0.0, certificate_refused: bool = False) -> None:
        """The centre does not answer, or its certificate does not count by this machine's clock. for_s: seconds for
        which it has not, where that is noticed late.
        """
        if self._silent_since is None:
            self._silent_since = self._clock() - for_s
        self.certificate_refused, self.cannot_send = certificate_refused, False

    @property
    def silent_s(self) -> float | None:
        """For how many seconds nobody has answered; None where the last try was answered, or none was made."""
        since = self._silent_since
        return None if since is None else self._clock() - since


class Reporter:
    """Reports of one van. clock: seconds of a steady clock. now: the van's clock, UTC."""

    def __init__(
        self,
        spool: Spool,
        signer: Signer,
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._spool, self._signer, self._clock, self._now = spool, signer, clock, now
        self._due_at = clock()
        self.link = LinkSeen()

    @property
    def due(self) -> bool:
        """Whether the last report was made long enough ago."""
        return self._clock() >= self._due_at

    def message(self, metered: bool) -> tuple[Topic, bytes, bytes]:
        """Topic, key and signed value of a report of now; the next one is due REPORT_EVERY_S later."""
        self._due_at = self._clock() + REPORT_EVERY_S
        record = self.report(metered)
        return Topic.VAN_REPORTED, record.van_id.encode(), seal(record, self._signer.private_key)

    def report(self, metered: bool) -> VanReported:
        """What there is to report now."""
        now, status = self._now(), self._spool.status()
        oldest_s = None if status.oldest_at is None else round(now.timestamp() - status.oldest_at)
        return VanReported(
            van_id=self._signer.van_id,
            reported_at=now,
            waiting=status.waiting,
            waiting_bytes=status.waiting_bytes,
            oldest_s=None if oldest_s is None else max(oldest_s, 0),
            held=status.counts["held"],
            rejected=status.counts["rejected"],
            unfinished=sum(each.unfinished for each in self._spool.screenings()),
            disk_free_bytes=Disk().free_bytes(self._spool.folder),
            clock_ahead_s=self.link.clock_ahead_s,
            link_bits_per_s=self.link.bits_per_s,
            metered=metered,
            version=version("sonovan"),
            python=platform.python_version(),
        )
