"""The catalogue in files of SQLite: a link names the one that answers, `catalog-2.sqlite`, and is replaced at once."""

import fcntl
import os
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Final

from sqlalchemy import Connection
from sqlalchemy.engine import Engine

from sonovan.contracts.errors import Transient
from sonovan.storage.catalogue.schema import bring_up
from sonovan.storage.databases import engine_of, failing_as_ours

_NUMBERED: Final = re.compile(r"-(\d+)$")


class SqliteCatalogue:
    """A catalogue whose URL names `…/catalog.sqlite`: a link to a numbered file beside it."""

    dialect = "sqlite"

    def __init__(self, path: Path, setting: str, what: str) -> None:
        """path: of the link. Nothing is opened yet."""
        self._link, self._setting, self._what = path, setting, what
        self._engines: dict[Path, Engine] = {}

    def prepare(self) -> None:
        """Make the file, its tables and its views, or bring them to this version."""
        with self._locked(fcntl.LOCK_EX):
            if not self._link.is_symlink() and not self._link.exists():
                first = self._numbered(1)
                with self._begun(first) as connection:
                    bring_up(connection)
                self._point_to(first)
                return
            with self._begun(self.current) as connection:
                bring_up(connection)

    @property
    def current(self) -> Path:
        """The file that answers."""
        return self._link.resolve()

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction on the catalogue that answers now, which is not replaced meanwhile."""
        with self._locked(fcntl.LOCK_SH):
            if not self._link.exists():
                raise Transient(
                    f"{self._what} is not there yet: it is made when the worker catalog starts (sonovan up)"
                )
            with self._begun(self.current) as connection:
                yield connection

    def next_is_there(self) -> bool:
        """Whether another catalogue is being made beside it: one whose making died before it had tables is none."""
        if not self._next.exists():
            return False
        try:
            with closing(sqlite3.connect(f"{self._next.as_uri()}?mode=ro", uri=True)) as connection:
                asked = "SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'"
                return connection.execute(asked).fetchone() is not None
        except sqlite3.Error:
            return False

    def begin_next(self) -> None:
        """Make an empty catalogue beside it, in place of one that is there."""
        self.drop_next()
        with self._begun(self._next) as connection:
            bring_up(connection)

    @contextmanager
    def writing_next(self) -> Iterator[Connection]:
        """A transaction on the catalogue that is being made."""
        with self._begun(self._next) as connection:
            yield connection

    def _take_over(self, take_over: Callable[[Connection, str], None]) -> None:
        """Rows of the old one into the new one."""
        engine = self._engine(self._next)
        with failing_as_ours(self._what), engine.connect() as connection:
            # Attached outside a transaction, as SQLite wants it.
            raw = connection.connection.driver_connection
            assert raw is not None
            raw.execute("ATTACH DATABASE ? AS old", (str(self.current),))
            try:
                with connection.begin():
                    take_over(connection, "old")
            finally:
                connection.rollback()
                raw.execute("DETACH DATABASE old")

    def switch(self, last: Callable[[Connection], None], take_over: Callable[[Connection, str], None]) -> None:
        """Put the new one in the old one's place, nobody writing meanwhile. last: what it still needs before that."""
        with self._locked(fcntl.LOCK_EX):
            with self.writing_next() as connection:
                last(connection)
            self._take_over(take_over)
            old, new = self.current, self._next
            self._dispose(new)  # its journal is written back into it
            self._point_to(new)
            self._dispose(old)
            if old != self._link.absolute():
                _remove(old)

    def drop_next(self) -> None:
        """Remove what is being made."""
        self._dispose(self._next)
        _remove(self._next)

    def close(self) -> None:
        """Give back the connections."""
        for path in list(self._engines):
            self._dispose(path)

    @property
    def _next(self) -> Path:
        found = _NUMBERED.search(self.current.stem)
        return self._numbered(1 + int(found[1]) if found else 1)

    def _numbered(self, number: int) -> Path:
        return self._link.parent.resolve() / f"{self._link.stem}-{number}{self._link.suffix}"

    def _point_to(self, path: Path) -> None:
        beside = self._link.with_name(f"{self._link.name}.new")
        beside.unlink(missing_ok=True)
        beside.symlink_to(path.name)
        os.replace(beside, self._link)
        folder = os.open(self._link.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    @contextmanager
    def _begun(self, path: Path) -> Iterator[Connection]:
        with failing_as_ours(self._what), self._engine(path).begin() as connection:
            yield connection

    def _engine(self, path: Path) -> Engine:
        for other in [each for each in self._engines if each not in (path, self._next)]:
            self._dispose(other)
        if path not in self._engines:
            self._engines[path] = engine_of(f"sqlite:///{path}", self._setting)
        return self._engines[path]

    def _dispose(self, path: Path) -> None:
        engine = self._engines.pop(path, None)
        if engine is not None:
            engine.dispose()

    @contextmanager
    def _locked(self, how: int) -> Iterator[None]:
        try:
            self._link.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = os.open(self._link.with_name(f"{self._link.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise Transient(
                f"{self._what} cannot be locked: {error.strerror}; make room or name another file"
            ) from error
        try:
            fcntl.flock(lock, how)
            yield
        finally:
            os.close(lock)


def _remove(path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        with suppress(FileNotFoundError):
            path.with_name(path.name + suffix).unlink()
