"""The catalogue as the console reads it: by a connection that cannot write, with a bound on time."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, create_engine, event, make_url, select
from sqlalchemy.engine import Engine
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import QueuePool

from sonovan.contracts.errors import Fatal, Transient
from sonovan.storage.catalogue.database import CURRENT, WHAT
from sonovan.storage.catalogue.tables_sent import OPENING
from sonovan.storage.databases import BUSY_MS, failing_as_ours

SETTING: Final = "SONOVAN_CONSOLE_CATALOGUE_URL"
LONGEST_S: Final = 10.0


class Catalogue:
    """Reads the catalogue that answers now, also after another one was put in its place. Any thread may use it."""

    def __init__(self, url: str) -> None:
        """url: as `SONOVAN_CATALOG_DATABASE_URL`; nothing is asked of it yet. Raises Fatal for one that cannot be
        used."""
        try:
            made = make_url(url)
        except ArgumentError:
            raise Fatal(f"{SETTING} is no database URL that can be used") from None
        self._file = Path(str(made.database)) if made.get_backend_name() == "sqlite" else None
        self._lock, self._engines = threading.Lock(), dict[Path | None, Engine]()
        if self._file is None:
            self._engines[None] = _of_server(url)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees one state of the catalogue and may not change it.

        Raises Transient where the catalogue is away or not there yet.
        """
        with failing_as_ours(WHAT), self._engine().connect() as connection:
            yield connection

    def close(self) -> None:
        """Give back the connections."""
        for engine in self._engines.values():
            engine.dispose()

    def _engine(self) -> Engine:
        if self._file is None:
            return self._engines[None]
        if not self._file.exists():
            raise Transient(f"{WHAT} is not there yet: the worker catalog makes it (sonovan up)")
        path = self._file.resolve()
        with self._lock:
            for other in [each for each in self._engines if each != path]:
                self._engines.pop(other).dispose()
            if path not in self._engines:
                self._engines[path] = _of_file(path)
            return self._engines[path]


def site_of(catalogue: Catalogue, screening_id: str) -> str | None:
    """The site at which a screening was opened; None where the catalogue knows none."""
    with catalogue.reading() as connection:
        found = connection.execute(select(OPENING.c.site_code).where(OPENING.c.screening_id == screening_id))
        return found.scalar_one_or_none()


def _of_file(path: Path) -> Engine:
    engine = create_engine(f"sqlite:///file:{path}?mode=ro&uri=true", poolclass=QueuePool)

    @event.listens_for(engine, "connect")
    def read_only(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # or the driver begins no transaction for what only reads
        cursor = connection.cursor()
        cursor.execute("PRAGMA query_only=ON")
        cursor.execute(f"PRAGMA busy_timeout={BUSY_MS}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def one_state(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    return engine


def _of_server(url: str) -> Engine:
    options = (
        f"-c search_path={CURRENT} -c TimeZone=UTC -c default_transaction_read_only=on"
        f" -c statement_timeout={round(LONGEST_S * 1000)} -c lock_timeout=5000"
    )
    try:
        return create_engine(url, connect_args={"options": options}, pool_pre_ping=True)
    except ImportError as error:
        raise Fatal(f"{SETTING} needs the package {error.name}, which is not installed") from None
