"""Sends rejected records from quarantine to their topics again: one that a command names, or as people decide.

The bytes are those that the van sent, by their sha256, and the topic is the one on which they were rejected: whoever
asks for it chooses neither. So the console may ask, and needs no right to write where vans write.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Literal, TypeAlias

from sonovan.contracts.answers import RecordRejected, RejectedHandled, RejectedRetried
from sonovan.contracts.broker import BrokerSettings
from sonovan.contracts.errors import InvalidRecord, Transient
from sonovan.contracts.ids import split_frame_id
from sonovan.contracts.topics import Topic, is_signed
from sonovan.storage.keys import Bucket, quarantined_sha256
from sonovan.storage.stores import REPLACED, ObjectStore, get_named
from sonovan.transport.producer import BoundedProducer, Sent
from sonovan.transport.tail import Tail, read_all

Outcome: TypeAlias = Literal["sent", "gone", "refused"]

SHORT: Final = 12
"""Characters of a rejection's id that are shown to people."""

SEND_WITHIN_S: Final = 30.0
READ_WITHIN_S: Final = 60.0


def may_be_sent_again(record: RecordRejected, *, force: bool = False) -> bool:
    """Whether it is a van's record, with its bytes kept, that another try may help; force: even if none will."""
    return is_signed(record.topic) and record.kept and (record.retryable or force)


def key_and_headers(record: RecordRejected) -> tuple[bytes, list[tuple[str, bytes]]]:
    """The Kafka key and headers with which the record belongs on its topic.

    Made again from its ids: quarantine holds the value alone. A record of which no id could be read goes by its
    rejection's id.
    """
    headers = [
        (name, value.encode())
        for name, value in (("screening_id", record.screening_id), ("frame_id", record.frame_id))
        if value is not None
    ]
    if record.topic == Topic.FRAME_CAPTURED:
        key = split_frame_id(record.frame_id)[0] if record.frame_id else record.rejection_id
        return key.encode(), headers
    return (record.screening_id or record.rejection_id).encode(), []


def send_again(record: RecordRejected, store: ObjectStore, producer: BoundedProducer) -> Sent | None:
    """Where its bytes stand now; None where they are no longer in quarantine.

    Raises InvalidRecord `object_contradicts_record` where other bytes stand there, replaced or damaged, and
    `record_too_large` where the broker takes none of that size; otherwise as the store and the producer.
    """
    key, headers = key_and_headers(record)
    try:
        named = record.quarantine_key
        value = get_named(store, Bucket.QUARANTINE, named, quarantined_sha256(named))
    except KeyError:
        return None
    return producer.send(record.topic, key, value, headers).result(SEND_WITHIN_S)


def note_again(
    record: RecordRejected | RejectedHandled,
    producer: BoundedProducer,
    outcome: Outcome = "sent",
    handling_id: str | None = None,
) -> None:
    """Publish what became of it."""
    note = RejectedRetried(
        rejection_id=record.rejection_id,
        screening_id=record.screening_id,
        retried_at=datetime.now(UTC),
        handling_id=handling_id,
        outcome=outcome,
    )
    noted_under = (record.screening_id or record.rejection_id).encode()
    producer.send(Topic.REJECTED_RETRIED, noted_under, note.encode()).result(SEND_WITHIN_S)


@dataclass
class Follower:
    """Does what people decided, by the account `retrier`.

    What is still to be done follows from the topics alone (a decision without a note that carries its id), so that it
    keeps nothing, and goes on where another one died; what was sent then may be sent twice, which stages bear.
    """

    broker: BrokerSettings
    store: ObjectStore
    tell: Callable[[str], None]
    looked: Callable[[], None] = lambda: None
    """Called after each look at broker and store that went well."""
    _asked: dict[str, RejectedHandled] = field(default_factory=dict)
    _done: set[str] = field(default_factory=set)

    def follow(self, stop: Callable[[float], bool], every_s: float = 1.0) -> None:
        """Look for decisions and do them until `stop`, which waits so many seconds and says whether to end.

        A failure that waiting may mend (Transient) is told, and everything is tried again. Raises Fatal where the
        broker or the store refuses the account.
        """
        told = ""
        while True:
            try:
                with (
                    Tail(self.broker, Topic.REJECTED_HANDLED) as handled,
                    Tail(self.broker, Topic.REJECTED_RETRIED) as retried,
                    BoundedProducer(self.broker) as producer,
                ):
                    told = self._said("follows what is decided about rejected records", told)
                    while True:
                        self._learn(retried, handled)
                        self._act(producer)
                        self.looked()
                        if stop(every_s):
                            return
            except Transient as error:
                told = self._said(f"waits: {error}", told)
            if stop(every_s * 5):
                return

    def _said(self, line: str, before: str) -> str:
        """Tell a line, unless it was the last one."""
        if line != before:
            self.tell(line)
        return line

    def _learn(self, retried: Tail, handled: Tail) -> None:
        for message in retried.to_the_end(READ_WITHIN_S):
            note = message.readable()
            if isinstance(note, RejectedRetried) and note.handling_id is not None:
                self._done.add(note.handling_id)
                self._asked.pop(note.handling_id, None)
        for message in handled.to_the_end(READ_WITHIN_S):
            decision = message.readable()
            if not isinstance(decision, RejectedHandled):
                continue
            if decision.decision == "retry" and decision.handling_id not in self._done:
                self._asked[decision.handling_id] = decision
            if decision.decision == "discard":  # somebody changed their mind before it was sent
                for each in [one for one in self._asked.values() if one.rejection_id == decision.rejection_id]:
                    del self._asked[each.handling_id]

    def _act(self, producer: BoundedProducer) -> None:
        if not self._asked:
            return
        known = self._rejections({each.rejection_id for each in self._asked.values()})
        for handling_id, decision in list(self._asked.items()):
            record = known.get(decision.rejection_id)
            outcome, why = self._try(record, producer)
            note_again(record or decision, producer, outcome, handling_id)
            self._done.add(handling_id)
            del self._asked[handling_id]
            self.tell(f"{decision.rejection_id[:SHORT]}: {outcome}{why}")

    def _try(self, record: RecordRejected | None, producer: BoundedProducer) -> tuple[Outcome, str]:
        """What became of one decision, and the reason of an error in brackets. No record may stop those after it."""
        if record is None or not may_be_sent_again(record):
            return "refused", ""
        try:
            return ("gone" if send_again(record, self.store, producer) is None else "sent"), ""
        except InvalidRecord as error:
            return ("gone" if error.reason == REPLACED else "refused"), f" ({error.reason})"

    def _rejections(self, wanted: set[str]) -> Mapping[str, RecordRejected]:
        found: dict[str, RecordRejected] = {}
        for message in read_all(self.broker, Topic.RECORD_REJECTED):
            record = message.readable()
            if isinstance(record, RecordRejected) and record.rejection_id in wanted:
                found.setdefault(record.rejection_id, record)
        return found
