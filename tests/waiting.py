"""Waiting for conditions, with deadlines; the only place of the tests that pauses."""

import asyncio
import time
from collections.abc import Callable
from threading import Event
from typing import Final, TypeVar

import pytest

DEADLINE_S: Final = 180.0
_PAUSE_S: Final = 0.05
_NEVER_SET: Final = Event()

T = TypeVar("T")


def until(
    condition: Callable[[], T], what: str, *, deadline_s: float = DEADLINE_S, evidence: Callable[[], str] = str
) -> T:
    """The first true value of `condition`, asked again and again; fails with `what` and the evidence."""
    give_up_at = time.monotonic() + deadline_s
    while not (found := condition()):
        if time.monotonic() > give_up_at:
            pytest.fail(f"not within {deadline_s:g} s: {what}\n{evidence()}")
        _NEVER_SET.wait(_PAUSE_S)
    return found


def elapse(seconds: float) -> None:
    """Let time pass where time itself is the condition: a service that is away for so long."""
    _NEVER_SET.wait(seconds)


async def turn() -> None:
    """Let every task that can go on do so once: returns in the event loop's next turn."""
    loop = asyncio.get_running_loop()
    next_turn = loop.create_future()
    loop.call_soon(next_turn.set_result, None)
    await next_turn


async def comes_true(condition: Callable[[], bool], deadline_s: float) -> None:
    """Return once `condition` holds, asked in every turn of the event loop. Raises TimeoutError after `deadline_s`."""
    async with asyncio.timeout(deadline_s):
        while not condition():
            await turn()
