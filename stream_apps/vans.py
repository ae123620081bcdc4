"""The registry of vans' keys, followed from the topic's beginning; every worker holds a whole copy."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError, SaslAuthenticationFailed, TopicAuthorizationFailedError

from sonovan.contracts.broker import BrokerSettings
from sonovan.contracts.envelope import Envelope
from sonovan.contracts.errors import Fatal, InvalidRecord
from sonovan.contracts.topics import Topic
from sonovan.contracts.van import VanEnrolled
from sonovan.stream_apps.faust_options import consumer_options, no_answer
from sonovan.stream_apps.progress import VANS, Progress

log = logging.getLogger(__name__)

RECONNECT_S = 1.0
POLL_MS = 1000
ASK_EVERY_S = 5.0
ANSWERS_WITHIN_S = 2.0
REFUSALS = (SaslAuthenticationFailed, TopicAuthorizationFailedError)


class VanRegistry:
    """What is known of every van; the last record of a van holds. Pure, and safe to read from threads.

    taken: how many records were taken in so far, so that somebody can tell whether there was one since.
    """

    def __init__(self) -> None:
        self._vans: dict[str, VanEnrolled] = {}
        self._taken_at: dict[str, int] = {}
        self.taken = 0

    def learn(self, van: VanEnrolled) -> None:
        """Take in one record of `van.enrolled`, in the order of the topic."""
        self._vans[van.van_id] = van
        self.taken += 1
        self._taken_at[van.van_id] = self.taken

    def knows(self, van_id: str) -> bool:
        """Whether the van was ever enrolled, revoked or not: it has a topic of answers then."""
        return van_id in self._vans

    def may_sign(self, van_id: str) -> bool:
        """Whether the van is enrolled and its newest key is not revoked."""
        van = self._vans.get(van_id)
        return van is not None and van.newest.revoked_at is None

    def changed_since(self, van_id: str, taken: int) -> bool:
        """Whether a record of this van was taken in after the `taken`th one of all."""
        return self._taken_at.get(van_id, 0) > taken

    def count(self) -> int:
        """How many vans were ever enrolled."""
        return len(self._vans)

    def verify(self, van_id: str, appended_at: datetime, envelope: Envelope) -> None:
        """Return if the van signed the envelope with a key that counted when the broker appended it.

        A van's own clock is never asked. Raises InvalidRecord:
        `van_unknown`: no record of the van was seen yet;
        `van_revoked`: the van signed it, with a key that was revoked at or before that time;
        `signature_invalid`: no key of the van made the signature, as far as is known here.
        """
        van = self._vans.get(van_id)
        if van is None:
            raise InvalidRecord("van_unknown", f"van {van_id} is not enrolled")
        keys = sorted(van.keys, key=lambda key: not key.counts_at(appended_at))
        signer = next((key for key in keys if envelope.is_signed_by(key.public_key)), None)
        if signer is None:
            raise InvalidRecord("signature_invalid", f"no key of van {van_id} made the signature")
        if not signer.counts_at(appended_at):
            raise InvalidRecord("van_revoked", f"van {van_id} signed this with a key that was revoked before it came")


class VanFollower:
    """Keeps a VanRegistry up to date from the broker, in the background; a broker that is away is waited for."""

    def __init__(
        self,
        broker: BrokerSettings,
        registry: VanRegistry,
        failed: Callable[[BaseException], None],
        progress: Progress,
    ) -> None:
        """failed: told when the broker refuses this account, after `start` has returned."""
        self.registry, self._progress = registry, progress
        self._broker = broker
        self._failed = failed
        self._changed = asyncio.Condition()
        self._caught_up = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Follow from the beginning; returns once everything is known that stood in the topic at that moment.

        Raises Transient when the broker does not answer within its `connect_timeout_s`, Fatal when it
        refuses the topic.
        """
        self._task = asyncio.create_task(self._follow(), name="van-registry")
        caught_up = asyncio.create_task(self._caught_up.wait())
        patience_s = self._broker.connect_timeout_s
        done, _ = await asyncio.wait({self._task, caught_up}, timeout=patience_s, return_when=asyncio.FIRST_COMPLETED)
        caught_up.cancel()
        if self._task in done:
            await self._task  # raises what ended it
        if not done:
            await self.stop()
            raise no_answer(self._broker)
        self._task.add_done_callback(self._ended)

    async def stop(self) -> None:
        """Stop following."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def wait_for(self, van_id: str, taken: int, wait_s: float) -> bool:
        """Wait until a record of the van comes after the `taken`th one, at most `wait_s` seconds; whether it came."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait_s), self._changed:
                await self._changed.wait_for(lambda: self.registry.changed_since(van_id, taken))
        return self.registry.changed_since(van_id, taken)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failed(error)

    async def _follow(self) -> None:
        while True:
            self._progress.waits(VANS, "the registry of vans is not read to its end yet")
            try:
                await self._follow_once()
            except REFUSALS as error:
                raise Fatal(f"the broker refuses the registry of vans: {type(error).__name__}") from error
            except KafkaError as error:
                log.warning("van registry: the broker is away (%s), trying again", type(error).__name__)
            await asyncio.sleep(RECONNECT_S)

    async def _follow_once(self) -> None:
        consumer = AIOKafkaConsumer(
            Topic.VAN_ENROLLED.value,
            group_id=None,  # every worker reads everything, and nothing is committed
            auto_offset_reset="earliest",
            **consumer_options(self._broker),
        )
        try:
            await consumer.start()
            ends: Mapping[TopicPartition, int] | None = await consumer.end_offsets(consumer.assignment())
            asked_at_s = time.monotonic()
            while True:
                if ends is not None and VANS in self._progress and await _reached(consumer, ends):
                    self._caught_up.set()
                    self._progress.has(VANS)
                if time.monotonic() - asked_at_s > ASK_EVERY_S:
                    # The client itself never says that its broker is away: it waits, and what is known grows old.
                    ends, asked_at_s = await self._ends(consumer), time.monotonic()
                for messages in (await consumer.getmany(timeout_ms=POLL_MS)).values():
                    for message in messages:
                        if message.value is not None:
                            await self._learn(message.value)
        finally:
            await consumer.stop()

    async def _ends(self, consumer: Any) -> Mapping[TopicPartition, int] | None:
        try:
            async with asyncio.timeout(ANSWERS_WITHIN_S):
                ends: Mapping[TopicPartition, int] = await consumer.end_offsets(consumer.assignment())
        except (TimeoutError, KafkaError):
            self._progress.waits(VANS, "the registry of vans cannot be read: the broker does not answer")
            return None
        return ends

    async def _learn(self, value: bytes) -> None:
        try:
            van = VanEnrolled.decode(value)
        except InvalidRecord as error:
            log.error("van registry: a record that cannot be used (%s); the van stays unknown", error.reason)
            return
        self.registry.learn(van)
        async with self._changed:
            self._changed.notify_all()


async def _reached(consumer: Any, ends: Mapping[TopicPartition, int]) -> bool:
    """Whether everything before `ends` was handed out."""
    for partition, end in ends.items():
        if await consumer.position(partition) < end:
            return False
    return True
