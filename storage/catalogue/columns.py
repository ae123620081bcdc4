"""How the catalogue's tables are written down: kinds of columns, and the rule by which one of two rows stays.

Every row that comes from a topic says where its message stands (`at_ms`, `at_partition`, `at_offset`), so that a
message that is read twice, or another order of messages, ends in the same rows.
"""

from dataclasses import dataclass
from typing import Any, Final, Literal

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    DateTime,
    MetaData,
    SmallInteger,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import JSONB

from sonovan.contracts.topics import Topic

META: Final = MetaData()

Keep = Literal["first", "newest"]
"""Which of two rows with one key stays: that of the earlier message, or that of the later one (of the higher
number)."""

JSON: Final = Text().with_variant(JSONB(), "postgresql")
"""JSON as text; on PostgreSQL `jsonb`."""
MOMENT: Final = DateTime(timezone=True).with_variant(Text(), "sqlite")
"""UTC; in SQLite as text, `2026-03-01T09:00:00.000Z`."""
DAY: Final = Date().with_variant(Text(), "sqlite")


@dataclass(frozen=True, slots=True)
class Rule:
    """Of a table that is filled from a topic: which message's row stays, and where the rows come from.

    number: the column by which rows of one key are compared before their messages' places are, None for none.
    expires: the topic forgets its messages, so that a catalogue that is made again takes such rows from the old one.
    """

    topic: Topic
    keep: Keep
    number: str | None = None
    expires: bool = False


PLACE: Final = ("at_ms", "at_partition", "at_offset")
"""Where a row's message stands: append time, partition, offset."""


def place() -> list[Column[Any]]:
    """The columns that say where a row's message stands."""
    return [
        Column("at_ms", BigInteger, nullable=False, doc="when the broker appended the message, ms since 1970"),
        Column("at_partition", SmallInteger, nullable=False, doc="where it stands in its topic"),
        Column("at_offset", BigInteger, nullable=False),
    ]


def key(name: str, kind: Any = Text, doc: str | None = None) -> Column[Any]:
    """A column of the primary key. doc: what it is, for the page that `docs.py` writes."""
    return Column(name, kind, primary_key=True, doc=doc, autoincrement=False)


def must(name: str, kind: Any = Text, doc: str | None = None) -> Column[Any]:
    """A column that is never NULL."""
    return Column(name, kind, nullable=False, doc=doc)


def may(name: str, kind: Any = Text, doc: str | None = None) -> Column[Any]:
    """A column that may be NULL."""
    return Column(name, kind, doc=doc)


def table_of(topic: Topic, name: str, keep: Keep, doc: str, *columns: Any, **rule: Any) -> Table:
    """A table that is filled from a topic. rule: further fields of its Rule."""
    return Table(name, META, *columns, *place(), info={"rule": Rule(topic, keep, **rule), "doc": doc})
