"""The sender: what the outbox owes is delivered, each recipient on its own, for as long as it takes."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

from sonovan.contracts.errors import Transient
from sonovan.storage.outbox import Delivery, Outbox
from sonovan.stream_apps.alert.asked import NotBefore

log = logging.getLogger(__name__)

Deliver = Callable[[Delivery], Awaitable[None]]
"""Brings a delivery to its recipient, or raises Transient. It must end when cancelled: no thread that waits."""

FIRST_PAUSE_S: Final = 1.0
LOOK_EVERY_S: Final = 10.0
"""How often it is looked for whom something waits too long."""


@dataclass(frozen=True, slots=True)
class Late:
    """After how long something undelivered is a fault, and who is told: (recipient, why), None once there is none."""

    after: timedelta
    fault: Callable[[str, str | None], None]


class Sender:
    """Delivers in the background. A crash between a delivery and its note delivers again, under the same key."""

    def __init__(
        self,
        outbox: Outbox,
        recipients: Mapping[str, Deliver],
        *,
        lease_s: float,
        longest_pause_s: float,
        late: Late | None = None,
        now: Callable[[], float] = time.time,
        idle_s: float = 0.5,
    ) -> None:
        """lease_s: longer than the slowest attempt. idle_s: how often an empty outbox is looked at."""
        self._outbox, self._recipients = outbox, recipients
        self._lease, self._longest_pause_s = timedelta(seconds=lease_s), longest_pause_s
        self._now, self._idle_s, self._late = now, idle_s, late

    async def run(self) -> None:
        """Deliver until cancelled. Raises Fatal as the outbox or a recipient does."""
        # A task for each: one that is away, or answers late, must not hold up the others.
        tasks = [asyncio.create_task(self._serve(name), name=f"send-{name}") for name in self._recipients]
        tasks.append(asyncio.create_task(self._watch(), name="send-watch"))
        try:
            await self._name_the_forgotten()
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()

    async def deliver_due(self, recipient: str) -> int:
        """Try everything that is due to one recipient once; how much there was. Raises Transient as the outbox does."""
        due = await asyncio.to_thread(self._outbox.claim, recipient, self._moment(), self._lease)
        await asyncio.gather(*(self._deliver(each) for each in due))
        return len(due)

    async def name_the_late(self) -> None:
        """Tell of every recipient that has not taken something for too long. Raises Transient as the outbox does."""
        if self._late is None:
            return
        now = self._moment()
        waiting = await asyncio.to_thread(self._outbox.undelivered, now)
        for recipient in self._recipients:  # who is not configured any more was named at the start, and takes nothing
            since, count = waiting.get(recipient, (now, 0))
            late = count > 0 and now - since >= self._late.after
            why = f"undelivered to {recipient} since {since:%Y-%m-%d %H:%M} UTC: {count} messages wait"
            self._late.fault(f"undelivered {recipient}", why if late else None)

    async def _watch(self) -> None:
        while self._late is not None:
            try:
                await self.name_the_late()
            except Transient as error:
                log.warning("%s", error)
            await asyncio.sleep(LOOK_EVERY_S)

    async def _serve(self, recipient: str) -> None:
        while True:
            try:
                tried = await self.deliver_due(recipient)
            except Transient as error:
                log.warning("%s", error)
                tried = 0
            if not tried:
                await asyncio.sleep(self._idle_s)

    async def _deliver(self, delivery: Delivery) -> None:
        try:
            await self._recipients[delivery.recipient](delivery)
        except Transient as error:
            pause_s = min(FIRST_PAUSE_S * 2.0 ** min(delivery.attempts, 20), self._longest_pause_s)
            if isinstance(error, NotBefore):
                pause_s = max(pause_s, error.wait_s)
            log.warning("%s not delivered, again in %.0f s: %s", delivery.key, pause_s, error)
            note = partial(self._outbox.postpone, delivery.key, self._moment() + timedelta(seconds=pause_s))
        else:
            log.info("%s delivered", delivery.key)
            note = partial(self._outbox.delivered, delivery.key, self._moment())
        try:
            await asyncio.to_thread(note)
        except Transient as error:
            log.warning("%s; %s comes again when its lease is over", error, delivery.key)

    async def _name_the_forgotten(self) -> None:
        try:
            owed = await asyncio.to_thread(self._outbox.owed)
        except Transient as error:
            log.warning("%s", error)
            return
        for recipient in sorted(owed.keys() - self._recipients.keys()):
            log.warning("%d messages wait for %s, which is not configured now", owed[recipient], recipient)

    def _moment(self) -> datetime:
        return datetime.fromtimestamp(self._now(), UTC)
