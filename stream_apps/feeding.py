"""How messages come from the broker to an agent: Faust's own way, with waits that end when there is room again.

Seen in Faust 0.15.3, where a worker starved beside idle cores: once every partition's buffer is full,
`Consumer._wait_next_records` sleeps a whole second, however soon there is room; and while some are full, it waits up to
a second for messages of the others, although those of the full ones lie in memory and have room meanwhile. Its buffer
counts messages, of which a thousand may be records of a hundred bytes and one may be a frame of 32 MB.

None of the library's files is touched: its own seams take another consumer and another queue. Beside `agent.py` this is
the only file of this room that imports faust.
"""

import asyncio
import contextlib
from typing import Any, Final

import faust
from faust.transport.drivers import aiokafka
from faust.types import TP
from mode.utils.queues import ThrowableQueue

from sonovan.stream_apps.faust_options import STREAM_BUFFER_BYTES

NAP_S: Final = 1.0
"""The longest wait where every buffer is full, as in Faust: whoever stops or moves partitions is noticed by then."""
LOOK_AGAIN_S: Final = 0.05
"""The longest wait for other partitions while one is full: its messages are taken as soon as they have room."""


class Feed(ThrowableQueue[Any]):
    """An agent's queue that is full by bytes, or by messages where they are small.

    A partition is told to wait from four fifths of either on, and to go on from two fifths of both: Faust's shares.
    """

    def __init__(self, *arguments: Any, room_bytes: int, **options: Any) -> None:
        """room_bytes: of keys and values that wait; one that is larger waits alone."""
        super().__init__(*arguments, **options)
        self._room, self._nbytes = room_bytes, 0

    @property
    def nbytes(self) -> int:
        """Bytes of the messages that wait."""
        return self._nbytes

    def full(self) -> bool:
        """Whether nothing more is put in before something is taken out."""
        return super().full() or self._nbytes >= self._room

    def clear(self) -> None:
        """See `FlowControlQueue.clear`."""
        super().clear()
        self._nbytes = 0

    def in_pressure_high_state(self, callback: Any) -> bool:
        """See `FlowControlQueue.in_pressure_high_state`; by bytes as well."""
        if self._nbytes < self._room / self.pressure_high_ratio:
            return super().in_pressure_high_state(callback)
        if callback in self._pending_pressure_drop_callbacks:
            return False
        self._pending_pressure_drop_callbacks.add(callback)
        self.on_pressure_high()
        return True

    def maybe_endorse_pressure_drop(self) -> None:
        """See `FlowControlQueue.maybe_endorse_pressure_drop`; not before the bytes have dropped as well."""
        if self._nbytes <= self._room * self.pressure_drop_ratio:
            super().maybe_endorse_pressure_drop()

    def _put(self, item: Any) -> None:
        self._nbytes += _nbytes(item)
        super()._put(item)

    def _get(self) -> Any:
        item = super()._get()
        self._nbytes -= _nbytes(item)
        return item


def _nbytes(item: Any) -> int:
    """Of a message's key and value; 0 of what is no message."""
    message = getattr(item, "message", None)
    return len(getattr(message, "key", None) or b"") + len(getattr(message, "value", None) or b"")


class Consumer(aiokafka.Consumer):
    """Faust's consumer, which goes on as soon as a partition has room."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._has_room = asyncio.Event()

    def on_buffer_drop(self, tp: TP) -> None:
        """See `faust.Consumer.on_buffer_drop`."""
        super().on_buffer_drop(tp)
        self._has_room.set()

    async def _wait_next_records(self, timeout: float) -> Any:
        if self.flow_active and self._buffered_partitions and not self._get_active_partitions():
            self._has_room.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._has_room.wait(), min(timeout, NAP_S))
            return {}, set()
        return await super()._wait_next_records(min(timeout, LOOK_AGAIN_S) if self._buffered_partitions else timeout)


class Transport(aiokafka.Transport):
    """Faust's transport with that consumer."""

    Consumer = Consumer


class App(faust.App):
    """Faust's app with that consumer and that queue."""

    def FlowControlQueue(  # noqa: N802  # the library's name
        self, maxsize: int | None = None, *, clear_on_resume: bool = False
    ) -> Feed:
        """See `faust.App.FlowControlQueue`."""
        return Feed(
            maxsize=maxsize,
            flow_control=self.flow_control,
            clear_on_resume=clear_on_resume,
            room_bytes=STREAM_BUFFER_BYTES,
        )

    def _new_transport(self) -> Transport:
        return Transport(self.conf.broker_consumer, self)
