"""Upload what waits in the spool, in the spool's order, and delete items on the centre's receipts.

There are two threads: the caller's reads the van's topic of answers, the other one sends. While there is no link both
wait. What the broker did not acknowledge is sent again, item by item, and so is what the centre did not answer within
`resend_after_s`. What comes meanwhile and is more urgent goes next: at most 256 KiB, or one item, are under way.
"""

import logging
import random
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Event, Thread
from typing import Final

from sonovan.contracts.answers import VanAnswered
from sonovan.contracts.broker import BrokerSettings
from sonovan.contracts.errors import InvalidRecord, SonovanError, Transient
from sonovan.contracts.topics import van_answered_topic
from sonovan.producers.link import ALL_LEVELS, LinkOptions, Pace
from sonovan.producers.reporting import Reporter
from sonovan.producers.spool import QUEUED, ItemDamaged, Message, Spool, SpoolStatus
from sonovan.transport.failures import NoAnswer, WrongClock
from sonovan.transport.producer import BoundedProducer, Pending, Sent
from sonovan.transport.tail import Tail

_LOG: Final = logging.getLogger(__name__)

RESEND_AFTER_S: Final = 120.0
NOT_THE_CENTRES: Final = (
    "somebody answered whose signature is not the centre's: nothing was deleted on that, and all is sent again"
)
_READ_FOR_S: Final = 0.3
_ROOM_WITHIN_S: Final = 1.0
_IDLE_S: Final = 0.1
_BACKOFF_S: Final = (0.5, 15.0)
_SILENT_AFTER_S: Final = 30.0
"""So long after something was handed over without a word from the centre it is said to be silent."""


@dataclass(frozen=True, slots=True)
class _Flying:
    """An item that was handed over and is not acknowledged. handed_at: seconds of a steady clock."""

    item_id: str
    pending: Pending
    size: int
    handed_at: float


class Uploader:
    """One run of uploading from a spool, as the van `van_id`.

    resend_after_s: an item without a receipt after so many seconds is sent again. A second copy does no harm: the
    centre answers it with a second receipt. link: what may be used of the link, and when. reporter: tells the centre of
    this van now and then, and at the end.
    """

    def __init__(
        self,
        spool: Spool,
        kafka: BrokerSettings,
        van_id: str,
        *,
        resend_after_s: float = RESEND_AFTER_S,
        link: LinkOptions | None = None,
        reporter: Reporter | None = None,
    ) -> None:
        self._spool, self._kafka, self._van_id = spool, kafka, van_id
        self._resend_after_s = resend_after_s
        self._pace, self._reporter = Pace(link or LinkOptions()), reporter
        self._stop = Event()
        self._failure: BaseException | None = None
        self._trouble = "no answer from the centre"
        self._held_back: str | None = None  # why the site's own settings let nothing go
        self._moved_at = time.monotonic()
        self._told_doubts = False
        self._heard_at = time.monotonic()
        self._unanswered_since: float | None = None  # when the oldest item was handed over that is not acknowledged
        self._told: Pending | None = None  # the report that was sent last

    def run(
        self,
        until: Callable[[], bool],
        *,
        give_up_s: float,
        progress: Callable[[SpoolStatus], None] = lambda _status: None,
        waiting: Callable[[], None] = lambda: None,
        troubled: Callable[[str], None] = lambda _why: None,
    ) -> None:
        """Upload until `until()` holds.

        give_up_s: without a single acknowledgement or receipt for so long, Transient is raised; all that waits stays
        in the spool. waiting: called when another process uploads from this spool and has to finish first.
        troubled: called once each time the centre stops answering, with the reason.
        Raises Fatal where the broker refuses this van's account.
        """
        with self._spool.uploading(waiting):
            self._moved_at = time.monotonic()
            sender = Thread(target=self._send_all, name="van-sender", daemon=True)
            sender.start()
            try:
                self._receive(until, give_up_s, progress, troubled)
            finally:
                self._stop.set()
                sender.join()

    def _receive(
        self,
        until: Callable[[], bool],
        give_up_s: float,
        progress: Callable[[SpoolStatus], None],
        troubled: Callable[[str], None],
    ) -> None:
        tail: Tail | None = None
        backoff = _Backoff()
        answering = True
        try:
            while True:
                if self._failure is not None:
                    raise self._failure
                progress(self._spool.status())
                if until():
                    return
                if time.monotonic() - self._moved_at > give_up_s:
                    held = self._spool.status().waiting
                    raise Transient(f"{self._held_back or self._trouble}; {held} items wait in {self._spool.folder}")
                try:
                    if tail is None:
                        tail = Tail(self._kafka, van_answered_topic(self._van_id).name, self._spool.positions())
                        self._heard()
                    self._take_answers(tail)
                    backoff.reset()
                    answering = True
                    self._note_silence()
                except Transient as error:
                    self._trouble = str(error)
                    if self._reporter is not None and isinstance(error, NoAnswer):
                        self._reporter.link.silent(certificate_refused=isinstance(error, WrongClock))
                    if answering:
                        troubled(self._trouble)
                    answering = False
                    if tail is not None:  # what it gave and this could not note is read again, from `positions`
                        tail.close()
                        tail = None
                    self._stop.wait(min(backoff.next(), give_up_s))
        finally:
            if tail is not None:
                tail.close()

    def _take_answers(self, tail: Tail) -> None:
        doubts = self._spool.answers.doubts
        for message in tail.messages(deadline_s=_READ_FOR_S):
            self._heard()
            try:
                answer = message.decode()
            except InvalidRecord as error:
                _LOG.warning("an answer at %s/%d is not readable: %s", message.topic, message.offset, error.reason)
                continue
            if isinstance(answer, VanAnswered) and self._spool.take_answer(
                answer, message.partition, message.offset + 1
            ):
                self._moved_at = time.monotonic()
        if self._spool.answers.doubts > doubts:
            self._trouble = NOT_THE_CENTRES
            if not self._told_doubts:
                _LOG.warning("van %s: %s", self._van_id, NOT_THE_CENTRES)
            self._told_doubts = True

    def _heard(self) -> None:
        """Something came from the centre."""
        self._heard_at = time.monotonic()
        if self._reporter is not None:
            self._reporter.link.answered()

    def _note_silence(self) -> None:
        """A broker that goes away is waited for: that nothing comes back of what was handed over tells it."""
        since, now = self._unanswered_since, time.monotonic()
        if self._reporter is not None and since is not None:
            for_s = now - max(since, self._heard_at)
            if for_s > _SILENT_AFTER_S:
                self._reporter.link.silent(for_s=for_s)

    def _send_all(self) -> None:
        backoff = _Backoff()
        while not self._stop.is_set():
            try:
                with BoundedProducer(self._kafka) as producer:
                    self._send_through(producer, backoff)
            except Transient as error:
                self._trouble = str(error)
                _LOG.info("van %s: %s", self._van_id, error)
                self._stop.wait(backoff.next())
            except (SonovanError, OSError, RuntimeError, ValueError) as error:  # for the other thread to raise
                self._failure = error
                return

    def _send_through(self, producer: BoundedProducer, backoff: "_Backoff") -> None:
        """Send until `_stop` is set. Raises Transient when a message expired; what is unacknowledged stays queued."""
        flying: deque[_Flying] = deque()
        while not self._stop.is_set():
            while flying and flying[0].pending.done():
                self._acknowledge(flying.popleft())
                backoff.reset()
            self._unanswered_since = flying[0].handed_at if flying else None
            self._take_time(0.0)
            if self._reporter is not None and self._reporter.due:
                self._report(producer)
            if not self._send_next(producer, flying):
                self._stop.wait(min(_IDLE_S, self._pace.wait_s() or _IDLE_S))
        while flying and flying[0].pending.done():
            self._acknowledge(flying.popleft())
        if not flying:  # else the link takes nothing, and whoever stops this need not wait for it
            self._report(producer)
            self._take_time(_ROOM_WITHIN_S)

    def _next(self, flying: set[str]) -> Message | None:
        """The next item that may go now; None where none waits, or none of those that wait may go yet."""
        allowed = self._pace.levels()
        levels = 0 if self._pace.wait_s() > 0 else allowed
        waiting = self._spool.pending(len(flying) + 1, time.time() - self._resend_after_s, levels)
        item_id = next((name for name in waiting if name not in flying), None)
        if item_id is not None:
            self._held_back = None
            try:
                return self._spool.load(item_id)
            except ItemDamaged as error:
                _LOG.error("van %s sets an item aside: %s", self._van_id, error)
                self._spool.set_aside(item_id)
        if allowed < ALL_LEVELS:
            why = "the link is metered" if self._pace.metered() else "van.toml lets no frames go at this hour"
            self._held_back = f"{why}: frames wait"
        return None

    def _send_next(self, producer: BoundedProducer, flying: deque[_Flying]) -> bool:
        """Hand the next item to the producer; False if none may go or the producer has no room for it yet."""
        message = self._next({each.item_id for each in flying})
        if message is None:
            return False
        try:
            pending = producer.send(
                message.topic, message.key, message.value, message.headers, deadline_s=_ROOM_WITHIN_S
            )
        except InvalidRecord as error:
            self._spool.mark_rejected(message.item_id, error.reason, retryable=False)
            return True
        except Transient:
            if producer.in_flight_bytes > 0:  # a slow link: there was no room yet
                return False
            raise
        flying.append(_Flying(message.item_id, pending, len(message.value), time.monotonic()))
        self._pace.spend(len(message.value))
        return True

    def _acknowledge(self, flown: _Flying) -> None:
        try:
            sent = flown.pending.result(0.0)
        except InvalidRecord as error:
            self._spool.mark_rejected(flown.item_id, error.reason, retryable=False)
            return
        if self._reporter is not None:
            self._reporter.link.note(flown.size, flown.handed_at, time.monotonic())
        self._note_time(sent)
        self._spool.mark_sent(flown.item_id)
        self._moved_at = time.monotonic()

    def _report(self, producer: BoundedProducer) -> None:
        """Tell of this van. What the broker does not take is not kept: the next report is a newer one."""
        if self._reporter is not None:
            topic, key, value = self._reporter.message(self._pace.metered())
            with suppress(Transient, InvalidRecord):
                self._told = producer.send(topic, key, value, deadline_s=_ROOM_WITHIN_S)

    def _take_time(self, timeout_s: float) -> None:
        """Note the broker's time from the report that was sent last, once it is there: also where no item goes, a clock
        that is wrong is seen, and one that was set is known to be right.
        """
        if self._told is not None and (timeout_s or self._told.done()):
            told, self._told = self._told, None
            with suppress(Transient, InvalidRecord):
                self._note_time(told.result(timeout_s))

    def _note_time(self, sent: Sent) -> None:
        self._heard()
        if self._reporter is not None:
            self._reporter.link.note_clock(sent.appended_at, datetime.now(UTC))
        self._spool.aging.note(sent.appended_at.timestamp())


class _Backoff:
    """How long to wait before the next attempt: doubling from the first to the longest wait, with jitter."""

    def __init__(self) -> None:
        self._wait_s = _BACKOFF_S[0]

    def next(self) -> float:
        """Seconds to wait now."""
        wait_s, self._wait_s = self._wait_s, min(2 * self._wait_s, _BACKOFF_S[1])
        return wait_s * random.uniform(0.5, 1.0)

    def reset(self) -> None:
        """Begin again with the shortest wait, after something went well."""
        self._wait_s = _BACKOFF_S[0]


def all_sent(spool: Spool, screening_id: str | None) -> bool:
    """Whether the broker has acknowledged every item of a screening, or with None of the whole spool."""
    return spool.status(screening_id).counts[QUEUED] == 0


def all_settled(spool: Spool, screening_id: str | None) -> bool:
    """Whether the centre has stored or rejected every item of a screening, or with None of the whole spool."""
    return spool.status(screening_id).waiting == 0


def reported(spool: Spool, screening_id: str) -> bool:
    """Whether every item is settled and the final report of the screening is known.

    The final report is the complete one, or an incomplete one if frames were held, withheld or rejected.
    """
    status, report = spool.status(screening_id), spool.report(screening_id)
    if status.waiting or report is None:
        return False
    short = status.counts["held"] + status.counts["rejected"] + status.counts["withheld"] > 0
    return report.status == "complete" or (short and report.status == "incomplete")
