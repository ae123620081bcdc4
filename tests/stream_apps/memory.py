"""What any stage is driven over in tests: a log, tables and a store in memory, and a clock that only tests move.

Everything that outlives a worker's death is kept in `World`: what stands in topics, changelogs and the store, and which
offsets are committed. Every durable effect passes `World.effect`, where a test may let the worker die.
"""

import asyncio
import threading
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, Protocol

from aiokafka.errors import KafkaConnectionError

from sonovan.contracts.errors import Transient
from sonovan.storage.stores import contradiction
from sonovan.stream_apps.handling import Clock, Handling
from sonovan.stream_apps.metrics import Measured
from sonovan.stream_apps.progress import Progress
from sonovan.stream_apps.rejecting import Coordinates
from sonovan.stream_apps.stage import Message, Outcome, Rows, Stage
from sonovan.stream_apps.vans import VanRegistry
from tests.waiting import comes_true, turn

START = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
PATIENCE_S = 60.0
STUCK_AFTER_S = 180.0


class Died(Exception):
    """The worker's process is gone."""


class MemoryStore:
    """Write-once objects, as every store keeps them."""

    def __init__(self, world: "World") -> None:
        self.objects: dict[tuple[str, str], bytes] = {}
        self._world, self._lock = world, threading.Lock()

    def put(self, bucket: str, key: str, data: bytes, content_type: str) -> None:
        self._world.answer()
        with self._world.effect("put"), self._lock:
            if self.objects.setdefault((bucket, key), data) != data:
                raise contradiction(bucket, key)

    def get(self, bucket: str, key: str) -> bytes:
        return self.objects[bucket, key]

    def exists(self, bucket: str, key: str) -> bool:
        return (bucket, key) in self.objects

    def delete(self, bucket: str, key: str) -> None:
        self._world.answer()
        with self._world.effect("delete"), self._lock:
            self.objects.pop((bucket, key), None)

    def below(self, bucket: str, folder: str) -> list[str]:
        return [key for held, key in self.objects if held == bucket and key.startswith(folder)]

    def url(self, bucket: str, key: str, expires_s: int) -> str:
        return f"memory://{bucket}/{key}"


class Opener(Protocol):
    """Opens a stage over a world, as often as workers are started."""

    def __call__(self, world: "World", tables: "MemoryTables") -> Stage: ...


@dataclass
class World:
    """A broker, its consumer group, a store, and what tests may do to them.

    die_at: the number of durable effects after which the worker is gone. store_away, broker_away: how often they do not
    answer. gate: while a test holds it, whatever stores waits; `held` says how many do.
    """

    store: MemoryStore = field(init=False)
    registry: VanRegistry = field(default_factory=VanRegistry)
    now: datetime = START
    log: dict[tuple[str, int], list[Message]] = field(default_factory=lambda: defaultdict(list))
    arrived: list[Message] = field(default_factory=list)
    acknowledged: set[tuple[str, int, int]] = field(default_factory=set)
    order: list[tuple[str, int, int]] = field(default_factory=list)
    sent: list[tuple[str, bytes, bytes]] = field(default_factory=list)
    headed: list[tuple[list[tuple[str, bytes]], bytes]] = field(default_factory=list)
    changelog: dict[tuple[str, str], bytes] = field(default_factory=dict)
    effects: list[str] = field(default_factory=list)
    die_at: int | None = None
    store_away: int = 0
    broker_away: int = 0
    broker_ahead_s: float = 0.0
    set_by_s: float = 0.0
    gate: threading.Event = field(default_factory=threading.Event)
    held: int = 0
    pauses: list[float] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.store = MemoryStore(self)
        self.gate.set()

    def answer(self) -> None:
        """Store or database: wait while a test holds them, be away as often as it says."""
        if not self.gate.is_set():
            self.held += 1
            assert self.gate.wait(PATIENCE_S)
        if self.store_away > 0:
            self.store_away -= 1
            raise Transient("the store does not answer")

    def append(self, topic: str, value: bytes, key: bytes | None = None, partition: int = 0) -> Message:
        """A message that the stage shall read, a second after the one before it."""
        self.now += timedelta(seconds=1)
        place = self.log[topic, partition]
        message = Message(Coordinates(topic, partition, len(place), self.now), key, value)
        place.append(message)
        self.arrived.append(message)
        return message

    def open_messages(self) -> list[Message]:
        """What a worker that starts now is given: from each partition's first message without an acknowledgement on."""
        begin: dict[tuple[str, int], int] = {}
        for place, messages in self.log.items():
            done = [(*place, each.at.offset) in self.acknowledged for each in messages]
            begin[place] = done.index(False) if False in done else len(done)
        return [each for each in self.arrived if each.at.offset >= begin[each.at.topic, each.at.partition]]

    @contextmanager
    def effect(self, name: str) -> Iterator[None]:
        """Something becomes durable inside; a worker may die before that, or afterwards before it knows."""
        self._count(name)
        yield
        self._count(name)

    def _count(self, name: str) -> None:
        with self._lock:
            if self.die_at is not None and len(self.effects) >= self.die_at:
                raise Died(name)
            self.effects.append(name)

    def broker_stamp_ms(self) -> float:
        """The broker's time, which is this machine's unless a test sets it apart."""
        return (time.time() + self.broker_ahead_s) * 1000

    def ticks(self) -> float:
        """A steady clock: what the test lets pass, and not what it sets."""
        return (self.now - START).total_seconds() - self.set_by_s

    def set_clock(self, seconds: float) -> None:
        """Somebody sets this machine's clock by so much."""
        self.now += timedelta(seconds=seconds)
        self.set_by_s += seconds

    async def pause(self, seconds: float) -> None:
        """A pause of the clock's: nobody waits, the time is noted."""
        self.pauses.append(seconds)
        self.now += timedelta(seconds=seconds)
        await turn()


class MemoryTables:
    """One worker's tables: written here at once, and in the changelog when `durable` returned."""

    def __init__(self, world: World) -> None:
        self._world, self._rows, self._pending = (
            world,
            dict(world.changelog),
            list[tuple[tuple[str, str], bytes | None]](),
        )

    def get(self, table: str, key: str) -> bytes | None:
        return self._rows.get((table, key))

    def items(self, table: str) -> Iterable[tuple[str, bytes]]:
        return [(key, row) for (name, key), row in sorted(self._rows.items()) if name == table]

    def write(self, rows: Rows) -> None:
        self._pending += rows.items()
        _apply(self._rows, rows.items())

    async def durable(self) -> None:
        await turn()
        if self._world.broker_away > 0:
            self._world.broker_away -= 1
            self._pending.clear()  # Faust tells that a row was lost, and goes on
            raise KafkaConnectionError
        if self._pending:
            with self._world.effect("rows"):
                _apply(self._world.changelog, self._pending)
            self._pending.clear()


class Producer:
    """Sends to the world's topics; a record is durable when its future is done."""

    def __init__(self, world: World) -> None:
        self._world = world

    @property
    def producer(self) -> "Producer":
        return self

    async def send(
        self, topic: str, key: bytes, value: bytes, headers: list[tuple[str, bytes]] | None = None, **_: object
    ) -> "asyncio.Future[SimpleNamespace]":
        kept: asyncio.Future[SimpleNamespace] = asyncio.get_running_loop().create_future()
        if self._world.broker_away > 0:
            self._world.broker_away -= 1
            kept.set_exception(KafkaConnectionError())
            return kept
        with self._world.effect(f"send {topic}"):
            self._world.sent.append((topic, key, value))
            if headers is not None:
                self._world.headed.append((headers, value))
            offset = sum(name == topic for name, _, _ in self._world.sent) - 1
        kept.set_result(SimpleNamespace(offset=offset, timestamp=self._world.broker_stamp_ms(), timestamp_type=1))
        return kept


class Vans:
    """A registry that learns what a test tells it; whoever waits for a van is told at once."""

    def __init__(self, registry: VanRegistry, learn: Callable[[float], None] = lambda _: None) -> None:
        self.registry, self._learn, self.waits = registry, learn, list[float]()

    async def wait_for(self, van_id: str, taken: int, wait_s: float) -> bool:
        self.waits.append(wait_s)
        self._learn(wait_s)
        return self.registry.knows(van_id)


class Delivered:
    """A message in a worker's hands."""

    def __init__(self, world: World, message: Message) -> None:
        self._world, self._at = world, message.at

    def ack(self) -> bool:
        with self._world.effect("acknowledge"):
            self._world.acknowledged.add((self._at.topic, self._at.partition, self._at.offset))
            self._world.order.append((self._at.topic, self._at.partition, self._at.offset))
        return True


class Run:
    """One worker's life over a world."""

    def __init__(self, world: World, open_stage: Opener, vans: Vans | None = None, **guards: Any) -> None:
        self.world, self.tables, self.failures = world, MemoryTables(world), list[BaseException]()
        self._failed = asyncio.Event()
        self.stage = _observed(open_stage(world, self.tables), world)
        self.measured = Measured(self.stage.name, 1, {}, clock=lambda: world.now.timestamp(), ticks=lambda: 0.0)
        self.progress = Progress(STUCK_AFTER_S, ticks=lambda: world.now.timestamp())
        clock = Clock(lambda: world.now.timestamp(), world.ticks, world.pause)
        log, known = Producer(world), vans or Vans(world.registry)
        self.handling = Handling(
            self.stage, log, world.store, self.tables, known, self._fail, self.measured, self.progress,
            clock=clock, **guards,
        )  # fmt: skip

    async def take(self, messages: Sequence[Message]) -> None:
        """Take messages in, as the agent does; returns when all are through, or raises what ended the worker."""
        async with asyncio.timeout(PATIENCE_S):
            for message in messages:
                await self._or_failure(self.handling.take(Delivered(self.world, message), message))
            wanted = {(each.at.topic, each.at.partition, each.at.offset) for each in messages}
            await comes_true(lambda: wanted <= self.world.acknowledged or bool(self.failures), PATIENCE_S)
        if self.failures:
            raise self.failures[0]

    async def end(self) -> None:
        """The worker is gone."""
        await self.handling.move()
        self.handling.close()

    async def _or_failure(self, taking: Awaitable[None]) -> None:
        """A message that waits behind one that failed waits for ever: the failure ends the worker first."""
        task, failed = asyncio.ensure_future(taking), asyncio.ensure_future(self._failed.wait())
        await asyncio.wait({task, failed}, return_when=asyncio.FIRST_COMPLETED)
        failed.cancel()
        if not task.done():
            task.cancel()
        await asyncio.wait({task})
        error = None if task.cancelled() else task.exception()
        if self.failures or error is not None:
            raise self.failures[0] if self.failures else error

    def _fail(self, error: BaseException) -> None:
        self.failures.append(error)
        self._failed.set()


def _observed(stage: Stage, world: World) -> Stage:
    """The stage, its blocking write counted as an effect."""

    def process(message: Message) -> Outcome:
        outcome = stage.process(message)
        store = outcome.store
        if store is None:
            return outcome

        def counted() -> object:
            world.answer()
            with world.effect("store"):
                return store()

        return replace(outcome, store=counted)

    return replace(stage, process=process)


def _apply(rows: dict[tuple[str, str], bytes], written: Iterable[tuple[tuple[str, str], bytes | None]]) -> None:
    for place, row in written:
        if row is None:
            rows.pop(place, None)
        else:
            rows[place] = row
