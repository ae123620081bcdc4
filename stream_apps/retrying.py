"""Wait for the world: what is Transient is tried again, with backoff and jitter, until it works or is cancelled."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from sonovan.contracts.errors import Transient

log = logging.getLogger(__name__)
T = TypeVar("T")

FIRST_S = 0.2
LONGEST_S = 5.0


async def retry(
    action: Callable[[], Awaitable[T]],
    *,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    jitter: Callable[[], float] = random.random,
    told: Callable[[Transient], None] = lambda _: None,
) -> T:
    """What `action` returns, once it does not raise Transient; every other error leaves at once.

    Pauses double from FIRST_S to LONGEST_S, each between half and the whole of that by `jitter` (in [0, 1)).
    told: called at each attempt that failed, with why.
    """
    pause_s = FIRST_S
    while True:
        try:
            return await action()
        except Transient as error:
            log.warning("not ready, trying again in %.1f s: %s", pause_s, error)
            told(error)
        await sleep(pause_s * (0.5 + 0.5 * jitter()))
        pause_s = min(2 * pause_s, LONGEST_S)
