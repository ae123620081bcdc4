"""The tables of the outbox (`sonovan.storage.outbox`), which are made where they are missing."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
)

META: Final = MetaData()

TURNS: Final = Table(
    # Whoever holds the lock of a row has the turn: one row per source of versions, and one per scope.
    "outbox_turns",
    META,
    Column("name", String(64), primary_key=True),
    Column("number", BigInteger, nullable=False),  # the newest version that was taken; 0 for a scope without versions
    Column("digest", String(64), nullable=False),
)
THREADS: Final = Table(
    "outbox_threads",
    META,
    Column("thread", String(64), primary_key=True),
    Column("scope", String(64), nullable=False, index=True),
    Column("messages", Integer, nullable=False),  # how many it has had
    Column("opened", Integer, nullable=False),  # the number of the message that opened it, the last time
    Column("ended", Boolean, nullable=False),
    Column("last", LargeBinary, nullable=False),  # the body of the newest
)
DELIVERIES: Final = Table(
    "outbox_deliveries",
    META,
    Column("key", String(240), primary_key=True),
    Column("thread", String(64), nullable=False),
    Column("number", Integer, nullable=False),  # which message of its thread, from 1
    Column("recipient", String(64), nullable=False),
    Column("rung", Integer, nullable=False),
    Column("content_type", String(64), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("made_at", DateTime, nullable=False),
    Column("called_at", DateTime, nullable=False),  # when it was due at first
    Column("attempts", Integer, nullable=False),
    Column("due_at", DateTime, nullable=True),  # None once delivered or dropped: the index holds only what is owed
    Column("delivered_at", DateTime, nullable=True),
    UniqueConstraint("thread", "recipient", "rung", "number"),
    Index("outbox_deliveries_due", "recipient", "due_at"),
)

NOTES: Final = Table(
    "outbox_notes",
    META,
    Column("name", String(64), primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

FACTS: Final = Table(
    # What is known of a scope beside its threads; decisions that rest on several records rest on these.
    "outbox_facts",
    META,
    Column("scope", String(64), primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
)
