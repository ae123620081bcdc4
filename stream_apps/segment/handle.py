"""One message's way from bytes to an acknowledgement, with everything that can go wrong; all of it without Faust."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from typing import Protocol, TypeVar

from sonovan.contracts.answers import VanAnswered
from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.topics import Topic
from sonovan.storage.stores import ObjectStore
from sonovan.stream_apps.kafka_io import App, Sending, answer
from sonovan.stream_apps.rejecting import Coordinates, Rejection, Unusable, message_key, reject
from sonovan.stream_apps.retrying import retry
from sonovan.stream_apps.segment.in_flight import Turn
from sonovan.stream_apps.segment.settings import SegmentSettings
from sonovan.stream_apps.segment.step import LoadedNetwork, SegmentedFrame, put_objects, segment_envelope
from sonovan.stream_apps.vans import VanFollower

log = logging.getLogger(__name__)
T = TypeVar("T")


class Acknowledged(Protocol):
    """As much of a Faust event as is needed here."""

    def ack(self) -> bool: ...


class Handler:
    """Turns messages of `frame.captured` into durable results or rejections. Made once, used for every message."""

    def __init__(
        self,
        app: App,
        store: ObjectStore,
        segmenter: LoadedNetwork,
        vans: VanFollower,
        settings: SegmentSettings,
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        """now: seconds since the epoch, against which a message's age is measured."""
        self._app, self._store, self._segmenter, self._vans = app, store, segmenter, vans
        self._hold_s = settings.unknown_van_wait_s
        self._now = now
        # Two pools, so that a slow disk under MinIO does not keep the network from computing.
        self._compute = ThreadPoolExecutor(settings.compute_threads, "segment")
        self._io = ThreadPoolExecutor(settings.store_threads, "store")

    async def handle(self, event: Acknowledged, value: bytes, key: bytes | None, at: Coordinates, turn: Turn) -> None:
        """Everything for one message; its offset may be committed only after this returned.

        Raises Fatal; waits through whatever is Transient.
        """
        outcome = await self._outcome(value, key, at)
        await turn.to_send()
        sending = self._sending(outcome)
        await sending.queued()
        turn.sent()
        await sending.durable()
        await self._answer(outcome.receipt)
        await turn.to_end()
        event.ack()

    def close(self) -> None:
        """Give back the threads; what they are doing is abandoned."""
        self._compute.shutdown(wait=False, cancel_futures=True)
        self._io.shutdown(wait=False, cancel_futures=True)

    async def _outcome(self, value: bytes, key: bytes | None, at: Coordinates) -> SegmentedFrame | Rejection:
        """A frame whose objects are durable, or a rejection whose bytes are in quarantine."""
        try:
            frame = await self._segmented(value, key, at)
            await retry(lambda: self._stored(put_objects, self._store, frame))
        except InvalidRecord as error:
            rejection = reject("segment", error, at, value)
            log.warning(
                "rejected %s/%d/%d: %s (%s)",
                at.topic,
                at.partition,
                at.offset,
                error.reason,
                rejection.record.rejection_id,
            )
            kept = rejection.quarantine
            await retry(lambda: self._stored(self._store.put, kept.bucket, kept.key, kept.data, kept.content_type))
            return rejection
        return frame

    async def _segmented(self, value: bytes, key: bytes | None, at: Coordinates) -> SegmentedFrame:
        try:
            return await self._computed(value, key, at.appended_at)
        except Unusable as error:
            van_id = error.subject.van_id
            if error.reason != "van_unknown" or van_id is None:
                raise
            # Counted from its arrival: whoever fills the topic with unknown vans cannot stall it for 10 s a frame.
            age_s = self._now() - at.appended_at.timestamp()
            if not await self._vans.wait_for(van_id, min(max(self._hold_s - age_s, 0.0), self._hold_s)):
                raise
        return await self._computed(value, key, at.appended_at)

    async def _computed(self, value: bytes, key: bytes | None, appended_at: datetime) -> SegmentedFrame:
        step = partial(
            segment_envelope,
            value,
            append_time=appended_at,
            registry=self._vans.registry,
            segmenter=self._segmenter,
            key=key,
        )
        return await asyncio.get_running_loop().run_in_executor(self._compute, step)

    def _stored(self, action: Callable[..., T], *arguments: object) -> Awaitable[T]:
        return asyncio.get_running_loop().run_in_executor(self._io, partial(action, *arguments))

    def _sending(self, outcome: SegmentedFrame | Rejection) -> Sending:
        if isinstance(outcome, Rejection):
            record = outcome.record
            return Sending(self._app, Topic.RECORD_REJECTED, message_key(record), record.encode())
        return Sending(self._app, Topic.FRAME_SEGMENTED, outcome.record.screening_id.encode(), outcome.record.encode())

    async def _answer(self, receipt: VanAnswered | None) -> None:
        """Tell the van; one that was never enrolled has no topic to be told on."""
        if receipt is not None and self._vans.registry.knows(receipt.van_id):
            await answer(self._app, receipt)
