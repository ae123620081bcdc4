"""What a stage brings: the topics that it reads, one step from a message to an outcome, and what must be written then.

This is the one seam of the centre: `Process` takes a `Message` and returns an `Outcome`. Reading Kafka, waiting for
what is away, rejecting, writing in the right order, acknowledging, measuring and leaving in time stand once behind
it, in `handling.py` and `agent.py`. A stage is a folder whose module `stage.py` has a function `open_stage`; its
name, its topics and its tables are rows of `contracts/topics.py`.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property, partial
from typing import Protocol

from sonovan.contracts.answers import VanAnswered
from sonovan.contracts.broker import BrokerSettings
from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.limits import MAX_ROW_BYTES, MAX_VALUE_BYTES
from sonovan.contracts.record import Record
from sonovan.contracts.topics import Topic, van_answered_topic
from sonovan.contracts.tracing import TraceContext
from sonovan.storage.stores import ObjectStore
from sonovan.stream_apps.progress import Progress
from sonovan.stream_apps.rejecting import Coordinates, Rejection, Subject, message_key
from sonovan.stream_apps.settings import WorkerSettings
from sonovan.stream_apps.skipping import Passed
from sonovan.stream_apps.vans import VanRegistry

Rows = Mapping[tuple[str, str], bytes | None]
"""Rows of a stage's tables to write: (table, key) → the row, None deletes it."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message as the broker holds it, and where it stands there. One without a value has an empty value.

    trace: the step that caused it, as its unsigned header says; None where it names none.
    """

    at: Coordinates
    key: bytes | None
    value: bytes
    trace: TraceContext | None = None


@dataclass(frozen=True)
class Outgoing:
    """One record to send. A receipt for a van that was never enrolled has no topic to go to, and is left out."""

    topic: str
    key: str
    record: Record

    @cached_property
    def value(self) -> bytes:
        """The record's bytes, made once: they are measured before they are sent."""
        return self.record.encode()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What must be done because of a message, in the order of these fields; each is durable before the next begins.

    store: a blocking write to the object store or a database, run in a thread; doing it again is harmless. It may
    raise InvalidRecord (the message is rejected), Transient (it is tried again) and Fatal (the worker ends). Where what
    is sent names what was stored, it returns the outcome to go on with.
    received: rows that hold what was received. records: groups of records to send; the first groups of a partition
    leave in the order of its messages. published: the rows that remember what was sent, made from the offset of the
    newest record that was sent to each topic. The message is acknowledged last. van_id: whose record it was, where a
    signature proved it.
    """

    store: Callable[[], object] | None = None
    received: Rows = field(default_factory=dict)
    records: Sequence[Sequence[Outgoing]] = ()
    published: Callable[[Mapping[str, int]], Rows] | None = None
    van_id: str | None = None


Process = Callable[[Message], Outcome]
"""A stage's step: pure, nothing is sent and nothing written in it.

Raises InvalidRecord for a message that cannot be used (`Unusable` where something of the record could be read), Fatal
where this process must not go on.
"""


Send = Callable[[str, bytes, bytes], Awaitable[int]]


Row = Callable[[str, str], bytes | None]
"""(table, key) → the row as it stands, None where there is none."""


class Tables(Protocol):
    """The rows of a stage, as its step may read them in the event loop."""

    def get(self, table: str, key: str) -> bytes | None:
        """The row, or None where there is none."""

    def items(self, table: str) -> Iterable[tuple[str, bytes]]:
        """Every row of the partitions that this worker holds."""


@dataclass(frozen=True, slots=True)
class Given:
    """What a worker hands to the stage that it runs.

    send: (topic, key, value) for what a background task sends; returns the record's offset once it is durable.
    progress: told what opening the stage waits for.
    """

    broker: BrokerSettings
    worker: WorkerSettings
    store: ObjectStore
    vans: VanRegistry
    tables: Tables
    send: Send
    progress: Progress


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A stage, opened: its step, and how much of it may go on at once.

    name: its row in `contracts.topics.STAGES`. reads: topics whose messages come one after another to `process`.
    in_flight: messages that are worked on at once; more than one is for stages without tables, since rows are written
    in the order of the messages. waiting_each: how many of each van's may wait beside those, None where vans do not
    take turns. room_messages, room_bytes: of all that was taken in and is not acknowledged. defers_to: the topic for
    what a van has beyond that, None where it waits in the log. compute_threads: how many threads run `process`; with 0
    it runs in the event loop, where rows can be read. store_threads: how many threads run `Outcome.store`.
    unknown_van_wait_s: how long after its arrival a message of a van that is not enrolled waits for the registry.
    catch_up: run before the first message of a partition after it was assigned, with what an operator told the stage to
    pass; its outcome is done like any other. It may raise Transient and Fatal. subject_of: whose message it is, where
    its signature holds, for one that is passed over unread; it may raise anything. tick: every `tick_every_s` seconds,
    with the time: the records to send then.
    background: runs beside the messages until the worker ends. running: what a monitor should know of the stage, such
    as the network and its provider.
    """

    name: str
    reads: tuple[Topic, ...]
    process: Process
    in_flight: int = 1
    waiting_each: int | None = None
    room_messages: int = 1
    room_bytes: int | None = None
    defers_to: Topic | None = None
    compute_threads: int = 0
    store_threads: int = 2
    unknown_van_wait_s: float = 10.0
    catch_up: Callable[[int, Passed], Awaitable[Outcome]] | None = None
    tick: Callable[[datetime], Sequence[Outgoing]] | None = None
    tick_every_s: float = 5.0
    background: Callable[[], Awaitable[None]] | None = None
    subject_of: Callable[[Message], Subject] = lambda _message: Subject()
    running: Mapping[str, str] = field(default_factory=dict)
    close: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        """Raises ValueError for a stage that would catch up while messages of the partition are under way."""
        if self.in_flight > 1 and self.catch_up is not None:
            raise ValueError(f"stage {self.name}: catching up needs messages one at a time")


OpenStage = Callable[[Given], Awaitable[Stage]]
"""`open_stage` of a stage's module: reads the stage's settings and opens what it needs. Raises Transient and Fatal."""


def check_size(outcome: Outcome) -> None:
    """Raise InvalidRecord `result_too_large` for an outcome of which Kafka would refuse a row or a record.

    What Kafka refuses ends the worker, and would end it again after every restart. A stage that knows whose message it
    is refuses earlier, under the record's own ids.
    """
    later = {} if outcome.published is None else outcome.published({})
    for rows in (outcome.received, later):
        for (table, key), row in rows.items():
            if row is not None and len(row) > MAX_ROW_BYTES:
                raise InvalidRecord("result_too_large", f"row {key} of {table} would have {len(row)} bytes")
    for group in outcome.records:
        check_records(group)


def check_records(records: Iterable[Outgoing]) -> None:
    """Raise InvalidRecord `result_too_large` for a record that Kafka would refuse."""
    for each in records:
        if len(each.value) > MAX_VALUE_BYTES:
            raise InvalidRecord("result_too_large", f"a record for {each.topic} would have {len(each.value)} bytes")


def rejected(rejection: Rejection, store: ObjectStore) -> Outcome:
    """A message that cannot be used: its bytes into quarantine, if they are kept, the rejection, the van's receipt."""
    kept, record = rejection.quarantine, rejection.record
    put = partial(store.put, kept.bucket, kept.key, kept.data, kept.content_type)
    receipt = () if rejection.receipt is None else (receipt_to(rejection.receipt),)
    return Outcome(
        store=put if record.kept else None,
        records=((Outgoing(Topic.RECORD_REJECTED, message_key(record), record),), receipt),
    )


def receipt_to(receipt: VanAnswered) -> Outgoing:
    """A receipt on its way to its van's own topic."""
    return Outgoing(van_answered_topic(receipt.van_id).name, receipt.screening_id or receipt.van_id, receipt)
