"""Which queue of the worklist a screening stands in: each rule once as SQL over `listed`, and once for a row in memory.

A test holds that both say the same of any row. Every screening that waits for a reader stands in `couch`, `suspicious`,
`incomplete` or `negatives`, unless it is a negative that the programme does not sample; `waiting` has those as well.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Any, Final, Literal, get_args

from sqlalchemy import RowMapping

Queue = Literal[
    "couch", "suspicious", "incomplete", "negatives", "overdue", "mine", "waiting", "changed", "signed", "second",
]  # fmt: skip
QUEUES: Final[tuple[Queue, ...]] = get_args(Queue)
"""couch: she is on it still, as far as the van told: it has not closed her screening, or did so while she stays.
suspicious: by its pictures or her own signs. incomplete: something is missing,
was not seen well enough, or was read by no machine. negatives: the rest, all of it or a share. overdue: of these, what
waits too long. mine: what a reader has claimed. waiting: everything that nobody has signed. changed: signed, and there
is a newer revision since. signed. second: one reader has signed and the programme asks for another, or two differ and
somebody must decide."""

SecondReader = Literal["none", "called_back", "all"]
"""Which screenings another reader reads as well: none, those that the first one calls back, all."""

_SAMPLE_AT: Final = 28
_SAMPLE_SIGNS: Final = 8
"""The last 32 bits of a screening's id, which are random (UUIDv7), draw the sample of negatives: who knows the id and
the share can say again whether it was drawn."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What a programme sets.

    suspicious_from: suspicion from which a screening stands in `suspicious`. negatives_share: how many of the negatives
    a reader sees. overdue_after: how long a screening may wait once the van has closed it. couch_at_most: nobody is on
    the couch for longer, whatever was told, so that a screening that was never closed is incomplete.
    second_reader: who is read twice. arbitration: whether somebody decides where two readings differ.
    """

    suspicious_from: float = 0.1
    negatives_share: float = 1.0
    overdue_after: timedelta = timedelta(hours=48)
    couch_at_most: timedelta = timedelta(hours=2)
    second_reader: SecondReader = "none"
    arbitration: bool = True

    @property
    def drawn_below(self) -> str:
        """Negatives are drawn whose id ends with less than this."""
        if self.negatives_share >= 1:
            return "g"
        return f"{ceil(self.negatives_share * 16**_SAMPLE_SIGNS):0{_SAMPLE_SIGNS}x}"


@dataclass(frozen=True, slots=True)
class Row:
    """A row of `listed` (see there). Its rank is for sorting alone: nobody is shown it."""

    screening_id: str
    van_id: str | None
    site_code: str | None
    slip_number: str | None
    opened_at: datetime | None
    closed_at: datetime | None
    breast: bool
    thyroid: bool
    status: str | None
    revision_number: int | None
    as_of: datetime | None
    frames: int | None
    findings: int | None
    referred: bool
    marked: bool
    silenced: bool
    unseen: int
    rank: float
    signed_at: datetime | None
    signed_by: str | None
    signed_revision_number: int | None
    readings: int
    to_arbitrate: bool
    single_reading: str | None
    waiting: bool
    stays: bool
    left_at: datetime | None

    @property
    def ready_at(self) -> datetime | None:
        """Since when it waits."""
        return self.closed_at or self.opened_at


@dataclass(frozen=True, slots=True)
class Clock:
    """The times against which queues are made."""

    couch_since: datetime
    overdue_before: datetime

    @classmethod
    def at(cls, policy: Policy, now: datetime) -> "Clock":
        """Those of a moment."""
        return cls(now - policy.couch_at_most, now - policy.overdue_after)


_ON_COUCH: Final = "((closed_at IS NULL OR stays) AND opened_at IS NOT NULL AND opened_at > :couch_since)"
_LEFT: Final = "((closed_at IS NOT NULL AND NOT stays) OR opened_at IS NULL OR opened_at <= :couch_since)"
_LACKS: Final = "(status IS NULL OR status <> 'complete' OR unseen > 0 OR silenced)"
_WHOLE: Final = "(status = 'complete' AND unseen = 0 AND NOT silenced)"
_SUSPICIOUS: Final = "waiting AND rank <= :suspicious"
_INCOMPLETE: Final = f"waiting AND {_LEFT} AND {_LACKS}"
_NEGATIVES: Final = f"waiting AND {_LEFT} AND {_WHOLE} AND rank > :suspicious AND substr(screening_id, 29) < :drawn"

CONDITIONS: Final[Mapping[Queue, str]] = {
    "couch": f"waiting AND {_ON_COUCH}",
    "suspicious": _SUSPICIOUS,
    "incomplete": _INCOMPLETE,
    "negatives": _NEGATIVES,
    "overdue": (
        f"waiting AND coalesce(closed_at, opened_at) < :overdue_before AND {_LEFT} AND (rank <= :suspicious "
        f"OR {_LACKS} OR substr(screening_id, 29) < :drawn)"
    ),
    "waiting": "waiting",
    "changed": "signed_at IS NOT NULL AND revision_number > signed_revision_number",
    "signed": "signed_at IS NOT NULL",
}
"""Parameters: `parameters`. `second` follows from the policy (`condition_of`), and `mine` is asked for by ids."""

_TO_DECIDE: Final = "(waiting AND to_arbitrate)"
_READ_ONCE: Final[Mapping[SecondReader, tuple[str, ...]]] = {
    "none": (),
    "called_back": ("single_reading = 'called_back'",),
    "all": ("single_reading IS NOT NULL",),
}


def condition_of(queue: Queue, policy: Policy) -> str:
    """The condition of a queue as SQL over `listed`. Raises KeyError for `mine`, which is asked for by ids."""
    if queue != "second":
        return CONDITIONS[queue]
    wanted = [*_READ_ONCE[policy.second_reader], *([_TO_DECIDE] if policy.arbitration else [])]
    return f"({' OR '.join(wanted)})" if wanted else "(1 = 0)"


def _is_second(row: Row, policy: Policy) -> bool:
    if policy.arbitration and row.waiting and row.to_arbitrate:
        return True
    if policy.second_reader == "called_back":
        return row.single_reading == "called_back"
    return policy.second_reader == "all" and row.single_reading is not None


def parameters(policy: Policy, now: datetime, moment_of: Callable[[datetime], object]) -> dict[str, object]:
    """What CONDITIONS name. moment_of: a moment as the database compares it."""
    clock = Clock.at(policy, now)
    return {
        "couch_since": moment_of(clock.couch_since),
        "overdue_before": moment_of(clock.overdue_before),
        "suspicious": -policy.suspicious_from,
        "drawn": policy.drawn_below,
    }


def queues_of(row: Row, policy: Policy, now: datetime) -> frozenset[Queue]:
    """The queues in which a row stands, but for `mine`."""
    found: set[Queue] = set()
    if row.signed_at is not None:
        found.add("signed")
        newest, read = row.revision_number, row.signed_revision_number
        if newest is not None and read is not None and newest > read:
            found.add("changed")
    if _is_second(row, policy):
        found.add("second")
    if not row.waiting:
        return frozenset(found)
    found.add("waiting")
    clock = Clock.at(policy, now)
    suspicious = row.rank <= -policy.suspicious_from
    lacks = row.status != "complete" or row.unseen > 0 or row.silenced
    drawn = row.screening_id[_SAMPLE_AT:] < policy.drawn_below
    if suspicious:
        found.add("suspicious")
    here = row.closed_at is None or row.stays
    if here and row.opened_at is not None and row.opened_at > clock.couch_since:
        return frozenset({*found, "couch"})
    if lacks:
        found.add("incomplete")
    elif not suspicious and drawn:
        found.add("negatives")
    ready = row.ready_at
    if ready is not None and ready < clock.overdue_before and (suspicious or lacks or drawn):
        found.add("overdue")
    return frozenset(found)


def row_of(values: RowMapping) -> Row:
    """A row as a database gives it: SQLite has moments as text and truths as numbers."""
    made = {name: values[name] for name in Row.__slots__}
    for name in ("opened_at", "closed_at", "left_at", "as_of", "signed_at"):
        made[name] = _moment(made[name])
    for name in ("stays", "breast", "thyroid", "referred", "marked", "silenced", "to_arbitrate", "waiting"):
        made[name] = bool(made[name])
    return Row(**made)


def _moment(value: Any) -> datetime | None:
    if isinstance(value, str):
        return datetime.fromisoformat(value)
    return None if value is None else value.astimezone(UTC)
