"""Make rows of the worklist (`listed`) from the other tables, within the transaction that changed those.

A page of the worklist is then read off one index, whatever stands behind its rows. A row follows from the other tables
alone, so that any order of messages ends in the same rows. Two transactions that change one screening at the same time
take turns: each makes the row while it has it locked, from what is committed by then.
"""

import hashlib
from collections.abc import Collection, Iterable, Sequence
from typing import Final

from sqlalchemy import Connection, TextClause, bindparam, text

from sonovan.storage.catalogue.tables import MADE
from sonovan.storage.catalogue.tables_listed import LISTED
from sonovan.storage.catalogue.views_concluded import CONCLUSIONS, SIGNED

SOURCES: Final = frozenset({"opening", "screening_closing", "amendment", "screening", "conclusion"})
"""Tables from which a row of the worklist is made; a revision's row of `adequacy` comes with its row of `screening`."""

_AT_ONCE: Final = 500
_NOT_SEEN: Final = "('inadequate', 'not_examined', 'unknown')"

_GONE: Final = """(coalesce(s.ended, false) OR NOT coalesce(o.consent_screening, true) OR EXISTS (
  SELECT 1 FROM amendments m WHERE m.screening_id = k.screening_id AND (m.kind = 'void' OR m.withdraws_screening)))"""

_WOMAN: Final = """(SELECT max(m.amendment_number) FROM amendments m
  WHERE m.screening_id = k.screening_id AND m.kind = 'woman')"""


def _organ(organ: str) -> str:
    return f"""(coalesce(CAST(o.planned AS TEXT) LIKE '%"{organ}"%', false) OR EXISTS (
  SELECT 1 FROM adequacy a WHERE a.screening_id = s.screening_id AND a.revision_number = s.revision_number
  AND a.revision_id = s.revision_id AND a.organ = '{organ}'))"""


def _newest_closing(column: str) -> str:
    return f"""(SELECT e.{column} FROM screening_closing e WHERE e.screening_id = k.screening_id
  AND e.van_id = coalesce(o.van_id, s.van_id) ORDER BY e.closing_number DESC LIMIT 1)"""


def _signed(column: str) -> str:
    return f"(SELECT g.{column} FROM signed g WHERE g.screening_id = k.screening_id)"


_VALUES: Final[dict[str, str]] = {
    "screening_id": "k.screening_id",
    "van_id": "coalesce(o.van_id, s.van_id)",
    "site_code": "o.site_code",
    "slip_number": f"""CASE WHEN {_WOMAN} IS NULL THEN o.slip_number ELSE (
  SELECT a.slip_number FROM amendment a WHERE a.screening_id = o.screening_id AND a.van_id = o.van_id
  AND a.amendment_number = {_WOMAN}) END""",
    "opened_at": "o.opened_at",
    "closed_at": """(SELECT max(e.closed_at) FROM screening_closing e
  WHERE e.screening_id = k.screening_id AND e.van_id = coalesce(o.van_id, s.van_id))""",
    "stays": f"coalesce({_newest_closing('stays')}, false)",
    "left_at": _newest_closing("left_at"),
    "breast": _organ("breast"),
    "thyroid": _organ("thyroid"),
    "status": "s.status",
    "revision_number": "s.revision_number",
    "as_of": "s.as_of",
    "frames": "s.frames",
    "findings": "CASE WHEN s.silenced THEN NULL ELSE s.findings END",
    "referred": "coalesce(s.referred, false)",
    "marked": "EXISTS (SELECT 1 FROM amendments m WHERE m.screening_id = k.screening_id AND m.kind = 'seen')",
    "silenced": "coalesce(s.silenced, false)",
    "unseen": f"""(SELECT count(*) FROM adequacy a WHERE a.screening_id = s.screening_id
  AND a.revision_number = s.revision_number AND a.revision_id = s.revision_id AND a.level IN {_NOT_SEEN})""",
    "rank": """-(CASE WHEN coalesce(s.referred, false) THEN 2.0 ELSE 0.0 END
  + CASE WHEN coalesce(s.silenced, true) THEN 0.0 ELSE s.suspicion END)""",
    "signed_at": _signed("signed_at"),
    "signed_by": _signed("reader"),
    "signed_revision_number": _signed("revision_number"),
    "readings": f"coalesce({_signed('readings')}, 0)",
    "to_arbitrate": f"coalesce({_signed('to_arbitrate')}, false)",
    "single_reading": f"""CASE WHEN {_GONE} THEN NULL ELSE (
  SELECT CASE WHEN g.readings <> 1 OR g.role <> 'first' THEN NULL
    WHEN g.calls_back THEN 'called_back' ELSE 'not_called_back' END
  FROM signed g WHERE g.screening_id = k.screening_id) END""",
    "waiting": f"NOT {_GONE} AND coalesce({_signed('to_arbitrate')}, true)",
}
"""Column → the expression that makes it; `changed_ms` apart. k: ids, o: their openings, s: their newest revisions."""

_CLOCK: Final = {
    "postgresql": "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)",
    "sqlite": "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)",
}
_TEXTS: Final = hashlib.sha256(repr((_VALUES, CONCLUSIONS, SIGNED)).encode()).hexdigest()
"""How rows are made: the expressions, and the views that they ask what was signed."""


def list_again(connection: Connection, screening_ids: Iterable[str]) -> None:
    """Make the rows of these screenings, within the transaction that changed what they are made of."""
    ids = sorted(set(screening_ids))
    for start in range(0, len(ids), _AT_ONCE):
        _list(connection, ids[start : start + _AT_ONCE])


def list_all(connection: Connection) -> None:
    """Make every row, and note how rows were made."""
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"LOCK TABLE {LISTED.name} IN SHARE ROW EXCLUSIVE MODE"))
    connection.execute(text(f"DELETE FROM {LISTED.name}"))
    connection.execute(
        text(_statement(connection, "SELECT screening_id FROM opening UNION SELECT screening_id FROM screening"))
    )
    connection.execute(text(f"DELETE FROM {MADE.name} WHERE name = 'listed'"))
    connection.execute(text(f"INSERT INTO {MADE.name} VALUES ('listed', :texts)"), {"texts": _TEXTS})


def bring_up_listed(connection: Connection) -> None:
    """Make every row where they were made otherwise before, or never."""
    made = connection.execute(text(f"SELECT value FROM {MADE.name} WHERE name = 'listed'")).scalar_one_or_none()
    if made != _TEXTS:
        list_all(connection)


def _list(connection: Connection, ids: Sequence[str]) -> None:
    if connection.dialect.name == "postgresql":
        _lock(connection, ids)
    of = (
        "SELECT screening_id FROM opening WHERE screening_id IN :ids "
        "UNION SELECT screening_id FROM screening WHERE screening_id IN :ids"
    )
    connection.execute(_of_ids(_statement(connection, of)), {"ids": ids})
    stale = f"DELETE FROM {LISTED.name} WHERE screening_id IN :ids AND screening_id NOT IN ({of})"
    connection.execute(_of_ids(stale), {"ids": ids})


def _lock(connection: Connection, ids: Collection[str]) -> None:
    """Have these rows to oneself until the transaction ends; what is asked afterwards sees what others committed."""
    rows = [{"id": each} for each in ids]
    names = ("stays", "breast", "thyroid", "referred", "marked", "silenced", "to_arbitrate", "waiting")
    columns = ", ".join((*names, "unseen", "rank", "readings", "changed_ms"))
    values = ", ".join((*("false" for _ in names), "0", "0", "0", "0"))
    empty = f"INSERT INTO {LISTED.name} (screening_id, {columns}) VALUES (:id, {values})"
    connection.execute(text(f"{empty} ON CONFLICT DO NOTHING"), rows)
    locked = f"SELECT 1 FROM {LISTED.name} WHERE screening_id IN :ids ORDER BY screening_id FOR UPDATE"
    connection.execute(_of_ids(locked), {"ids": list(ids)}).all()


def _of_ids(statement: str) -> TextClause:
    return text(statement).bindparams(bindparam("ids", expanding=True))


def _statement(connection: Connection, ids: str) -> str:
    """Upserts the rows of those screenings that the query `ids` names."""
    made = {**_VALUES, "changed_ms": _CLOCK[connection.dialect.name]}
    assert set(made) == {column.name for column in LISTED.columns}
    names, values = ", ".join(made), ", ".join(made.values())
    sets = ", ".join(f"{name} = excluded.{name}" for name in made if name != "screening_id")
    # WHERE true: SQLite would take ON CONFLICT for the condition of a join.
    return (
        f"INSERT INTO {LISTED.name} ({names}) SELECT {values} FROM ({ids}) k "
        "LEFT JOIN opening o ON o.screening_id = k.screening_id "
        "LEFT JOIN screening s ON s.screening_id = k.screening_id "
        f"WHERE true ON CONFLICT (screening_id) DO UPDATE SET {sets}"
    )
