"""A backup that `docs/operations.md` describes brings accounts, second factors and sessions back; the key is apart."""

import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import make_url, text

from sonovan.contracts.errors import Fatal
from sonovan.storage.console.accounts import Account, Accounts
from sonovan.storage.console.database import ConsoleDatabase
from sonovan.storage.console.sealing import Seal
from sonovan.storage.console.sessions import Sessions
from tests.conftest import skip_unless_ci
from tests.console.world import Clock


def backed_up(url: str, folder: Path) -> Path:
    """Copy the tables while the database is open, as the page says."""
    made = make_url(url)
    if made.get_backend_name() == "sqlite":
        target = folder / "backup.sqlite"
        with closing(sqlite3.connect(str(made.database))) as connection:
            connection.execute(f"VACUUM INTO '{target}'")
        return target
    if shutil.which("pg_dump") is None:
        skip_unless_ci("pg_dump is missing")
    target = folder / "console.dump"
    where = ["--host", str(made.query["host"]), "--username", "outbox", "--dbname", str(made.database)]
    subprocess.run(["pg_dump", "--format=custom", "--schema=console", f"--file={target}", *where], check=True)
    return target


def restored(url: str, backup: Path) -> None:
    """Put the copy in the place of what is there."""
    made = make_url(url)
    if made.get_backend_name() == "sqlite":
        for suffix in ("-wal", "-shm"):
            Path(f"{made.database}{suffix}").unlink(missing_ok=True)
        shutil.copyfile(backup, str(made.database))
        return
    where = ["--host", str(made.query["host"]), "--username", "outbox", "--dbname", str(made.database)]
    subprocess.run(["pg_restore", "--clean", "--if-exists", *where, str(backup)], check=True)


def test_a_backup_is_taken_while_it_runs_and_brings_everybody_back(console_url: str, tmp_path: Path) -> None:
    clock, seal = Clock(), Seal(tmp_path / "seal.key")
    database = ConsoleDatabase(console_url)
    database.prepare()
    accounts = Accounts(database)
    sessions = Sessions(database, clock, idle_ms=10**9, longest_ms=10**9)
    account = Account("r1", frozenset({"reader"}), frozenset({"north"}), "hash", must_change=False)
    accounts.add(account)
    accounts.set_second_factor("r1", seal.close(b"secret", "r1"), 7, ["one"])
    secret = sessions.begin("r1", proven=True)
    backup = backed_up(console_url, tmp_path)
    accounts.disable("r1", 1)
    database.close()

    restored(console_url, backup)
    database = ConsoleDatabase(console_url)
    try:
        database.prepare()
        accounts, sessions = Accounts(database), Sessions(database, clock, idle_ms=10**9, longest_ms=10**9)
        found = accounts.get("r1")
        assert found is not None
        assert found.totp_secret is not None
        assert (found.roles, found.sites, found.disabled_at) == (account.roles, account.sites, None)
        assert seal.open(found.totp_secret, "r1") == b"secret"
        assert sessions.find(secret, used=False) is not None, "which is why the page has sessions deleted"
        with database.begun() as connection:
            connection.execute(text("DELETE FROM session"))
        assert sessions.find(secret, used=False) is None
        with pytest.raises(Fatal, match="does not open"):
            Seal(tmp_path / "lost.key").open(found.totp_secret, "r1")
    finally:
        database.close()
