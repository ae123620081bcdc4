"""Decide what one message leads to in `assess`, without Kafka: rows to write, records to send, a report to store.

Nothing is written or sent here. `stage.py` puts a `Decided` into the order in which it is done: the report is stored,
then the rows of what was received, then the revision is sent, then the rows of what was published. After a crash
anywhere in between the message comes again and leads to the same, for every record's id and content follow from the
rows.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sonovan.contracts.answers import VanAnswered
from sonovan.contracts.results import ScreeningAssessed, ScreeningTicked
from sonovan.contracts.topics import Topic, van_answered_topic
from sonovan.stream_apps.assess.assessment import sequence_records
from sonovan.stream_apps.assess.intake import KeyOf, Taken, screening_row, take
from sonovan.stream_apps.assess.revise import Revision, revise
from sonovan.stream_apps.assess.rows import Draft, PublishedRow, ScreeningRow, WaitingRow
from sonovan.stream_apps.assess.takeover import published_row
from sonovan.stream_apps.stage import Message, Outgoing


@dataclass(frozen=True, slots=True)
class Decided:
    """What a message leads to, beside rows. `revision` is None where nothing new is to be published."""

    revision: Revision | None = None
    records: tuple[Outgoing, ...] = ()


def assess(message: Message, draft: Draft, key_of: KeyOf, incomplete_after: timedelta) -> Decided:
    """Decide what one message leads to: rows are put into `draft`, everything else is returned.

    Raises InvalidRecord (an `Unusable` where the subject is known) for a record that cannot be used.
    """
    taken = take(message, draft, key_of)
    if taken is None:
        return Decided()
    _note_deadline(message, taken, draft, incomplete_after)
    receipts = () if taken.receipt is None else (_answer(taken.receipt),)
    revision = revise(taken.screening_id, draft, appended_at=message.at.appended_at, ticked=taken.ticked)
    _wait_or_not(taken.screening_id, draft, revision, message.at.appended_at, incomplete_after)
    if revision is None:
        return Decided(records=receipts)
    assessed = revision.assessed
    before = draft.get(PublishedRow, "published", assessed.screening_id)
    draft.put("published", assessed.screening_id, published_row(assessed, before, revision.trigger))
    said: list[Outgoing] = [
        Outgoing(Topic.SEQUENCE_ASSESSED, assessed.screening_id, record)
        for record in sequence_records(assessed, revision.results)
    ]
    said.append(Outgoing(Topic.SCREENING_ASSESSED, assessed.screening_id, assessed))
    return Decided(revision, (*said, *receipts, report_receipt(assessed)))


def report_receipt(assessed: ScreeningAssessed) -> Outgoing:
    """The van's message about a revision: its status and number, and how many findings it has; no categories."""
    return _answer(
        VanAnswered(
            van_id=assessed.van_id,
            kind="report",
            screening_id=assessed.screening_id,
            item_id=f"{assessed.screening_id}/report/{assessed.revision_id}",
            content_sha256=assessed.revision_id,
            status=assessed.status,
            revision_id=assessed.revision_id,
            revision_number=assessed.revision_number,
            findings=len(assessed.findings),
        )
    )


def due_ticks(waiting: dict[str, bytes], now: datetime) -> list[ScreeningTicked]:
    """One tick for each screening whose time has come. waiting: the rows of the table `waiting` by screening id."""
    due = (
        screening_id
        for screening_id, data in sorted(waiting.items())
        if WaitingRow.model_validate_json(data).due_at <= now
    )
    return [ScreeningTicked(screening_id=screening_id, as_of=now) for screening_id in due]


def _note_deadline(message: Message, taken: Taken, draft: Draft, incomplete_after: timedelta) -> None:
    """Note in the screening's row that its deadline has passed, if the message is a tick that says so.

    The deadline counts from the newest opening or closing. Once it has passed, it stays so.
    """
    if not taken.ticked:
        return
    screening = screening_row(draft, taken.screening_id)
    as_of = ScreeningTicked.decode(message.value).as_of
    received_at = screening.last_control_at
    if received_at is not None and as_of >= received_at + incomplete_after:
        draft.put("screenings", taken.screening_id, screening.model_copy(update={"deadline_passed": True}))


def _wait_or_not(
    screening_id: str, draft: Draft, revision: Revision | None, now: datetime, incomplete_after: timedelta
) -> None:
    """Keep the list for the timer: a screening is in it until it is complete."""
    screening = draft.get(ScreeningRow, "screenings", screening_id)
    published = draft.get(PublishedRow, "published", screening_id)
    status = revision.assessed.status if revision else published.status if published else None
    if status == "complete" or screening is None:
        draft.put("waiting", screening_id, None)
        return
    row = draft.get(WaitingRow, "waiting", screening_id)
    if row is not None and screening.deadline_passed and row.due_at > now:
        return
    since = now if screening.deadline_passed else screening.last_control_at or now
    draft.put("waiting", screening_id, WaitingRow(due_at=since + incomplete_after))


def _answer(answer: VanAnswered) -> Outgoing:
    return Outgoing(van_answered_topic(answer.van_id).name, answer.screening_id or answer.item_id, answer)
