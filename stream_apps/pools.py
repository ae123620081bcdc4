"""Two pools of threads for a stage: one computes what the step makes of messages, the other stores it.

Two, so that a slow disk under the object store does not keep the step from computing. What is to be stored goes from
one into the other without the event loop between them, which is busy with other messages.
"""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from sonovan.stream_apps.stage import Message, Outcome, Stage, check_size

Begun = Future[Any] | None
"""The first attempt at storing an outcome, where it has begun."""


class Pools:
    """The threads of one opened stage."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._compute = ThreadPoolExecutor(stage.compute_threads or 1, stage.name)
        self._io = ThreadPoolExecutor(stage.store_threads, "store")

    async def computed(self, message: Message) -> tuple[Outcome, Begun]:
        """What the step makes of a message, and its storing where that has begun; a stage without threads of its own
        computes here. Raises as the step and `check_size` do.
        """
        if not self._stage.compute_threads:
            return self._checked(message), None
        return await asyncio.get_running_loop().run_in_executor(self._compute, self._computed, message)

    def stored(self, store: Callable[[], object], begun: Begun) -> Callable[[], Awaitable[object]]:
        """What to call for each attempt to store: the first call waits for the one that has begun, if one has."""
        attempts = iter([] if begun is None else [begun])
        return lambda: asyncio.wrap_future(next(attempts, None) or self._io.submit(store))

    def close(self) -> None:
        """Give the threads back; what they are doing is abandoned."""
        self._compute.shutdown(wait=False, cancel_futures=True)
        self._io.shutdown(wait=False, cancel_futures=True)

    def _checked(self, message: Message) -> Outcome:
        outcome = self._stage.process(message)
        check_size(outcome)
        return outcome

    def _computed(self, message: Message) -> tuple[Outcome, Begun]:
        outcome = self._checked(message)
        return outcome, None if outcome.store is None else self._io.submit(outcome.store)
