"""The alert outbox: what must be told, to whom, and whether it was; in SQL, so that a commit is the promise.

Any SQLAlchemy URL will do; SQLite is the default. One row per alert holds its latest word, one row per delivery
what is owed to a recipient. A delivery's key is its `Idempotency-Key` on the wire, the same in every attempt.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    DateTime,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    and_,
    exists,
    func,
    insert,
    select,
    update,
)

from sonovan.contracts.results import LesionAlerted, ScreeningAssessed
from sonovan.storage.outbox_engine import open_engine, transaction

_META = MetaData()

_SCREENINGS = Table(
    "alert_screenings",
    _META,
    Column("screening_id", String(36), primary_key=True),
    Column("revision_number", Integer, nullable=False),
)
_ALERTS = Table(
    "alerts",
    _META,
    Column("alert_id", String(64), primary_key=True),
    Column("screening_id", String(36), nullable=False, index=True),
    Column("words", Integer, nullable=False),  # how often it was raised or withdrawn
    Column("record", Text, nullable=False),
)
_DELIVERIES = Table(
    "alert_deliveries",
    _META,
    Column("key", String(200), primary_key=True),
    Column("alert_id", String(64), nullable=False),
    Column("word", Integer, nullable=False),
    Column("recipient", String(64), nullable=False),
    Column("record", Text, nullable=False),
    Column("made_at", DateTime, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", DateTime, nullable=True),  # None once delivered: the index then holds only what is owed
    Column("delivered_at", DateTime, nullable=True),
    UniqueConstraint("alert_id", "recipient", "word"),
    Index("alert_deliveries_due", "recipient", "due_at"),
)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One alert owed to one recipient. attempts: how often it was tried before."""

    key: str
    recipient: str
    alert: LesionAlerted
    attempts: int


Judge = Callable[[Mapping[str, LesionAlerted]], Sequence[LesionAlerted]]
"""What is known of a screening's alerts (by id) → what must be told now."""


class Outbox:
    """Alerts and what is owed of them. Safe to use from several threads and, with one database, several workers.

    Every method raises Transient where the database is away and Fatal where it cannot be used.
    """

    def __init__(self, url: str) -> None:
        """url: an SQLAlchemy database URL; the tables are made where they are missing."""
        self._engine = open_engine(url, _META)

    def take(self, assessed: ScreeningAssessed, judge: Judge, recipients: Sequence[str], now: datetime) -> int:
        """Judge one revision and owe what it says to every recipient, in one transaction; how many alerts it said.

        A revision older than one that was judged before says nothing; the same one again says nothing new, since what
        it said is known by then.
        """
        with transaction(self._engine) as connection:
            if not _is_newest(connection, assessed):
                return 0
            rows = connection.execute(select(_ALERTS).where(_ALERTS.c.screening_id == assessed.screening_id)).all()
            words = {row.alert_id: row.words for row in rows}
            said = judge({row.alert_id: LesionAlerted.decode(row.record.encode()) for row in rows})
            for alert in said:
                word = words.get(alert.alert_id, 0) + 1
                _remember(connection, alert, word)
                words[alert.alert_id] = word
                for recipient in recipients:
                    connection.execute(insert(_DELIVERIES).values(_owed(alert, word, recipient, now)))
            return len(said)

    def claim(self, recipient: str, now: datetime, lease: timedelta, limit: int = 16) -> list[Delivery]:
        """What is due to one recipient, oldest first; nobody else gets it until the lease is over.

        An alert's words leave in order: its withdrawal waits until its raising was delivered.
        """
        with transaction(self._engine) as connection:
            due = and_(_DELIVERIES.c.recipient == recipient, _DELIVERIES.c.due_at <= _plain(now), _is_next())
            order = (_DELIVERIES.c.made_at, _DELIVERIES.c.key)
            query = select(_DELIVERIES).where(due).order_by(*order).limit(limit)
            rows = connection.execute(query.with_for_update(skip_locked=True)).all()
            if rows:
                leased = update(_DELIVERIES).where(_DELIVERIES.c.key.in_([row.key for row in rows]))
                connection.execute(leased.values(due_at=_plain(now + lease), attempts=_DELIVERIES.c.attempts + 1))
            return [
                Delivery(row.key, row.recipient, LesionAlerted.decode(row.record.encode()), row.attempts)
                for row in rows
            ]

    def delivered(self, key: str, now: datetime) -> None:
        """The recipient has it."""
        self._set(key, due_at=None, delivered_at=_plain(now))

    def postpone(self, key: str, until: datetime) -> None:
        """It did not work: try again at `until`."""
        self._set(key, due_at=_plain(until))

    def owed(self) -> dict[str, int]:
        """Recipient → how many deliveries are still open."""
        counted = select(_DELIVERIES.c.recipient, func.count().label("owed")).where(_DELIVERIES.c.due_at.is_not(None))
        with transaction(self._engine) as connection:
            rows = connection.execute(counted.group_by(_DELIVERIES.c.recipient)).all()
        return {row.recipient: row.owed for row in rows}

    def close(self) -> None:
        """Give back the connections."""
        self._engine.dispose()

    def _set(self, key: str, **values: Any) -> None:
        open_one = and_(_DELIVERIES.c.key == key, _DELIVERIES.c.due_at.is_not(None))
        with transaction(self._engine) as connection:
            connection.execute(update(_DELIVERIES).where(open_one).values(**values))


def _is_newest(connection: Connection, assessed: ScreeningAssessed) -> bool:
    """Whether no later revision was judged; its row is locked from here on, so that workers take turns."""
    mine = _SCREENINGS.c.screening_id == assessed.screening_id
    seen = connection.execute(select(_SCREENINGS.c.revision_number).where(mine).with_for_update()).scalar()
    number = assessed.revision_number
    if seen is None:
        row = {"screening_id": assessed.screening_id, "revision_number": number}
        connection.execute(insert(_SCREENINGS).values(row))
    elif number > seen:
        connection.execute(update(_SCREENINGS).where(mine).values(revision_number=number))
    return seen is None or number >= int(seen)


def _remember(connection: Connection, alert: LesionAlerted, word: int) -> None:
    values = {"screening_id": alert.screening_id, "record": alert.encode().decode(), "words": word}
    if word > 1:
        connection.execute(update(_ALERTS).where(_ALERTS.c.alert_id == alert.alert_id).values(**values))
    else:
        connection.execute(insert(_ALERTS).values(alert_id=alert.alert_id, **values))


def _is_next() -> ColumnElement[bool]:
    """No earlier word of the same alert is still owed to the same recipient."""
    earlier = _DELIVERIES.alias("earlier")
    same = and_(earlier.c.alert_id == _DELIVERIES.c.alert_id, earlier.c.recipient == _DELIVERIES.c.recipient)
    return ~exists().where(same, earlier.c.word < _DELIVERIES.c.word, earlier.c.due_at.is_not(None))


def _owed(alert: LesionAlerted, word: int, recipient: str, now: datetime) -> dict[str, Any]:
    # The word tells apart the same revision said twice (A, B, A); the revision, words of an outbox that was lost.
    return {
        "key": f"{alert.alert_id}.{word}.{alert.revision_id[:16]}.{recipient}",
        "alert_id": alert.alert_id,
        "word": word,
        "recipient": recipient,
        "record": alert.encode().decode(),
        "made_at": _plain(now),
        "attempts": 0,
        "due_at": _plain(now),
        "delivered_at": None,
    }


def _plain(moment: datetime) -> datetime:
    """UTC without its zone, as databases without zones keep it."""
    return moment.astimezone(UTC).replace(tzinfo=None)
