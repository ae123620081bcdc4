"""Which records belong to one screening's way through the centre: W3C trace context in the headers of messages.

A screening is one trace. Its id is a hash of the screening's, so that a store of traces knows no screening and whoever
has the screening's id finds its trace. A header is not signed: it serves to look at what happened, and nothing is
decided by it. Source: W3C Trace Context, 2021-11-23, 3.2 (`traceparent`).
"""

import hashlib
import re
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

HEADER: Final = "traceparent"
_WRITTEN: Final = re.compile(rb"00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}")

Headers = Iterable[tuple[str, bytes | None]]
"""As Kafka gives them: a value may be missing."""


@dataclass(frozen=True, slots=True)
class TraceContext:
    """A step of a trace. trace_id: 32 hexadecimal digits. span_id: 16, of the step by which others were caused."""

    trace_id: str
    span_id: str

    @property
    def header(self) -> tuple[str, bytes]:
        """As a header of a message; recorded, for whether spans are exported is each program's own setting."""
        return HEADER, f"00-{self.trace_id}-{self.span_id}-01".encode()

    def caused(self) -> "TraceContext":
        """A new step that this one has caused."""
        return TraceContext(self.trace_id, secrets.token_hex(8))


def capture_of(screening_id: str, item_id: str) -> TraceContext:
    """The first step of what a van sends: the same for an item however often it is sent."""
    return TraceContext(_hashed(screening_id, 32), _hashed(item_id, 16))


def step_in(headers: Headers | None) -> TraceContext | None:
    """The step that caused a message; None where its headers name none, or not as the standard writes it."""
    for name, value in headers or ():
        if name == HEADER and value is not None and (found := _WRITTEN.fullmatch(value)):
            trace_id, span_id = found[1].decode(), found[2].decode()
            return TraceContext(trace_id, span_id) if int(trace_id, 16) and int(span_id, 16) else None
    return None


_CURRENT: Final[ContextVar[TraceContext | None]] = ContextVar("trace", default=None)


def step_under_way() -> TraceContext | None:
    """The step that is under way in this task or thread."""
    return _CURRENT.get()


@contextmanager
def within(step: TraceContext | None) -> Iterator[None]:
    """Let a step be under way until the block ends."""
    before = _CURRENT.set(step)
    try:
        yield
    finally:
        _CURRENT.reset(before)


def _hashed(text: str, digits: int) -> str:
    return hashlib.sha256(f"sonovan trace {text}".encode()).hexdigest()[:digits]
