"""Sending through a Faust app's producer, and reading where a message stood. No faust here: the app is handed in."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    KafkaError,
    MessageSizeTooLargeError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
)

from sonovan.contracts.errors import Fatal, Transient
from sonovan.contracts.tracing import TraceContext, step_in, step_under_way
from sonovan.stream_apps.rejecting import Coordinates
from sonovan.stream_apps.retrying import retry

REFUSALS = (
    ClusterAuthorizationFailedError,
    MessageSizeTooLargeError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
)


LOG_APPEND_TIME: Final = 1
"""The broker's own time, as Kafka marks it in an answer."""


class App(Protocol):
    """As much of faust.App as is needed here."""

    @property
    def producer(self) -> Any: ...


class Sending:
    """One record on its way: in the producer's queue once `queued` returns, on the broker once `durable` does."""

    def __init__(
        self,
        app: App,
        topic: str,
        key: bytes,
        value: bytes,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        told: Callable[[Transient], None] = lambda _: None,
        headers: Sequence[tuple[str, bytes]] | None = None,
    ) -> None:
        """sleep: how to pause between attempts. told: called at each attempt that failed, with why.

        headers: of the message, beside its key and value; without any it carries the step of a trace that is under
        way, where one is.
        """
        step = step_under_way()
        self._app, self._topic, self._key, self._value, self._sleep = app, topic, key, value, sleep
        self._told = told
        self._headers = [step.header] if headers is None and step is not None else headers
        self._queued_at_s = 0.0
        self.broker_ahead_s: float | None = None
        """By how much the broker's clock is ahead of this machine's at least; known once the record is durable."""
        self._acknowledged: Awaitable[Any] | None = None

    async def queued(self) -> None:
        """Hand the record to the producer; records queued one after another leave in that order."""
        self._acknowledged = await retry(self._queue, sleep=self._sleep, told=self._told)

    async def durable(self) -> int:
        """Return when all in-sync replicas hold the record, with its offset; what fails on the way is sent again."""
        return await retry(self._confirm, sleep=self._sleep, told=self._told)

    async def _queue(self) -> Awaitable[Any]:
        self._queued_at_s = time.time()
        try:
            acknowledged: Awaitable[Any] = await self._app.producer.send(
                self._topic, self._key, self._value, partition=None, timestamp=None, headers=self._headers
            )
        except Exception as error:
            raise _kind_of(error, self._topic) from error
        return acknowledged

    async def _confirm(self) -> int:
        acknowledged = self._acknowledged or await self._queue()
        self._acknowledged = None  # a second attempt queues again
        try:
            # Shielded: who cancels this must not cancel a future that the producer still wants to fulfil.
            kept = await asyncio.shield(asyncio.ensure_future(acknowledged))
        except KafkaError as error:
            raise _kind_of(error, self._topic) from error
        if kept.timestamp_type == LOG_APPEND_TIME:
            appended_at_s = kept.timestamp / 1000
            self.broker_ahead_s = appended_at_s - min(max(appended_at_s, self._queued_at_s), time.time())
        return int(kept.offset)


async def deliver(app: App, topic: str, key: bytes, value: bytes) -> int:
    """Send one record; its offset once it is durable. Raises Fatal when the broker refuses this account or size."""
    return await Sending(app, topic, key, value).durable()


def coordinates(message: Any) -> Coordinates:
    """Where a Faust message stood in Kafka. Its timestamp is the broker's append time: topics are LogAppendTime."""
    appended_at = datetime.fromtimestamp(message.timestamp, UTC)
    return Coordinates(message.topic, message.partition, message.offset, appended_at)


def step_of(message: Any) -> TraceContext | None:
    """The step of a trace that caused a Faust message; its headers are a mapping or pairs, as the driver has them."""
    headers = message.headers or ()
    return step_in(headers.items() if isinstance(headers, Mapping) else headers)


def _kind_of(error: Exception, topic: str) -> Exception:
    """Fatal for what no waiting mends, Transient for the rest of Kafka's errors, anything else as it is.

    Faust wraps what the producer raises into an error of its own, the cause beneath.
    """
    cause = error.__cause__ if isinstance(error.__cause__, KafkaError) else error
    if isinstance(cause, REFUSALS):
        return Fatal(f"the broker refuses a record for {topic}: {type(cause).__name__}")
    if isinstance(cause, KafkaError):
        return Transient(f"the broker does not take a record for {topic} ({type(cause).__name__})")
    return error
