"""Handle a message of any stage, from its bytes to its acknowledgement, with everything that can go wrong.

No faust here.

The order is that of `Outcome`: store, rows of what was received, records, rows of what was published,
acknowledgement. A crash between any two of them brings the message again, and doing it again is harmless.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Final, TypeVar

from aiokafka.errors import KafkaError

from sonovan.contracts.answers import VanAnswered
from sonovan.contracts.errors import Fatal, InvalidRecord, Transient
from sonovan.contracts.topics import TOPICS, Topic
from sonovan.storage.stores import ObjectStore
from sonovan.stream_apps.deferring import Deferred, headers_of
from sonovan.stream_apps.in_flight import Turn
from sonovan.stream_apps.kafka_io import App, Sending
from sonovan.stream_apps.metrics import Measured, Part
from sonovan.stream_apps.patience import Patience
from sonovan.stream_apps.pools import Begun, Pools
from sonovan.stream_apps.progress import Progress
from sonovan.stream_apps.quarantine import QuarantineQuota
from sonovan.stream_apps.rejecting import REGISTRY_MAY_BE_BEHIND, Subject, Unusable, reject
from sonovan.stream_apps.retrying import retry
from sonovan.stream_apps.seams import Acknowledged, Vans, WrittenTables
from sonovan.stream_apps.shares import CENTRE, RejectedShare
from sonovan.stream_apps.skipping import Passed
from sonovan.stream_apps.spans import Spans
from sonovan.stream_apps.stage import Message, Outcome, Outgoing, Rows, Stage, rejected
from sonovan.stream_apps.turns import Turns

log = logging.getLogger(__name__)
T = TypeVar("T")
Told = Callable[[Transient], None]
Sign = Callable[[VanAnswered], VanAnswered]

IN_HAND: Final = "in hand"
"""Messages that were taken and are not done: something to do (`progress.Progress.busy`)."""


class _Moved(Exception):
    """Partitions moved while something was waited for: the message is the next owner's."""


@dataclass(frozen=True, slots=True)
class Clock:
    """now: seconds since the epoch. ticks: seconds of a steady clock, for how long something takes, since somebody may
    set the other one. sleep: a pause of so many seconds.
    """

    now: Callable[[], float] = time.time
    ticks: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


class Handling:
    """Handles the messages of one opened stage. Made once, used for every message."""

    def __init__(
        self,
        stage: Stage,
        app: App,
        store: ObjectStore,
        tables: WrittenTables,
        vans: Vans | None,
        failed: Callable[[BaseException], None],
        measured: Measured,
        progress: Progress,
        *,
        skips: Passed = frozenset(),
        shares: RejectedShare | None = None,
        quota: QuarantineQuota | None = None,
        sign: Sign = lambda answer: answer,
        clock: Clock | None = None,
        spans: Spans | None = None,
    ) -> None:
        """vans: None for a stage that does not follow the registry. failed: told what must end the worker. skips: the
        messages that an operator told this stage to pass. shares: None never stops, quota: None keeps all. sign: gives
        an answer to a van the centre's signature.
        """
        self._stage, self._app, self._store, self._tables, self._vans = stage, app, store, tables, vans
        self._skips, self._shares, self._quota, self._sign = skips, shares, quota, sign
        self._failed, self._measured, self._clock = failed, measured, clock or Clock()
        self._progress, self._patience = progress, Patience(self._clock.ticks)
        self._turns = Turns(stage, lambda: 0 if vans is None else vans.registry.count(), failed)
        self._spans = spans or Spans(stage.name, 1)
        self._generation = 0
        self._caught_up: set[int] = set()
        self._pools = Pools(stage)

    async def take(self, event: Acknowledged, message: Message) -> None:
        """Take a message in; returns when the next one may come. Raises Fatal, unless messages are handled in tasks."""
        generation = self._generation
        self._measured.received(message.at)  # before it waits for room: its age is what tells of a topic near its end
        await self._progress.room()
        if generation != self._generation:
            return
        self._progress.busy(IN_HAND, True)
        if self._stage.in_flight > 1:
            await self._turns.take(
                message,
                partial(self.handle, event, message),
                lambda van_id: partial(self._defer, event, message, van_id),
                lambda: generation == self._generation,
            )
            return
        # In the agent's own loop: Faust takes a row's partition from the message that the loop is at.
        try:
            await self.handle(event, message, Turn(None))
        except Exception as error:
            self._failed(error)
            raise

    @property
    def generation(self) -> int:
        """How often partitions have moved: what was under way before is not acknowledged any more."""
        return self._generation

    def has_room_for(self, van_id: str) -> bool:
        """Whether deferred messages of this van may come back."""
        return self._turns.has_room_for(van_id)

    @property
    def reads(self) -> tuple[Topic, ...]:
        """The topics of the stage."""
        return self._stage.reads

    async def take_back(self, deferred: Deferred, partition: int) -> None:
        """Take in a message that was deferred. partition: where it stands in the topic of deferred ones."""
        await self._turns.take_back(partition, deferred.message, partial(self.handle, deferred, deferred.message))

    async def _defer(self, event: Acknowledged, message: Message, van_id: str, turn: Turn) -> None:
        """Let a message wait on the topic of deferred ones, for its van has as many waiting here as it may."""
        assert self._stage.defers_to is not None
        generation = self._generation
        with self._waiting() as told:
            sending = Sending(
                self._app, self._stage.defers_to, van_id.encode(), message.value, self._clock.sleep, told,
                headers_of(message),
            )  # fmt: skip
            await sending.queued()
            await sending.durable()
        self._measured.deferred(van_id)
        await self._end(event, message, turn, generation)

    async def handle(self, event: Acknowledged, message: Message, turn: Turn) -> None:
        """Everything for one message; its offset may be committed only after this returned.

        Waits through whatever is Transient, raises Fatal. What was under way while partitions moved writes nothing
        more and is not acknowledged: whoever has the partition now takes the message again.
        """
        with self._spans.around(message):
            await self._handle(event, message, turn)

    async def _handle(self, event: Acknowledged, message: Message, turn: Turn) -> None:
        generation = self._generation
        try:
            if self._stage.catch_up is not None and message.at.partition not in self._caught_up:
                await self._catch_up(message.at.partition, generation)
            outcome = await self._outcome(message, generation)
            if not await self._done(outcome, turn, generation):
                return
        except _Moved:
            return
        except (Fatal, Transient):
            raise
        except Exception:  # whatever it is: it is named with its place and raised again, and ends the worker
            at = message.at
            log.critical(
                "%s/%d/%d ended this worker; where it does so again and again, pass it: "
                "sonovan skip %s %s %d %d --why REASON",
                at.topic, at.partition, at.offset, self._stage.name, at.topic, at.partition, at.offset,
            )  # fmt: skip
            raise
        await self._end(event, message, turn, generation)

    async def _end(self, event: Acknowledged, message: Message, turn: Turn, generation: int) -> None:
        """Acknowledge a message in its turn, unless partitions moved meanwhile."""
        await turn.to_end()
        if generation == self._generation:
            event.ack()
            self._progress.advanced()
            if not isinstance(event, Deferred):  # that one was acknowledged and counted when it was deferred
                self._measured.acknowledged(message.at)
                self._progress.busy(IN_HAND, self._measured.in_flight > 0)

    async def move(self) -> None:
        """Partitions are being moved, or the worker leaves: what is under way ends and is not acknowledged."""
        self._generation += 1
        self._caught_up.clear()
        await self._turns.cancel()
        self._measured.moved()
        self._progress.busy(IN_HAND, False)

    async def tick(self) -> None:
        """Send what the stage's timer calls for, and write no rows. Raises Fatal; waits for a broker that is away."""
        if self._stage.tick is not None:
            with self._waiting() as told:
                await self._send(self._stage.tick(self._brokers_time()), told)

    def _brokers_time(self) -> datetime:
        return datetime.fromtimestamp(self._clock.now() + self._progress.broker_ahead_s, UTC)

    def close(self) -> None:
        """Give back the threads and what the stage holds; what the threads are doing is abandoned."""
        self._pools.close()
        self._turns.close()
        self._stage.close()

    async def _catch_up(self, partition: int, generation: int) -> None:
        assert self._stage.catch_up is not None
        outcome = await self._retried(partial(self._stage.catch_up, partition, self._skips), generation)
        if await self._done(outcome, Turn(None), generation):
            self._caught_up.add(partition)

    async def _outcome(self, message: Message, generation: int) -> Outcome:
        """What the step says of the message, or its rejection; what is to be stored is stored."""
        try:
            if (message.at.topic, message.at.partition, message.at.offset) in self._skips:
                raise self._skipped(message)
            outcome, begun = await self._processed(message)
            self._note_use(outcome, message)
            return await self._stored(outcome, generation, begun)
        except InvalidRecord as error:
            return await self._stored(self._rejection(error, message), generation)

    def _note_use(self, outcome: Outcome, message: Message) -> None:
        sender = outcome.van_id if TOPICS[Topic(message.at.topic)].signed else CENTRE
        if self._shares is not None and sender is not None:
            self._shares.used(sender)

    def _skipped(self, message: Message) -> InvalidRecord:
        """The error of a message that is not taken, under its own ids where a glance at it gives them."""
        error = InvalidRecord("skipped_by_operator", "an operator told this stage to pass it")
        try:
            return Unusable(error, self._stage.subject_of(message))
        except InvalidRecord as unusable:
            log.info("whose the skipped message is cannot be told: %s", unusable.reason)
        except Exception:  # what ends a worker in the step may do so here: passing it is what the operator asked for
            log.exception("whose the skipped message is cannot be told")
        return error

    async def _processed(self, message: Message) -> tuple[Outcome, Begun]:
        """What the step makes of the message, and its storing where that has begun; once more where the registry of
        vans, which may be behind, learns of its van meanwhile."""
        taken = 0 if self._vans is None else self._vans.registry.taken
        try:
            return await self._computed(message)
        except Unusable as error:
            van_id = error.subject.van_id
            if error.reason not in REGISTRY_MAY_BE_BEHIND or van_id is None or self._vans is None:
                raise
            if not self._patience.allows():
                raise
            # Counted from its arrival: whoever fills a topic with unknown vans cannot stall it for 10 s a message.
            wait_s, began_s = self._stage.unknown_van_wait_s, self._clock.ticks()
            age_s = (self._brokers_time() - message.at.appended_at).total_seconds()
            left_s = self._patience.at_most_s(min(max(wait_s - age_s, 0.0), wait_s))
            if not await self._vans.wait_for(van_id, taken, left_s):
                self._patience.in_vain(self._clock.ticks() - began_s)
                raise
        return await self._computed(message)

    async def _computed(self, message: Message) -> tuple[Outcome, Begun]:
        with self._measured.timed(Part.PROCESS):
            return await self._pools.computed(message)

    async def _stored(self, outcome: Outcome, generation: int, begun: Begun = None) -> Outcome:
        """The outcome to go on with once what it stores is stored. begun: its first attempt, if that has begun."""
        if outcome.store is None:
            return outcome
        with self._measured.timed(Part.STORE):
            done = await self._retried(self._pools.stored(outcome.store, begun), generation)
        return done if isinstance(done, Outcome) else outcome

    def _rejection(self, error: InvalidRecord, message: Message) -> Outcome:
        subject = error.subject if isinstance(error, Unusable) else Subject()
        proven = subject.van_id if subject.verified else None
        sender = proven if TOPICS[Topic(message.at.topic)].signed else proven or CENTRE
        if self._shares is not None and sender is not None:
            self._shares.rejected(sender, error.reason)
        now = datetime.fromtimestamp(self._clock.now(), UTC)
        keep = self._quota is None or self._quota.keeps(proven, len(message.value), now)
        rejection = reject(self._stage.name, error, message.at, message.value, keep=keep)
        at, name = message.at, rejection.record.rejection_id
        log.warning("rejected %s/%d/%d: %s (%s)", at.topic, at.partition, at.offset, error.reason, name)
        self._measured.rejected(error.reason)
        return rejected(rejection, self._store)

    async def _done(self, outcome: Outcome, turn: Turn, generation: int) -> bool:
        """Do everything after `store`; False where partitions moved meanwhile, and the rest was left undone."""
        if not await self._written(Part.RECEIVED_ROWS, outcome.received, generation):
            return False
        first, *others = outcome.records or ((),)
        await turn.to_send()
        with self._measured.timed(Part.SEND), self._waiting() as told:
            sendings = await self._queued(first, told)
            turn.sent()
            offsets = await self._durable(sendings)
            for group in others:
                if generation != self._generation:
                    return False
                offsets |= await self._send(group, told)
        rows = outcome.published(offsets) if outcome.published is not None else {}
        return await self._written(Part.PUBLISHED_ROWS, rows, generation)

    async def _written(self, part: Part, rows: Rows, generation: int) -> bool:
        """Write rows and wait until the changelogs have them, again where that fails.

        False where partitions moved meanwhile: a row written now could overwrite a newer one of the next owner.
        """

        async def write() -> None:
            if generation != self._generation:
                return
            self._tables.write(rows)
            try:
                await self._tables.durable()
            except KafkaError as error:
                raise Transient(f"the broker does not take rows ({type(error).__name__})") from error

        if rows:
            with self._measured.timed(part):
                await self._retried(write, generation)
        return generation == self._generation

    async def _send(self, records: Sequence[Outgoing], told: Told) -> dict[str, int]:
        return await self._durable(await self._queued(records, told))

    async def _queued(self, records: Sequence[Outgoing], told: Told) -> list[tuple[str, Sending]]:
        """Hand records to the producer; they leave in this order."""
        sendings = []
        for each in records:
            if self._has_topic(each):
                if isinstance(each.record, VanAnswered):
                    each = replace(each, record=self._sign(each.record))
                sending = Sending(self._app, each.topic, each.key.encode(), each.value, self._clock.sleep, told)
                sendings.append((each.topic, sending))
                await sending.queued()
        return sendings

    async def _durable(self, sendings: Sequence[tuple[str, Sending]]) -> dict[str, int]:
        """Wait until the broker has them; the offset of the newest one for each topic."""
        offsets = {topic: await sending.durable() for topic, sending in sendings}
        for _, sending in sendings:
            if sending.broker_ahead_s is not None:
                self._progress.broker_ahead(sending.broker_ahead_s)
        return offsets

    def _has_topic(self, outgoing: Outgoing) -> bool:
        if not isinstance(outgoing.record, VanAnswered):
            return True
        return self._vans is not None and self._vans.registry.knows(outgoing.record.van_id)

    async def _retried(self, action: Callable[[], Awaitable[T]], generation: int) -> T:
        """What `action` returns once nothing is away. Raises _Moved where an attempt failed and partitions moved: who
        waited on would take no message of the partitions that it has now, and would be measured as idle."""

        with self._waiting() as waiting:

            def told(why: Transient) -> None:
                waiting(why)
                if generation != self._generation:
                    raise _Moved

            return await retry(action, sleep=self._clock.sleep, told=told)

    @contextmanager
    def _waiting(self) -> Iterator[Told]:
        """Within it, the worker waits for what is told last; beyond it, it has that again."""
        key = object()

        def told(why: Transient) -> None:
            self._measured.retried()
            self._progress.waits(key, str(why))

        try:
            yield told
        finally:
            self._progress.has(key)
