"""A console in a process of its own over a catalogue on PostgreSQL, with readers who are logged in, for benchmarks."""

import multiprocessing
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

from benchmarks.console_scene import fill, now
from benchmarks.shared import say
from sonovan.console.opening import opened
from sonovan.console.serving import serving
from sonovan.console.settings import ConsoleSettings
from sonovan.console.world import now_ms
from sonovan.contracts.errors import Transient
from sonovan.storage.catalogue.database import open_database
from sonovan.storage.console.accounts import Account, Accounts
from sonovan.storage.console.database import ConsoleDatabase
from sonovan.storage.console.sessions import Sessions
from sonovan.storage.folder_store import FolderStore
from tests.storage.postgres import find_postgres, new_database, running_postgres

_HOUR_MS: Final = 3_600_000


@dataclass(frozen=True, slots=True)
class Served:
    """Where the console answers, the sessions of its readers, and its catalogue."""

    port: int
    secrets: tuple[str, ...]
    catalogue_url: str


@contextmanager
def running_console(screenings: int, readers: int) -> Iterator[Served]:
    """A console with so many screenings in its catalogue and so many readers, until the block ends."""
    binaries = find_postgres()
    if binaries is None:
        raise SystemExit("PostgreSQL is not installed (initdb, pg_ctl)")
    with running_postgres(binaries) as host, tempfile.TemporaryDirectory() as folder:
        url = new_database(host, "bench")
        database = open_database(url)
        database.prepare()
        fill(database, screenings, now())
        database.close()
        say(f"{screenings} screenings are there")
        own = ConsoleDatabase(url)
        own.prepare()
        accounts, sessions = Accounts(own), Sessions(own, now_ms, idle_ms=_HOUR_MS, longest_ms=_HOUR_MS)
        secrets = []
        for number in range(readers):
            accounts.add(Account(f"reader-{number}", frozenset({"reader"}), None, must_change=False))
            secrets.append(sessions.begin(f"reader-{number}", proven=True))
        own.close()
        here, there = multiprocessing.Pipe()
        process = multiprocessing.get_context("spawn").Process(target=_serve, args=(url, folder, there))
        process.start()
        try:
            yield Served(int(here.recv()), tuple(secrets), url)
        finally:
            here.send("end")
            process.join()


def _serve(url: str, folder: str, told: Connection) -> None:
    settings = ConsoleSettings.model_construct(
        **{
            **ConsoleSettings.model_construct().model_dump(),
            "second_factor": "nobody",
            "catalogue_url": url,
            "database_url": url,
            "key_file": Path(folder) / "seal.key",
        }
    )

    def nothing() -> Any:
        raise Transient("no broker runs beside this console")

    images = FolderStore(Path(folder) / "objects")
    with opened(settings, state=Path(folder), broker=nothing, images=images) as console, serving(console) as port:
        told.send(port)
        told.recv()
