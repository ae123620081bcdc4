"""Messages that wait on a topic of their own, so that those of other vans behind them are reached.

A van that has as many messages waiting in a worker as one may have gets its next ones deferred: they are written,
whole, to the topic of deferred messages under the van's name, and acknowledged where they stood. The worker reads
them back as fast as the van's own turns allow. Where a message stood, and when the broker appended it, goes along in
Kafka headers, which no van can write: only a stage may write to that topic. So everything that is said of a deferred
message, a rejection for one, is what would have been said at once.

An administrator can write there, too. Headers that no stage would write are not believed: a place or a time that no
record can hold would end the worker, again after each restart. Whose a message is, only its signature says.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final

from pydantic import Field, TypeAdapter

from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.moments import moment_of, ms_of
from sonovan.contracts.record import Count, Moment, Offset
from sonovan.contracts.topics import Topic
from sonovan.contracts.tracing import Headers, step_in
from sonovan.stream_apps.rejecting import Coordinates
from sonovan.stream_apps.stage import Message

_PARTITION: Final[TypeAdapter[int]] = TypeAdapter(Count)
_OFFSET: Final[TypeAdapter[int]] = TypeAdapter(Offset)
_MILLIS: Final[TypeAdapter[int]] = TypeAdapter(Annotated[int, Field(ge=0, lt=10**14)])
_MOMENT: Final[TypeAdapter[datetime]] = TypeAdapter(Moment)


def headers_of(message: Message) -> list[tuple[str, bytes]]:
    """What goes along with a message that is deferred."""
    at = message.at
    texts = {
        "topic": at.topic,
        "partition": str(at.partition),
        "offset": str(at.offset),
        "appended-at-ms": str(ms_of(at.appended_at)),
    }
    key = [] if message.key is None else [("key", message.key)]
    trace = [] if message.trace is None else [message.trace.header]
    return [*((name, text.encode()) for name, text in texts.items()), *key, *trace]


def restored(headers: Headers, value: bytes, reads: Collection[Topic]) -> Message:
    """The message as it stood before it was deferred. reads: the topics from which the stage defers.

    Raises InvalidRecord where its headers are not those of `headers_of`, or name a place or a time that there is not.
    """
    given = {name: text for name, text in headers if text is not None}
    try:
        topic = Topic(given["topic"].decode())
        if topic not in reads:
            raise ValueError(topic)
        at = Coordinates(
            topic.value,
            _PARTITION.validate_python(given["partition"].decode()),
            _OFFSET.validate_python(given["offset"].decode()),
            _MOMENT.validate_python(moment_of(_MILLIS.validate_python(given["appended-at-ms"].decode()))),
        )
    except (KeyError, ValueError) as error:
        raise InvalidRecord("record_invalid", "a deferred message does not say where it stood") from error
    return Message(at, given.get("key"), value, step_in(given.items()))


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
