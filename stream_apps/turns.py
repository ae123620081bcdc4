"""Vans take turns in a stage that works on several messages at once: what is begun, what waits, what is deferred."""

from collections.abc import Callable, Hashable

from sonovan.stream_apps.in_flight import InFlight, Room, Work
from sonovan.stream_apps.senders import NOBODY, Senders
from sonovan.stream_apps.stage import Message, Stage


class Turns:
    """What was taken in and has not ended, by who sent it (docs/decisions/0043).

    A van has at most `stage.waiting_each` messages waiting here. Its next ones are deferred, unless no other van is
    enrolled, who could be waiting behind them: then nothing more is taken in until it has fewer. What nobody signed is
    never deferred, for no van's name can be put on it.
    """

    def __init__(self, stage: Stage, vans: Callable[[], int], failed: Callable[[BaseException], None]) -> None:
        """vans: how many are enrolled. failed: told of the error of any message's work."""
        room = None
        if stage.waiting_each is not None:
            room = Room(stage.room_messages, stage.room_bytes, stage.waiting_each)
        self._in_flight = InFlight(stage.in_flight, failed, room)
        self._defers, self._vans = stage.defers_to is not None, vans
        self._senders = Senders(stage.subject_of) if room is not None else None
        self._each = stage.waiting_each or 0

    async def take(
        self, message: Message, handle: Work, defer: Callable[[str], Work], still_ours: Callable[[], bool]
    ) -> None:
        """Take a message in; returns when the next one may come.

        handle: its whole work. defer: gives, for a van, the work of deferring it. still_ours: whether partitions have
        not moved meanwhile.
        """
        sender = NOBODY if self._senders is None else await self._senders.of(message)
        if not still_ours():
            return
        late = self._defers and sender != NOBODY and self._in_flight.full(sender) and self._vans() > 1
        work = defer(sender) if late else handle
        place, nbytes = message.at.partition, len(message.value)
        await self._in_flight.submit(place, work, sender=sender, nbytes=nbytes, at_once=late)

    def has_room_for(self, van_id: str) -> bool:
        """Whether deferred messages of this van may come back: where half of its places are free, since its new ones
        would be deferred otherwise."""
        return 2 * self._in_flight.waiting(van_id) < self._each

    async def take_back(self, lane: Hashable, message: Message, handle: Work) -> None:
        """Take in a message that was deferred. lane: its partition of the topic of deferred messages.

        It takes a turn of the van that signed it, whosever name it was deferred under.
        """
        sender = NOBODY if self._senders is None else await self._senders.of(message)
        await self._in_flight.submit(("deferred", lane), handle, sender=sender, nbytes=len(message.value))

    async def cancel(self) -> None:
        """End everything now; nothing that was in flight is acknowledged."""
        await self._in_flight.cancel()

    def close(self) -> None:
        """Give threads back."""
        if self._senders is not None:
            self._senders.close()
