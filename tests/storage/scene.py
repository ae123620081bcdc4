"""Versions of several sources and the messages that follow from them, for the outbox: nothing clinical."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, Literal

from sonovan.storage.outbox import Call, Decide, Kind, Message, Outbox, Version

NOON: Final = datetime(2025, 3, 4, 12, 0, tzinfo=UTC)
RECIPIENTS: Final[Sequence[str]] = ("webhook", "topic")
State = Literal["raised", "withdrawn"]


def version_of(source: int, number: int, *scopes: str) -> Version:
    """Version `number` of source `source`, which is a scope of its own beside `scopes`."""
    name = f"source-{source}"
    return Version(name, number, f"digest-{number}", frozenset({name, *scopes}))


def message(
    thread: str,
    body: bytes,
    scope: str = "source-0",
    rung: int = 0,
    label: str = "label",
    kind: Kind = "opens",
    calls: Sequence[Call] | None = None,
) -> Message:
    """To every recipient at once, unless `calls` are given."""
    told = tuple(Call(each, NOON, rung) for each in RECIPIENTS) if calls is None else tuple(calls)
    return Message(scope, thread, label, "text/plain", body, kind, told)


def deciding(source: int, state: State, scope: str | None = None) -> Decide:
    """The one thread-of-a source, or of a scope that sources share, must be in this state; tells what changes."""
    scope = scope or f"source-{source}"

    def decide(known: Mapping[str, bytes]) -> list[Message]:
        before = known.get(f"thread-of-{scope}", b"withdrawn")
        kind: Kind = "opens" if state == "raised" else "ends"
        return [] if before == state.encode() else [message(f"thread-of-{scope}", state.encode(), scope, kind=kind)]

    return decide


def take(outbox: Outbox, number: int, state: State = "raised", source: int = 0, now: datetime = NOON) -> int:
    """Take the version after which a source's one thread is in this state; how many messages that makes."""
    return outbox.take(version_of(source, number), deciding(source, state), now)
