"""PostgreSQL on a host of its own, reached over the network with a password that is made for the run."""

import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql

from sonovan.deploy.cluster import Host
from sonovan.deploy.launches import Launch
from sonovan.deploy.state import StateFolder
from sonovan.storage.catalogue.database import CURRENT
from tests.storage.postgres import find_postgres

NAME: Final = "postgres"
OUTBOX, CATALOGUE = "outbox", "catalogue"
_USER: Final = "sonovan"
_PORT: Final = 5432
_WITHIN_S: Final = 60.0


class Database:
    """One server with two databases, the outbox of `alert` and the catalogue, in `folder`, which nobody else uses."""

    def __init__(self, state: StateFolder, host: Host, folder: Path) -> None:
        binaries = find_postgres()
        if binaries is None:
            raise SystemExit("PostgreSQL is not installed (initdb, postgres)")
        self._binaries, self._host, self._data = binaries, host, folder / "data"
        self._password = state.secret(NAME)
        # It refuses to run as root, whose state folder is closed to everybody else: so its own folder lies elsewhere.
        self._as = pwd.getpwnam("postgres" if "postgres" in {each.pw_name for each in pwd.getpwall()} else "nobody")
        shutil.chown(folder, self._as.pw_uid, self._as.pw_gid)
        self._initialise(folder)

    def launch(self) -> Launch:
        """How the server is started on its host."""
        given = ("setpriv", f"--reuid={self._as.pw_uid}", f"--regid={self._as.pw_gid}", "--clear-groups")
        return self._host.there(
            Launch(
                name=NAME, argv=(*given, str(self._binaries / "postgres"), "-D", str(self._data)), cwd="/", port=_PORT
            )
        )

    def url(self, name: str) -> str:
        """The SQLAlchemy URL of one of the databases; it holds the password."""
        return f"postgresql+psycopg://{_USER}:{self._password}@{self._host.address}:{_PORT}/{name}"

    def answers(self) -> bool:
        """Whether the server takes connections."""
        try:
            self._connect("postgres").close()
        except psycopg.OperationalError:
            return False
        return True

    def create(self) -> None:
        """Wait for the server, then make the databases."""
        give_up_at = time.monotonic() + _WITHIN_S
        while not self.answers():
            if time.monotonic() > give_up_at:
                raise RuntimeError(f"PostgreSQL does not answer within {_WITHIN_S:g} s")
            time.sleep(0.2)
        with self._connect("postgres") as connection:
            for name in (OUTBOX, CATALOGUE):
                connection.execute(f'CREATE DATABASE "{name}"'.encode())

    def count(self, table: str, screenings: set[str]) -> int:
        """How many rows of a table of the catalogue are about one of the screenings."""
        query = sql.SQL("SELECT count(*) FROM {} WHERE screening_id = ANY(%s)").format(sql.Identifier(table))
        with self._connect(CATALOGUE) as connection:
            row = connection.execute(query, [sorted(screenings)]).fetchone()
        return int(str(row[0])) if row else 0

    def _connect(self, name: str) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(
            host=self._host.address, port=_PORT, user=_USER, password=self._password, dbname=name,
            autocommit=True, connect_timeout=3, options=f"-c search_path={CURRENT}",
        )  # fmt: skip

    def _initialise(self, folder: Path) -> None:
        with tempfile.NamedTemporaryFile("w", dir=folder) as password:
            password.write(self._password)
            password.flush()
            shutil.chown(password.name, self._as.pw_uid, self._as.pw_gid)
            words = ["-D", str(self._data), "-U", _USER, "-A", "scram-sha-256", "-E", "UTF8"]
            self._run([str(self._binaries / "initdb"), *words, f"--pwfile={password.name}"])
        with (self._data / "postgresql.conf").open("a") as settings:
            settings.write(f"listen_addresses = '{self._host.address}'\nunix_socket_directories = '{folder}'\n")
        network = self._host.address.rpartition(".")[0]
        with (self._data / "pg_hba.conf").open("a") as access:
            access.write(f"host all all {network}.0/24 scram-sha-256\n")

    def _run(self, command: Sequence[str]) -> None:
        done = subprocess.run(
            command, user=self._as.pw_uid, group=self._as.pw_gid, extra_groups=[], cwd="/",
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode != 0:
            raise RuntimeError(f"{command[0]}: {done.stderr[-2000:]}")
