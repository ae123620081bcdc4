"""Ask the catalogue without being able to change it: bounded in time and rows, by an account or a connection that only
reads."""

import re
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.pool import NullPool

from sonovan.contracts.errors import InvalidRecord, Transient
from sonovan.storage.catalogue.columns import META
from sonovan.storage.catalogue.database import CURRENT, WHAT, open_database
from sonovan.storage.catalogue.schema import READER, grant_reader
from sonovan.storage.catalogue.views import FOR_READERS, VIEWS

MOST_ROWS: Final = 100_000
LONGEST_S: Final = 30.0

_STEPS: Final = 10_000
"""Of SQLite's machine between two looks at the clock."""
_TABLES: Final = frozenset({*META.tables, "alembic_version"})
_TOKEN: Final = re.compile(
    r"""--[^\n]*|/\*.*?(?:\*/|\Z)|'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\]|\w+|\S""", re.DOTALL
)
"""Of SQL: comments, texts and quoted names, words, and every other sign by itself."""
_ALLOWED: Final = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE})


@dataclass(frozen=True, slots=True)
class Answer:
    """What a query gave. cut: there would have been more rows than were asked for."""

    columns: tuple[str, ...]
    rows: Sequence[tuple[Any, ...]]
    cut: bool


@dataclass(frozen=True, slots=True)
class Limits:
    """rows: so many are given at most. seconds: so long may the query take."""

    rows: int = MOST_ROWS
    seconds: float = LONGEST_S


def ask(url: str, query: str, limits: Limits) -> Answer:
    """The answer to one statement that reads.

    url: of a reader's account on PostgreSQL, or of the catalogue's file. Raises InvalidRecord `query_refused` for a
    statement that is wrong, writes, or asks for what readers may not see, and `query_too_long` for one that takes
    longer than it may; Transient where the catalogue is away.
    """
    if make_url(url).get_backend_name() == "sqlite":
        return _ask_file(Path(str(make_url(url).database)), query, limits)
    return _ask_server(url, query, limits)


def _ask_server(url: str, query: str, limits: Limits) -> Answer:
    options = (
        f"-c search_path={CURRENT} -c TimeZone=UTC -c default_transaction_read_only=on "
        f"-c statement_timeout={round(limits.seconds * 1000)} -c lock_timeout=5000"
    )
    engine = create_engine(url, connect_args={"options": options}, poolclass=NullPool)
    try:
        with engine.connect() as connection:
            # A cursor of the server's: no more than is asked for comes over. It takes one statement that reads alone.
            streamed = connection.execution_options(stream_results=True, max_row_buffer=1000)
            result = streamed.exec_driver_sql(query.replace("%", "%%"))
            if not result.returns_rows:
                raise InvalidRecord("query_refused", "the statement gives no rows: sonovan query only reads")
            rows = [tuple(row) for row in result.fetchmany(limits.rows + 1)]
            return Answer(tuple(result.keys()), rows[: limits.rows], len(rows) > limits.rows)
    except DBAPIError as error:
        raise _told(error, limits) from None
    finally:
        engine.dispose()


def _told(error: DBAPIError, limits: Limits) -> Exception:
    state = getattr(error.orig, "sqlstate", None)
    if state == "57014":
        return _too_long(limits)
    if state is None and isinstance(error, OperationalError):
        return Transient(f"{WHAT} does not answer")
    said = str(error.orig).partition("\n")[0]
    return InvalidRecord("query_refused", f"{WHAT} refuses the statement: {said}")


def _too_long(limits: Limits) -> InvalidRecord:
    told = f"the statement took longer than {limits.seconds:g} s: ask for less, or allow more with --seconds"
    return InvalidRecord("query_too_long", told)


def _ask_file(path: Path, query: str, limits: Limits) -> Answer:
    _check_names(query)
    with _reading(path, limits) as connection:
        try:
            cursor = connection.execute(query)
            if cursor.description is None:
                raise InvalidRecord("query_refused", "the statement gives no rows: sonovan query only reads")
            rows = cursor.fetchmany(limits.rows + 1)
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT:
                raise _too_long(limits) from None
            raise InvalidRecord("query_refused", f"{WHAT} refuses the statement: {error}") from None
        columns = tuple(each[0] for each in cursor.description)
        return Answer(columns, rows[: limits.rows], len(rows) > limits.rows)


@contextmanager
def _reading(path: Path, limits: Limits) -> Iterator[sqlite3.Connection]:
    """A connection that opens the file for reading, takes queries of views alone, and gives up when its time is
    over."""
    if not path.exists():
        raise Transient(f"{WHAT} is not there yet: the worker catalog makes it (sonovan up)")
    until = time.monotonic() + limits.seconds
    try:
        opened = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=5.0)
    except sqlite3.Error:
        raise Transient(f"{WHAT} cannot be opened") from None
    with closing(opened) as connection:
        connection.execute("PRAGMA query_only=ON")
        with suppress(sqlite3.Error):
            connection.execute("PRAGMA temp_store=MEMORY")
        connection.set_progress_handler(lambda: time.monotonic() > until, _STEPS)
        connection.set_authorizer(_authorise)
        yield connection


def _authorise(action: int, one: str | None, _two: str | None, _base: str | None, view: str | None) -> int:
    """SQLite's authorizer: a table is read through a view alone, and by nobody the views that are not for readers."""
    if action in _ALLOWED:
        return sqlite3.SQLITE_OK
    if action != sqlite3.SQLITE_READ:
        return sqlite3.SQLITE_DENY
    inside = view in VIEWS
    hidden = one in _TABLES or (one or "").startswith("sqlite_") or (one in VIEWS and one not in FOR_READERS)
    return sqlite3.SQLITE_DENY if hidden and not inside else sqlite3.SQLITE_OK


def _check_names(query: str) -> None:
    """Refuse a query that gives a view's name to a part of itself (`WITH findings AS (…)`).

    SQLite tells its authorizer the name of the innermost view, and takes such a part for one: under a view's name it
    would read tables.
    """
    tokens = [_bare(each) for each in _TOKEN.findall(query) if not each.startswith(("--", "/*"))]
    for place, token in enumerate(tokens):
        if token in VIEWS and _is_named(tokens, place + 1):
            raise InvalidRecord("query_refused", f"{WHAT} refuses the statement: {token} is the name of a view")


def _is_named(tokens: Sequence[str], place: int) -> bool:
    """Whether `[(columns)] AS [NOT] [MATERIALIZED] (` stands here."""
    rest = list(tokens[place:])
    if rest[:1] == ["("]:
        rest = rest[rest.index(")") + 1 :] if ")" in rest else []
    if rest[:1] != ["as"]:
        return False
    after = [each for each in rest[1:4] if each not in ("not", "materialized")]
    return after[:1] == ["("]


def _bare(token: str) -> str:
    return (token[1:-1] if token[0] in "'\"`[" and len(token) > 1 else token).lower()


def reader_of(url: str, password: str) -> str:
    """The address by which the reader's role reaches the database of `url`."""
    made = make_url(url).set(username=READER, password=password)
    return made.render_as_string(hide_password=False)


def make_reader(url: str, password: str) -> None:
    """Make PostgreSQL's role that reads the views, or give it another password. url: of whoever may make roles.

    Raises InvalidRecord `query_refused` where the account may not, Transient where the database is away.
    """
    engine = create_engine(url, poolclass=NullPool)
    try:
        with engine.begin() as connection:
            there = connection.execute(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": READER}).scalar()
            verb = "ALTER" if there else "CREATE"
            # Roles take no parameters; the password is made here, of letters that need no quoting.
            assert password.replace("-", "").replace("_", "").isalnum()
            login = f"LOGIN PASSWORD '{password}' CONNECTION LIMIT 32"
            connection.execute(text(f"{verb} ROLE {READER} {login}"))
            connection.execute(text(f"ALTER ROLE {READER} SET default_transaction_read_only = on"))
            connection.execute(text(f"ALTER ROLE {READER} SET search_path = {CURRENT}"))
            connection.execute(text(f"ALTER ROLE {READER} SET statement_timeout = '{round(LONGEST_S)}s'"))
    except DBAPIError as error:
        raise _told(error, Limits()) from None
    finally:
        engine.dispose()
    database = open_database(url)
    try:
        database.prepare()
        with database.writing() as connection:
            grant_reader(connection)
    finally:
        database.close()
