"""When the rows of a screening are deleted, and what is remembered then: its id and the day, nothing of who she is.

A screening ends by ticks of the timer, one step a tick: first its row loses her opening, closings and clinical record,
and says that it ended, so that nothing more is made of the others; then up to MOST_RESULTS results go; last the rows
that list them. What lists others is written after they are deleted: a crash in between deletes the same again.

An erasure (`screening.erased`) ends it at once, in the same steps, and also one of which nothing is known yet: what
comes of it later is rejected.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sonovan.contracts.erasures import ScreeningErased
from sonovan.contracts.ids import frame_id
from sonovan.contracts.results import ScreeningTicked
from sonovan.stream_apps.assess.known import Known
from sonovan.stream_apps.assess.received import Received
from sonovan.stream_apps.assess.revise import is_settled
from sonovan.stream_apps.assess.rows import EndingRow, ScreeningRow, indices, result_key, reviews_key, sequence_key
from sonovan.stream_apps.stage import Rows

log = logging.getLogger(__name__)

MOST_RESULTS: Final = 5000
"""Results that one tick deletes: some tenths of a second of a worker's loop."""

MOST_TICKS: Final = 200
"""Screenings of which one look tells that their end has come; the others are told of by the next looks."""


@dataclass(frozen=True, slots=True)
class RowLife:
    """How long the rows of a screening are kept.

    settled: after the last record of one that is complete, or to which she did not agree. most: after its first record,
    whatever became of it; the promise for everything that can be traced to her.
    """

    settled: timedelta = timedelta(days=14)
    most: timedelta = timedelta(days=90)


def ending_of(known: Known, now: datetime, life: RowLife) -> EndingRow | None:
    """The row that says when this screening ends, after a record that the broker took at `now`.

    A row that would move by less than a hundredth of `life.settled` is left as it is, for frames come in thousands.
    """
    screening, row = known.screening, known.ending
    if screening.ended_at is not None or screening == ScreeningRow():
        return row
    began = row.began_at if row is not None else now
    settled = screening.refused or is_settled(known)
    ends = min(now + life.settled, began + life.most) if settled else began + life.most
    if row is not None and abs(ends - row.ends_at) < life.settled / 100:
        return row
    return EndingRow(began_at=began, ends_at=ends)


def is_over(received: Received, known: Known) -> bool:
    """Whether she had the screening erased, or a tick finds that its time is over, by the broker's clock."""
    if isinstance(received.record, ScreeningErased):
        return True
    due = known.ending is not None and known.ending.ends_at <= received.appended_at
    return due and isinstance(received.record, ScreeningTicked)


def ended(known: Known, now: datetime) -> tuple[Rows, Rows]:
    """One step towards the end of a screening: the rows to write, and those to write when these are durable."""
    screening_id, screening = known.screening_id, known.screening
    own = ("screenings", screening_id)
    if screening.ended_at is None:
        _tell(known)
        vans = {van_id: part.places() for van_id, part in screening.vans.items()}
        over = ScreeningRow(ended_at=now, ended_refused=screening.refused, vans=vans)
        due = EndingRow(began_at=now if known.ending is None else known.ending.began_at, ends_at=now)
        kept = {own: over.model_dump_json().encode(), ("ending", screening_id): due.model_dump_json().encode()}
        return {**kept, ("waiting", screening_id): None}, {}
    results, left = _next_results(known)
    if results:
        return {("results", key): None for key in results}, {("sequences", key): row for key, row in left.items()}
    stone = ScreeningRow(ended_at=screening.ended_at, ended_refused=screening.refused)
    listed = [sequence_key(each, van_id) for van_id, part in screening.vans.items() for each in part.sequence_ids]
    deleted: Rows = {("sequences", key): None for key in listed}
    deleted = {**deleted, ("published", screening_id): None, ("waiting", screening_id): None}
    return deleted, {own: stone.model_dump_json().encode(), ("ending", screening_id): None}


def due_ends(ending: Iterable[tuple[str, bytes]], now: datetime) -> list[ScreeningTicked]:
    """A tick for screenings whose end has come, at most MOST_TICKS. ending: the rows of that table by screening."""
    over = [name for name, data in ending if EndingRow.model_validate_json(data).ends_at <= now]
    return [ScreeningTicked(screening_id=screening_id) for screening_id in sorted(over)[:MOST_TICKS]]


def _next_results(known: Known) -> tuple[list[str], dict[str, bytes]]:
    """The keys of the next results to delete, and the rows of their sweeps without them."""
    keys, left = list[str](), dict[str, bytes]()
    for van_id, part in sorted(known.screening.vans.items()):
        for sequence_id in part.sequence_ids if part.fingerprint is not None else ():
            row = known.sequence(sequence_id, van_id)
            drawn = sorted(row.reviewed)[: MOST_RESULTS - len(keys)]
            if drawn:
                keys += [reviews_key(frame_id(sequence_id, index), van_id) for index in drawn]
                kept = {index: review for index, review in row.reviewed.items() if index not in drawn}
                row = row.model_copy(update={"reviewed": kept})
                left[sequence_key(sequence_id, van_id)] = row.model_dump_json().encode()
            for other in (None, *row.others):
                now = sorted(indices(row.bitmap_of(other)))[: MOST_RESULTS - len(keys)]
                network = other or part.fingerprint
                if now and network is not None:
                    keys += [result_key(frame_id(sequence_id, index), van_id, network) for index in now]
                    row = row.without(other, now)
                    left[sequence_key(sequence_id, van_id)] = row.model_dump_json().encode()
    return keys, left


def _tell(known: Known) -> None:
    """Nobody should have to find out by chance that a screening ended without a whole report."""
    status = known.published.status if known.published is not None else None
    if not is_settled(known) and not known.screening.refused:
        became = status or ("unopened" if known.screening.opening is None else "without a report")
        frames = sum(row.bitmap.bit_count() for row in known.sequences.values())
        log.info("screening %s ends %s, with %d frames; what comes is rejected", known.screening_id, became, frames)
