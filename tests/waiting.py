"""Waiting for conditions, with deadlines; the only place of the tests that pauses."""

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
