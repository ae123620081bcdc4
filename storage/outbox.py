"""The outbox: for each message who must be told, and what has become of it. What is committed here will be told.

The outbox does not know what a message is about. Each message belongs to a thread, and the messages of a thread are
delivered in order. Each thread belongs to a scope, by which threads are looked up. Any SQLAlchemy URL will do; SQLite
is the default. A delivery's key is the `Idempotency-Key` of its request, the same in every attempt.

A message may be due later: on a higher rung of a ladder, or after quiet hours. A later message of its thread drops what
was not due yet, so that nobody hears first of what no longer holds; who was told hears of every change.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

from sqlalchemy import ColumnElement, Connection, Select, and_, delete, exists, func, insert, or_, select, update

from sonovan.storage.outbox_engine import open_engine, transaction
from sonovan.storage.outbox_tables import DELIVERIES, FACTS, META, NOTES, THREADS, TURNS


@dataclass(frozen=True, slots=True)
class Version:
    """One version of something whose versions may come late, and more than once.

    source: what it is a version of. number: counts upward. digest: tells apart two versions with one number.
    scopes: the scopes of all threads that may have messages because of it. Names have at most 64 letters.
    """

    source: str
    number: int
    digest: str
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Call:
    """When a recipient is told. rung: of the ladder on which others are told while nobody answers, 0 for the first."""

    recipient: str
    due: datetime
    rung: int = 0


Kind = Literal["opens", "changes", "settles", "ends"]


@dataclass(frozen=True, slots=True)
class Message:
    """Something that must be told, in the same bytes to everybody.

    scope, thread: where it belongs. label: goes into its keys, letters, digits, dots and hyphens, at most 64.
    kind: `opens` is told to everybody in `calls`, at their times. The others are told to whoever the thread was told to
    since it was opened, at the time that `follow` has for them, or at once. What the thread still had to tell and was
    not due yet is dropped; `changes` tells its own bytes in its stead, then. `settles` leaves the thread open: who was
    told hears of what comes after it, too. After `ends` that begins anew.
    """

    scope: str
    thread: str
    label: str
    content_type: str
    body: bytes
    kind: Kind
    calls: tuple[Call, ...] = ()
    follow: Mapping[str, datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message owed to one recipient. attempts: how often it was tried before. rung: of its ladder."""

    key: str
    recipient: str
    content_type: str
    body: bytes
    attempts: int
    rung: int = 0


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that is known of a scope, under a name of at most 64 letters; the one with the highest number stays."""

    name: str
    number: int
    body: bytes


FORGOTTEN: Final = 2**62
"""The number of a source of versions that was forgotten: above every version that may still come."""

Decide = Callable[[Mapping[str, bytes]], Sequence[Message]]
"""The body of the newest message of each thread in a version's scopes → the messages that follow from the version."""

DecideByFacts = Callable[[Mapping[str, bytes], Sequence[Fact]], Sequence[Message]]
"""The body of the newest message of each thread of a scope, and all its facts by name → the messages that follow."""


class Outbox:
    """Messages and what is owed of them. Safe to use from several threads and, with one database, several workers.

    Every method raises Transient where the database is away and Fatal where it cannot be used.
    """

    def __init__(self, url: str) -> None:
        """url: an SQLAlchemy database URL; the tables are made where they are missing."""
        self._engine = open_engine(url, META)

    def take(self, version: Version, decide: Decide, now: datetime) -> int:
        """Decide what follows from one version and owe it, in one transaction; how many messages that were.

        A version that was taken before, or that is older than one that was, has no more to tell.
        Raises ValueError for a message outside the version's scopes, and keeps nothing then.
        """
        with transaction(self._engine) as connection:
            if not _is_new(connection, version):
                return 0
            for scope in sorted(version.scopes - {version.source}):
                _lock(connection, scope)
            rows = connection.execute(select(THREADS).where(THREADS.c.scope.in_(version.scopes))).all()
            messages = decide({row.thread: bytes(row.last) for row in rows})
            for message in messages:
                if message.scope not in version.scopes:
                    raise ValueError("a message lies outside the scopes of the version that it follows from")
                _owe(connection, message, now)
            return len(messages)

    def amend(self, thread: str, decide: Callable[[bytes], Message | None], now: datetime) -> bool:
        """Decide what follows from something that is no version, for one thread; whether there is such a thread.

        decide: the body of the thread's newest message → the message that follows from it, None for nothing.
        """
        with transaction(self._engine) as connection:
            named = select(THREADS).where(THREADS.c.thread == thread)
            row = connection.execute(named).one_or_none()
            if row is None:
                return False
            _lock(connection, row.scope)
            message = decide(bytes(connection.execute(named).one().last))
            if message is not None:
                _owe(connection, message, now)
            return True

    def learn(self, scope: str, facts: Sequence[Fact], decide: DecideByFacts, now: datetime) -> int:
        """Keep facts of a scope, and owe what follows from all that are kept, in one transaction; how many messages.

        decide: gets the same facts whatever the order in which they came, and is asked each time: what it has said
        already it finds among the threads. Of a scope that was forgotten nothing is kept.
        """
        with transaction(self._engine) as connection:
            if _lock(connection, scope)[0] == FORGOTTEN:
                return 0
            for fact in facts:
                _keep(connection, scope, fact)
            known = select(FACTS).where(FACTS.c.scope == scope).order_by(FACTS.c.name)
            all_of_it = [Fact(row.name, int(row.number), bytes(row.body)) for row in connection.execute(known)]
            rows = connection.execute(select(THREADS).where(THREADS.c.scope == scope)).all()
            messages = decide({row.thread: bytes(row.last) for row in rows}, all_of_it)
            for message in messages:
                if message.scope != scope:
                    raise ValueError("a message lies outside the scope whose facts it follows from")
                _owe(connection, message, now)
            return len(messages)

    def claim(self, recipient: str, now: datetime, lease: timedelta, limit: int = 16) -> list[Delivery]:
        """What is due to one recipient, oldest first; nobody else gets it until the lease is over.

        A thread's messages leave in order: the next one waits until the one before was delivered.
        """
        with transaction(self._engine) as connection:
            due = and_(DELIVERIES.c.recipient == recipient, DELIVERIES.c.due_at <= _plain(now), _is_next())
            order = (DELIVERIES.c.made_at, DELIVERIES.c.key)
            query = select(DELIVERIES).where(due).order_by(*order).limit(limit)
            rows = connection.execute(query.with_for_update(skip_locked=True)).all()
            if rows:
                leased = update(DELIVERIES).where(DELIVERIES.c.key.in_([row.key for row in rows]))
                connection.execute(leased.values(due_at=_plain(now + lease), attempts=DELIVERIES.c.attempts + 1))
            return [
                Delivery(row.key, row.recipient, row.content_type, bytes(row.body), row.attempts, row.rung)
                for row in rows
            ]

    def delivered(self, key: str, now: datetime) -> None:
        """Note that the recipient has taken the delivery."""
        self._set(key, due_at=None, delivered_at=_plain(now))

    def postpone(self, key: str, until: datetime) -> None:
        """Note that the attempt failed, and that the next one is due at `until`."""
        self._set(key, due_at=_plain(until))

    def owed(self) -> dict[str, int]:
        """Recipient → how many deliveries are not done."""
        counted = select(DELIVERIES.c.recipient, func.count().label("owed")).where(DELIVERIES.c.due_at.is_not(None))
        with transaction(self._engine) as connection:
            rows = connection.execute(counted.group_by(DELIVERIES.c.recipient)).all()
        return {row.recipient: row.owed for row in rows}

    def undelivered(self, now: datetime) -> dict[str, tuple[datetime, int]]:
        """Recipient → since when it should have been told what it waits for longest (UTC), and how much that is.

        What is due later, on a higher rung or after quiet hours, waits for nobody.
        """
        first, count = func.min(DELIVERIES.c.called_at).label("since"), func.count().label("owed")
        owed = and_(DELIVERIES.c.due_at.is_not(None), DELIVERIES.c.called_at <= _plain(now))
        waiting = select(DELIVERIES.c.recipient, first, count).where(owed)
        with transaction(self._engine) as connection:
            rows = connection.execute(waiting.group_by(DELIVERIES.c.recipient)).all()
        return {row.recipient: (row.since.replace(tzinfo=UTC), int(row.owed)) for row in rows}

    def forget(self, source: str) -> int:
        """Delete the threads and facts of a scope and what is owed of them; how many threads that were.

        source: the scope, which is also the source of its versions. No version of it is new any more: what comes late
        opens no thread again.
        """
        threads = select(THREADS.c.thread).where(THREADS.c.scope == source)
        with transaction(self._engine) as connection:
            _lock(connection, source)
            over = {"number": FORGOTTEN, "digest": ""}
            connection.execute(update(TURNS).where(TURNS.c.name == source).values(over))
            connection.execute(delete(DELIVERIES).where(DELIVERIES.c.thread.in_(threads)))
            connection.execute(delete(FACTS).where(FACTS.c.scope == source))
            return connection.execute(delete(THREADS).where(THREADS.c.scope == source)).rowcount

    def last(self, threads: Iterable[str]) -> dict[str, bytes]:
        """The body of the newest message of each of these threads; those that there never was are left out."""
        named = select(THREADS.c.thread, THREADS.c.last).where(THREADS.c.thread.in_(list(threads)))
        with transaction(self._engine) as connection:
            return {row.thread: bytes(row.last) for row in connection.execute(named)}

    def note(self, name: str, number: int, body: bytes) -> bool:
        """Keep something that nobody is told of, under its name; whether none with a higher number stands there."""
        with transaction(self._engine) as connection:
            row = connection.execute(select(NOTES).where(NOTES.c.name == name).with_for_update()).one_or_none()
            if row is None:
                connection.execute(insert(NOTES).values(name=name, number=number, body=body))
            elif row.number > number:
                return False
            else:
                connection.execute(update(NOTES).where(NOTES.c.name == name).values(number=number, body=body))
            return True

    def notes(self) -> dict[str, tuple[int, bytes]]:
        """Everything that `note` keeps: name → number and body."""
        with transaction(self._engine) as connection:
            return {row.name: (int(row.number), bytes(row.body)) for row in connection.execute(select(NOTES))}

    def close(self) -> None:
        """Give back the connections."""
        self._engine.dispose()

    def _set(self, key: str, **values: Any) -> None:
        not_done = and_(DELIVERIES.c.key == key, DELIVERIES.c.due_at.is_not(None))
        with transaction(self._engine) as connection:
            connection.execute(update(DELIVERIES).where(not_done).values(**values))


def _is_new(connection: Connection, version: Version) -> bool:
    """Whether this version is not yet taken and none newer is; its source is locked from here on."""
    number, digest = _lock(connection, version.source)
    if version.number < number or (version.number, version.digest) == (number, digest):
        return False
    newest = {"number": version.number, "digest": version.digest}
    connection.execute(update(TURNS).where(TURNS.c.name == version.source).values(newest))
    return True


def _keep(connection: Connection, scope: str, fact: Fact) -> None:
    named = and_(FACTS.c.scope == scope, FACTS.c.name == fact.name)
    values = {"number": fact.number, "body": fact.body}
    row = connection.execute(select(FACTS.c.number).where(named)).one_or_none()
    if row is None:
        connection.execute(insert(FACTS).values(scope=scope, name=fact.name, **values))
    elif row.number < fact.number:
        connection.execute(update(FACTS).where(named).values(values))


def _lock(connection: Connection, name: str) -> tuple[int, str]:
    """The newest version taken under this name, (0, "") for none; other workers wait until the transaction's end."""
    row = connection.execute(select(TURNS).where(TURNS.c.name == name).with_for_update()).one_or_none()
    if row is not None:
        return int(row.number), str(row.digest)
    connection.execute(insert(TURNS).values(name=name, number=0, digest=""))
    return 0, ""


def _owe(connection: Connection, message: Message, now: datetime) -> None:
    """Keep a message as the newest of its thread, and owe it to everybody whom it concerns."""
    row = connection.execute(select(THREADS).where(THREADS.c.thread == message.thread)).one_or_none()
    number = 1 if row is None else row.messages + 1
    opened = number if row is None or row.ended else row.opened
    values = {
        "scope": message.scope,
        "last": message.body,
        "messages": number,
        "opened": opened,
        "ended": message.kind == "ends",
    }
    if row is None:
        connection.execute(insert(THREADS).values(thread=message.thread, **values))
    else:
        connection.execute(update(THREADS).where(THREADS.c.thread == message.thread).values(**values))
    for call in _calls(connection, message, opened, now):
        connection.execute(insert(DELIVERIES).values(_owed(message, number, call, now)))


def _calls(connection: Connection, message: Message, opened: int, now: datetime) -> list[Call]:
    """Drop what the thread had to tell and was not due yet; whom the message is told to instead, and when."""
    # Locked: a worker that claims one of them at this moment has told it, so that it must not be dropped.
    rows = connection.execute(_that_matter(message.thread, opened).with_for_update()).all()
    waiting = [row for row in rows if row.attempts == 0 and row.due_at is not None and row.due_at > _plain(now)]
    dropped = [row.key for row in waiting]
    connection.execute(update(DELIVERIES).where(DELIVERIES.c.key.in_(dropped)).values(due_at=None))
    if message.kind == "opens":
        return list(message.calls)
    told = {
        row.recipient
        for row in rows
        if row.key not in dropped and row.number >= opened and (row.due_at is not None or row.delivered_at is not None)
    }
    calls = [Call(recipient, message.follow.get(recipient, now)) for recipient in sorted(told)]
    if message.kind == "changes":
        calls += [
            Call(row.recipient, row.due_at.replace(tzinfo=UTC), row.rung)
            for row in waiting
            if row.rung > 0 or row.recipient not in told
        ]
    return calls


def _that_matter(thread: str, opened: int) -> Select[Any]:
    """What a thread still owes, and what it told since it was opened: a fault that comes and goes for years has many
    deliveries before that.
    """
    matters = or_(DELIVERIES.c.due_at.is_not(None), DELIVERIES.c.number >= opened)
    return select(DELIVERIES).where(DELIVERIES.c.thread == thread, matters)


def _is_next() -> ColumnElement[bool]:
    """No earlier message of the same thread is still owed to the same recipient."""
    earlier = DELIVERIES.alias("earlier")
    same = and_(earlier.c.thread == DELIVERIES.c.thread, earlier.c.recipient == DELIVERIES.c.recipient)
    return ~exists().where(same, earlier.c.number < DELIVERIES.c.number, earlier.c.due_at.is_not(None))


def _owed(message: Message, number: int, call: Call, now: datetime) -> dict[str, Any]:
    # The number tells apart the same content told twice (raised, withdrawn, raised again).
    return {
        "key": f"{message.thread}.{number}.{message.label}.{call.recipient}.{call.rung}",
        "thread": message.thread,
        "number": number,
        "recipient": call.recipient,
        "rung": call.rung,
        "content_type": message.content_type,
        "body": message.body,
        "made_at": _plain(now),
        "called_at": _plain(call.due),
        "attempts": 0,
        "due_at": _plain(call.due),
        "delivered_at": None,
    }


def _plain(moment: datetime) -> datetime:
    """UTC without its zone, as databases without zones keep it."""
    return moment.astimezone(UTC).replace(tzinfo=None)
