"""Work on several messages at once, up to a bound, but send and acknowledge in order within each partition.

The order matters: Faust 0.15.3 commits past a message that is not acknowledged when its successor is
(`Consumer._new_offset` takes the gap of one for none).
"""

import asyncio
from collections.abc import Awaitable, Callable


class Turn:
    """A piece of work's place in its lane: it may send after the one before it sent, and end after it ended."""

    def __init__(self, before: "Turn | None") -> None:
        self._before = before
        self._has_sent = asyncio.Event()
        self._has_ended = asyncio.Event()

    async def to_send(self) -> None:
        """Wait until the work before has sent."""
        if self._before is not None:
            await self._before._has_sent.wait()

    def sent(self) -> None:
        """Let the next one send."""
        self._has_sent.set()

    async def to_end(self) -> None:
        """Wait until the work before has ended."""
        if self._before is not None:
            await self._before._has_ended.wait()

    def ended(self) -> None:
        """Let the next one end; forget the one before, or the whole history would stay in memory."""
        self._has_sent.set()
        self._has_ended.set()
        self._before = None


class InFlight:
    """At most `limit` pieces of work at a time, over all lanes."""

    def __init__(self, limit: int, failed: Callable[[BaseException], None]) -> None:
        """failed: told of the error of any piece of work; those behind it in its lane wait until cancelled."""
        self._limit = limit
        self._failed = failed
        self._room = asyncio.Semaphore(limit)
        self._last: dict[int, Turn] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def submit(self, lane: int, work: Callable[[Turn], Awaitable[None]]) -> None:
        """Start `work` when there is room. It waits for its turn to send and to end by itself.

        Work that was waiting for room when everything was cancelled is dropped: it belongs to partitions that are gone.
        """
        room = self._room
        await room.acquire()
        if room is not self._room:
            return
        turn = Turn(self._last.get(lane))
        self._last[lane] = turn
        task = asyncio.create_task(self._run(work, turn, room))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def cancel(self) -> None:
        """End everything now; nothing that was in flight is acknowledged."""
        tasks, self._tasks = self._tasks, set()
        self._last.clear()
        self._room = asyncio.Semaphore(self._limit)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, work: Callable[[Turn], Awaitable[None]], turn: Turn, room: asyncio.Semaphore) -> None:
        try:
            await work(turn)
            turn.ended()
        except Exception as error:
            self._failed(error)
        finally:
            room.release()
