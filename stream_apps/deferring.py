"""Messages that wait on a topic of their own, so that those of other vans behind them are reached.

A van that has as many messages waiting in a worker as one may have gets its next ones deferred: they are written,
whole, to the topic of deferred messages under the van's name, and acknowledged where they stood. The worker reads
them back as fast as the van's own turns allow. Where a message stood, and when the broker appended it, goes along in
Kafka headers, which no van can write: only a stage may write to that topic. So everything that is said of a deferred
message, a rejection for one, is what would have been said at once.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from sonovan.contracts.errors import InvalidRecord
from sonovan.stream_apps.rejecting import Coordinates
from sonovan.stream_apps.stage import Message

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)

Headers = Iterable[tuple[str, bytes]]


def headers_of(message: Message) -> list[tuple[str, bytes]]:
    """What goes along with a message that is deferred."""
    at = message.at
    texts = {
        "topic": at.topic,
        "partition": str(at.partition),
        "offset": str(at.offset),
        "appended-at-ms": str((at.appended_at - _EPOCH) // _MILLISECOND),
    }
    key = [] if message.key is None else [("key", message.key)]
    return [*((name, text.encode()) for name, text in texts.items()), *key]


def restored(headers: Headers, value: bytes) -> Message:
    """The message as it stood before it was deferred. Raises InvalidRecord where its headers are not those of
    `headers_of`.
    """
    given = dict(headers)
    try:
        at = Coordinates(
            given["topic"].decode(),
            int(given["partition"]),
            int(given["offset"]),
            _EPOCH + int(given["appended-at-ms"]) * _MILLISECOND,
        )
    except (KeyError, ValueError) as error:
        raise InvalidRecord("record_invalid", "a deferred message does not say where it stood") from error
    return Message(at, given.get("key"), value)


@dataclass(eq=False, slots=True)
class Deferred:
    """A deferred message in a worker's hands. offset: where it stands in the topic of deferred messages."""

    message: Message
    offset: int
    done: bool = False

    def ack(self) -> bool:
        """Its work is over: it need not be read again."""
        self.done = True
        return True
