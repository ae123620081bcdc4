"""Work on several messages at once, fairly between those who sent them, and acknowledge in order within each partition.

What begins next is chosen by turns: each sender that has pieces waiting gives one, then the next sender does, however
many pieces one of them has. The pieces of one sender in one lane begin and send in their order. Everything is
acknowledged in the order of its partition, for Faust 0.15.3 commits past a message that is not acknowledged when its
successor is (`Consumer._new_offset` takes the gap of one for none).
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field


class Turn:
    """A piece of work's place: it sends after the same sender's piece before it in its lane, and ends after the lane's
    piece before it.
    """

    def __init__(
        self, before: "Turn | None", sends_after: "Turn | None" = None, rests: Callable[[], None] = lambda: None
    ) -> None:
        """rests: called when nothing is left to do but wait for the turn to end; others may be worked on from then."""
        self._before, self._sends_after, self._rests = before, sends_after, rests
        self._has_sent = asyncio.Event()
        self._has_ended = asyncio.Event()

    async def to_send(self) -> None:
        """Wait until the sender's work before has sent."""
        if self._sends_after is not None:
            await self._sends_after._has_sent.wait()

    def sent(self) -> None:
        """Let the next one send."""
        self._has_sent.set()

    async def to_end(self) -> None:
        """Wait until the work before has ended."""
        self._rests()
        if self._before is not None:
            await self._before._has_ended.wait()

    def ended(self) -> None:
        """Let the next one end; forget the ones before, or the whole history would stay in memory."""
        self._has_sent.set()
        self._has_ended.set()
        self._before = self._sends_after = None


Work = Callable[[Turn], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Room:
    """What may be taken in and not have ended: so many pieces, and so many bytes or one piece that is larger.

    waiting_each: how many pieces of one sender may wait to begin.
    """

    pieces: int
    nbytes: int | None = None
    waiting_each: int | None = None


@dataclass(eq=False, slots=True)
class _Piece:
    work: Work
    lane: Hashable
    sender: str
    nbytes: int
    turn: Turn
    works: bool = False


@dataclass(eq=False, slots=True)
class _Held:
    """All that was taken in since partitions moved last. waiting: by sender, in the order of their turns."""

    waiting: dict[str, deque[_Piece]] = field(default_factory=dict)
    last: dict[Hashable, Turn] = field(default_factory=dict)
    last_of: dict[tuple[Hashable, str], Turn] = field(default_factory=dict)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    pieces: int = 0
    nbytes: int = 0
    worked_on: int = 0
    changed: asyncio.Event = field(default_factory=asyncio.Event)


class InFlight:
    """At most `limit` pieces are worked on at a time, over all lanes; others wait to begin, or to end."""

    def __init__(self, limit: int, failed: Callable[[BaseException], None], room: Room | None = None) -> None:
        """failed: told of the error of any piece of work; those behind it in its lane wait until cancelled.

        room: None takes in no more than is worked on.
        """
        self._limit, self._failed, self._room = limit, failed, room or Room(limit)
        self._held = _Held()

    def waiting(self, sender: str | None = None) -> int:
        """How many pieces wait to begin, of one sender or of all."""
        queues = self._held.waiting
        return sum(map(len, queues.values())) if sender is None else len(queues.get(sender, ()))

    def full(self, sender: str) -> bool:
        """Whether as many pieces of this sender wait to begin as may."""
        return self._room.waiting_each is not None and self.waiting(sender) >= self._room.waiting_each

    async def submit(
        self, lane: Hashable, work: Work, *, sender: str = "", nbytes: int = 0, at_once: bool = False
    ) -> None:
        """Take `work` in when there is room. It waits for its turn to send and to end by itself.

        sender: who takes turns with other senders. nbytes: what it holds. at_once: it begins now, beside the limit, for
        it does nothing that others wait for. Work that was waiting for room when everything was cancelled is dropped:
        it belongs to partitions that are gone.
        """
        held = self._held
        while not self._has_room(held, nbytes) or (not at_once and self.full(sender)):
            held.changed.clear()
            await held.changed.wait()
            if held is not self._held:
                return
        # Work that begins at once overtakes its sender's other work, so it sends beside that.
        sends_after = None if at_once else held.last_of.get((lane, sender))
        turn = Turn(held.last.get(lane), sends_after, lambda: self._rests(held, piece))
        piece = _Piece(work, lane, sender, nbytes, turn)
        held.last[lane] = turn
        held.pieces, held.nbytes = held.pieces + 1, held.nbytes + nbytes
        if at_once:
            self._begin(held, piece)
            return
        held.last_of[lane, sender] = turn
        held.waiting.setdefault(sender, deque()).append(piece)
        self._begin_next(held)

    async def cancel(self) -> None:
        """End everything now; nothing that was in flight is acknowledged."""
        held, self._held = self._held, _Held()
        held.changed.set()
        for task in held.tasks:
            task.cancel()
        await asyncio.gather(*held.tasks, return_exceptions=True)

    def _has_room(self, held: _Held, nbytes: int) -> bool:
        if held.pieces >= self._room.pieces:
            return False
        return held.pieces == 0 or self._room.nbytes is None or held.nbytes + nbytes <= self._room.nbytes

    def _begin_next(self, held: _Held) -> None:
        """Begin what may begin, by turns: who gave a piece goes behind the others."""
        while held is self._held and held.waiting and held.worked_on < self._limit:
            sender = next(iter(held.waiting))
            pieces = held.waiting.pop(sender)
            piece = pieces.popleft()
            if pieces:
                held.waiting[sender] = pieces
            piece.works = True
            held.worked_on += 1
            held.changed.set()
            self._begin(held, piece)

    def _begin(self, held: _Held, piece: _Piece) -> None:
        task = asyncio.create_task(self._run(held, piece))
        held.tasks.add(task)
        task.add_done_callback(held.tasks.discard)

    async def _run(self, held: _Held, piece: _Piece) -> None:
        try:
            await piece.work(piece.turn)
            piece.turn.ended()
            self._forget(held, piece)
        except Exception as error:
            self._failed(error)
        finally:
            held.pieces, held.nbytes = held.pieces - 1, held.nbytes - piece.nbytes
            held.changed.set()
            self._rests(held, piece)

    def _rests(self, held: _Held, piece: _Piece) -> None:
        if piece.works:
            piece.works = False
            held.worked_on -= 1
            self._begin_next(held)

    @staticmethod
    def _forget(held: _Held, piece: _Piece) -> None:
        """Keep no place of a lane or a sender of which nothing is left."""
        if held.last.get(piece.lane) is piece.turn:
            del held.last[piece.lane]
        if held.last_of.get((piece.lane, piece.sender)) is piece.turn:
            del held.last_of[piece.lane, piece.sender]
