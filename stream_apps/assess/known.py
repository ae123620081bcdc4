"""The first and the last of the three moves of `assess`: load what the rows hold of a screening, write what changed.

In between, `step.decide` makes the screening's next state from the first one; nobody else reads or writes a row.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Final, TypeVar

from sonovan.contracts.erasures import ScreeningErased
from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.limits import MAX_ROW_BYTES
from sonovan.contracts.record import Part
from sonovan.contracts.results import ScreeningTicked
from sonovan.stream_apps.assess.received import Received
from sonovan.stream_apps.assess.rows import (
    EndingRow,
    PublishedRow,
    ScreeningRow,
    SequenceRow,
    VanPart,
    WaitingRow,
    sequence_key,
)
from sonovan.stream_apps.stage import Row, Rows

SEQUENCES_IN_MIND: Final = 256
"""Rows of sweeps that stay parsed: some 80 MB where each has the largest closing that there is, 1 MB as a rule."""

RowT = TypeVar("RowT", bound=Part)


@dataclass(frozen=True, slots=True)
class Known:
    """All that is known of one screening: its rows, each read once.

    sequences: by `sequence_key`. sizes: bytes of the screening's row and of these as they were read, by table and key.
    stored: reads the results' table, which holds a row a frame: a decision asks for those of a revision alone.
    results: rows of that table which are to be written, by `result_key`. again: this message was taken in before, by a
    worker that was killed while the rows were on their way to the changelog. So its rows may stand in this worker's
    own tables and in nobody else's, and are written although they are equal. touched: the sequences to which that
    applies.
    """

    screening_id: str
    screening: ScreeningRow
    sequences: Mapping[str, SequenceRow]
    published: PublishedRow | None
    waiting: WaitingRow | None
    ending: EndingRow | None
    stored: Callable[[str], bytes | None]
    sizes: Mapping[tuple[str, str], int] = field(default_factory=dict)
    results: Mapping[str, bytes] = field(default_factory=dict)
    again: bool = False
    touched: frozenset[str] = frozenset()

    def result(self, key: str) -> bytes | None:
        """A frame's result by `result_key`, or None where there is none."""
        return self.results[key] if key in self.results else self.stored(key)

    def sequence(self, sequence_id: str, van_id: str) -> SequenceRow:
        """A sweep of a van; an empty row where nothing is known of it."""
        return self.sequences.get(sequence_key(sequence_id, van_id), SequenceRow())

    def with_sequence(self, sequence_id: str, van_id: str, row: SequenceRow) -> "Known":
        """The same with another row of this sweep, which the message concerns."""
        key = sequence_key(sequence_id, van_id)
        return replace(self, sequences={**self.sequences, key: row}, touched=self.touched | {key})


def load(received: Received, row: Row) -> Known:
    """Read the rows of the screening that a message concerns, each once.

    Of sweeps: those that the opener's van has told of, and those that the message names; for a tick and an erasure,
    which end the screening, those of every van.
    """
    screening_id = received.screening_id
    stored = row("screenings", screening_id)
    screening = _parsed(ScreeningRow, stored) or ScreeningRow()
    opener = screening.opening.van_id if screening.opening else received.van_id
    part = screening.vans.get(opener or "", VanPart())
    named = {each for closing in part.closings for each in closing.sequence_ids}
    keys = {sequence_key(each, opener or "") for each in named.union(part.sequence_ids)}
    keys |= {sequence_key(each, received.van_id or "") for each in received.sequence_ids}
    if isinstance(received.record, ScreeningTicked | ScreeningErased):
        keys |= {sequence_key(each, van_id) for van_id, told in screening.vans.items() for each in told.sequence_ids}
    read = {key: data for key in sorted(keys) if (data := row("sequences", key)) is not None}
    sizes = {("sequences", key): len(data) for key, data in read.items()}
    sizes["screenings", screening_id] = len(stored or b"")
    return Known(
        screening_id,
        screening,
        {key: sequence_row(data) for key, data in read.items()},
        _parsed(PublishedRow, row("published", screening_id)),
        _parsed(WaitingRow, row("waiting", screening_id)),
        _parsed(EndingRow, row("ending", screening_id)),
        lambda key: row("results", key),
        sizes,
    )


@lru_cache(maxsize=SEQUENCES_IN_MIND)
def sequence_row(data: bytes) -> SequenceRow:
    """The row of a sweep, whose bytes are parsed once as long as they stay in mind.

    Each message of a screening reads the rows of all its sweeps, and changes one of them at most.
    """
    return SequenceRow.model_validate_json(data)


def received_rows(before: Known, after: Known) -> Rows:
    """The rows of what was received, as they must stand before anything is published of it."""
    rows: dict[tuple[str, str], bytes | None] = {("results", key): data for key, data in after.results.items()}
    for key, row in after.sequences.items():
        if row != before.sequences.get(key) or (after.again and key in after.touched):
            rows["sequences", key] = _bytes(row)
    if after.screening != before.screening or after.again:
        rows["screenings", after.screening_id] = _bytes(after.screening)
    return rows


def published_rows(before: Known, after: Known) -> Rows:
    """The rows of what was published, and of what waits for the timer, as they must stand after that."""
    rows: dict[tuple[str, str], bytes | None] = {}
    if after.published is not None and after.published != before.published:
        rows["published", after.screening_id] = _bytes(after.published)
    if after.waiting != before.waiting or (after.again and after.waiting is not None):
        rows["waiting", after.screening_id] = None if after.waiting is None else _bytes(after.waiting)
    if after.ending is not None and (after.ending != before.ending or after.again):
        rows["ending", after.screening_id] = _bytes(after.ending)
    return rows


def check_rows(before: Known, written: Rows) -> None:
    """Raise InvalidRecord `screening_too_large` where a row, or the rows that each message reads, become too large.

    Kafka would refuse the row, which ends the worker, again after every restart. And each message of a screening reads
    its rows: their size bounds what the next small record costs. A message that makes them no larger is taken.
    """
    sizes = {place: len(row or b"") for place, row in written.items()}
    largest = max(sizes.values(), default=0)
    total, now = sum(before.sizes.values()), sum({**before.sizes, **_of_tables(sizes)}.values())
    if largest > MAX_ROW_BYTES or (now > total and now > MAX_ROW_BYTES):
        raise InvalidRecord("screening_too_large", f"its rows would have {max(largest, now)} bytes")


def _of_tables(sizes: Mapping[tuple[str, str], int]) -> dict[tuple[str, str], int]:
    return {place: size for place, size in sizes.items() if place[0] in ("screenings", "sequences")}


def _parsed(kind: type[RowT], data: bytes | None) -> RowT | None:
    return None if data is None else kind.model_validate_json(data)


def _bytes(row: Part) -> bytes:
    return row.model_dump_json().encode()
