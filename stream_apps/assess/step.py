"""One message through `assess`, without Kafka, in three moves: load what is known, decide, write.

The middle one, `decide`, is pure and is all of it: from what was received and what is known to the rows as they shall
be, the revision, and the records to send. What is done with them in which order is said in `stage.py`. A crash
anywhere in between does the same again: every record's id and content follow from the rows.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from pydantic import ValidationError

from sonovan.contracts.answers import RecordRejected, VanAnswered
from sonovan.contracts.derivation import USUAL, Programme
from sonovan.contracts.erasures import ScreeningErased
from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.frames import FrameSegmented
from sonovan.contracts.results import ScreeningAssessed, ScreeningTicked
from sonovan.contracts.reviews import FrameReviewed
from sonovan.contracts.topics import Topic
from sonovan.stream_apps.assess.answering import report_receipt
from sonovan.stream_apps.assess.assessment import sequence_records
from sonovan.stream_apps.assess.ending import RowLife, ended, ending_of, is_over
from sonovan.stream_apps.assess.intake import take
from sonovan.stream_apps.assess.known import Known, check_rows, load, published_rows, received_rows
from sonovan.stream_apps.assess.pointing import places_told
from sonovan.stream_apps.assess.received import ControlRecord, Received, Verify, receive
from sonovan.stream_apps.assess.revise import Revision, is_settled, revise
from sonovan.stream_apps.assess.rows import ScreeningRow, WaitingRow
from sonovan.stream_apps.rejecting import Subject, Unusable
from sonovan.stream_apps.stage import Message, Outgoing, Row, Rows, check_records, receipt_to

_LIFE: Final = RowLife()


@dataclass(frozen=True, slots=True)
class Decided:
    """What a message leads to. `revision` is None where nothing new is to be published.

    sequences: the records of the revision's sweeps, and where its findings lie, for the van. records: the revision and
    the receipts, which follow them.
    """

    revision: Revision | None = None
    sequences: tuple[Outgoing, ...] = ()
    records: tuple[Outgoing, ...] = ()

    def naming(self, reported: ScreeningAssessed) -> tuple[Outgoing, ...]:
        """The records with the revision as it names its stored report."""
        own = self.revision.assessed if self.revision else None
        return tuple(replace(each, record=reported) if each.record is own else each for each in self.records)


@dataclass(frozen=True, slots=True)
class Assessed:
    """A message's three moves: what was decided, the rows to write before and after it is sent; whose record it was."""

    decided: Decided
    received: Rows
    published: Rows
    van_id: str | None


def assess(
    message: Message,
    row: Row,
    verify: Verify,
    incomplete_after: timedelta,
    programme: Programme = USUAL,
    life: RowLife = _LIFE,
) -> Assessed:
    """Take one message in. row: reads a row of `assess`'s tables.

    Raises InvalidRecord (an `Unusable` where the subject is known) for a record that cannot be used.
    """
    received = receive(message, verify)
    if received is None:
        return Assessed(Decided(), {}, {}, None)
    before = load(received, row)
    if is_over(received, before):
        told = Decided(records=erased_receipts(received, before))
        return Assessed(told, *ended(before, received.appended_at), None)
    try:
        after, decided = decide(received, before, incomplete_after, programme, life)
        taken = Assessed(decided, received_rows(before, after), published_rows(before, after), received.van_id)
        check_rows(before, {**taken.received, **taken.published})
        check_records((*decided.sequences, *decided.records))
    except ValidationError:
        detail = "what it leads to has more parts than its record may have"
        raise Unusable(InvalidRecord("result_too_large", detail), received.subject or _subject(received)) from None
    except InvalidRecord as error:
        raise Unusable(error, received.subject or _subject(received)) from None
    return taken


def subject_of(message: Message, verify: Verify) -> Subject:
    """Whose record it is. Raises InvalidRecord for one that is wrong or forged."""
    received = receive(message, verify)
    return Subject() if received is None else received.subject or _subject(received)


def decide(
    received: Received,
    known: Known,
    incomplete_after: timedelta,
    programme: Programme = USUAL,
    life: RowLife = _LIFE,
) -> tuple[Known, Decided]:
    """What is known with this message, and what it leads to. Pure.

    incomplete_after: how long after its newest opening or closing a screening is called incomplete. life: of its rows.
    Raises InvalidRecord for a record that contradicts an earlier one, or of another van than the opener's.
    """
    after = take(received, known)
    if after is None:
        return known, Decided()
    ticked = isinstance(received.record, ScreeningTicked)
    after = _with_deadline(received, after, incomplete_after)
    after, revision = revise(after, appended_at=received.appended_at, ticked=ticked, programme=programme)
    after = replace(after, waiting=_waiting(after, received.appended_at, incomplete_after, ticked=ticked))
    after = replace(after, ending=ending_of(after, received.appended_at, life))
    receipts = _receipts(received)
    if revision is None:
        return after, Decided(records=receipts)
    assessed = revision.assessed
    sequences = tuple(
        Outgoing(Topic.SEQUENCE_ASSESSED, assessed.screening_id, record)
        for record in sequence_records(assessed, revision.results)
    )
    published = Outgoing(Topic.SCREENING_ASSESSED, assessed.screening_id, assessed)
    before = (*sequences, *places_told(revision))
    return after, Decided(revision, before, (published, *receipts, report_receipt(assessed)))


def erased_receipts(received: Received, known: Known) -> tuple[Outgoing, ...]:
    """What vans are told of a screening that is erased: a report that says nothing of her pictures any more.

    So the van that scanned her forgets what it kept of them. Nobody is told of one that only ends, for its time is over
    here and not there.
    """
    record = received.record
    if not isinstance(record, ScreeningErased):
        return ()
    opening, spoke = known.screening.opening, known.screening.vans
    opener = [opening.van_id] if opening is not None else list(spoke)
    vans = opener if record.van_id is None else [record.van_id]
    erased_id = hashlib.sha256(f"erased {record.screening_id}".encode()).hexdigest()
    return tuple(
        receipt_to(
            VanAnswered(
                van_id=van_id,
                kind="report",
                screening_id=record.screening_id,
                item_id=f"{record.screening_id}/report/{erased_id}",
                content_sha256=erased_id,
            )
        )
        for van_id in sorted(vans)
    )


def due_ticks(waiting: Iterable[tuple[str, bytes]], now: datetime) -> list[ScreeningTicked]:
    """A tick for every screening whose wait is over. waiting: the rows of that table by screening."""
    due = (screening_id for screening_id, data in sorted(waiting) if WaitingRow.model_validate_json(data).due_at <= now)
    return [ScreeningTicked(screening_id=screening_id) for screening_id in due]


def _subject(received: Received) -> Subject:
    """Whom a record of the centre's own concerns; no receipt follows from it."""
    frame = (
        received.record.frame_id
        if isinstance(received.record, FrameSegmented | RecordRejected | FrameReviewed)
        else None
    )
    return Subject(received.van_id, received.screening_id, frame, verified=received.van_id is not None)


def _receipts(received: Received) -> tuple[Outgoing, ...]:
    """A control record of a van is answered with its header's sha256, by which the van's spool knows it."""
    record, subject = received.record, received.subject
    if subject is None or subject.content_sha256 is None:
        return ()
    if not isinstance(record, ControlRecord):
        return ()
    stored = VanAnswered(
        van_id=record.van_id,
        kind="stored",
        screening_id=record.screening_id,
        item_id=record.item_id,
        content_sha256=subject.content_sha256,
    )
    return (receipt_to(stored),)


def _with_deadline(received: Received, known: Known, incomplete_after: timedelta) -> Known:
    """A tick may tell that the deadline has passed; the newest opening or closing set it, and once passed it stays.

    Both times are the broker's: the clock of the machine that ticks decides nothing.
    """
    record, since = received.record, known.screening.last_control_at
    if not isinstance(record, ScreeningTicked) or since is None or received.appended_at < since + incomplete_after:
        return known
    return replace(known, screening=known.screening.model_copy(update={"deadline_passed": True}), again=True)


def _waiting(known: Known, now: datetime, incomplete_after: timedelta, *, ticked: bool) -> WaitingRow | None:
    """The timer's row: a screening waits until it is complete, or until its deadline has passed and it was ticked.

    What arrives later makes it wait once more, so that late frames come into one more revision.
    """
    screening, row = known.screening, known.waiting
    if screening.refused or screening.ended_at is not None or is_settled(known):
        return None
    if screening == ScreeningRow():  # a tick of what nobody knows
        return None
    if screening.deadline_passed and ticked:
        return None
    if row is not None and screening.deadline_passed and row.due_at > now:
        return row
    since = now if screening.deadline_passed else screening.last_control_at or now
    return WaitingRow(due_at=since + incomplete_after)
