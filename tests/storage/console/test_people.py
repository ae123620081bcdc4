"""Accounts, sessions and attempts on both databases; and tables made at once are those that are migrated."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, inspect, text

from sonovan.contracts.errors import Fatal, InvalidRecord
from sonovan.storage import console
from sonovan.storage.console.accounts import Account, Accounts
from sonovan.storage.console.attempts import Attempts
from sonovan.storage.console.database import HEAD, ConsoleDatabase, bring_up, version
from sonovan.storage.console.sessions import MOST_OF_ONE, Sessions
from sonovan.storage.console.tables import META
from sonovan.storage.migrating import migrate
from tests.console.world import Clock


def shape(connection: Connection) -> dict[str, Any]:
    """Tables with their columns, keys and indexes; the order of columns means nothing."""
    found = inspect(connection)
    return {
        name: (
            sorted((column["name"], str(column["type"]), column["nullable"]) for column in found.get_columns(name)),
            found.get_pk_constraint(name)["constrained_columns"],
            sorted((index["name"], tuple(index["column_names"])) for index in found.get_indexes(name)),
        )
        for name in found.get_table_names()
    }


def test_tables_that_are_made_at_once_and_tables_that_are_migrated_are_the_same(
    console_database: ConsoleDatabase,
) -> None:
    with console_database.begun() as connection:
        at_once = shape(connection)
        META.drop_all(connection)
        connection.execute(text("DELETE FROM alembic_version"))
        migrate(connection, Path(str(console.__file__)).parent / "migrations", HEAD)
        assert shape(connection) == at_once
        assert version(connection) == HEAD


def test_tables_of_a_newer_version_are_refused(console_database: ConsoleDatabase) -> None:
    with console_database.begun() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(Fatal, match="newer than"), console_database.begun() as connection:
        bring_up(connection)


@pytest.mark.parametrize(
    ("url", "told"),
    [("sqlite://", "names no file"), ("mysql://a:secret@b/c", "not in mysql"), ("nonsense", "no database URL")],
)
def test_a_url_that_cannot_be_used_is_refused_without_a_word_of_it(url: str, told: str) -> None:
    with pytest.raises(Fatal, match=told) as caught:
        ConsoleDatabase(url)
    assert "secret" not in str(caught.value)


def test_an_account_is_kept_as_it_was_made_and_its_code_is_given_once(console_database: ConsoleDatabase) -> None:
    accounts = Accounts(console_database)
    made = Account("r1", frozenset({"reader", "lead"}), frozenset({"north", "south"}), "hash", False, None, 0, 17)
    accounts.add(made)
    accounts.add(Account("r2", frozenset({"auditor"}), None))
    assert accounts.get("r1") == made
    assert [each.code for each in accounts.all()] == ["r1", "r2"]
    with pytest.raises(InvalidRecord, match="already"):
        accounts.add(made)
    for code in ("", "Zhang Wei", "a" * 65, "-x", "r1\n"):
        with pytest.raises(InvalidRecord, match="no code"):
            accounts.add(Account(code, frozenset({"reader"}), None))
    with pytest.raises(InvalidRecord, match="at least one site"):
        accounts.add(Account("r3", frozenset({"reader"}), frozenset()))
    with pytest.raises(InvalidRecord, match="no account"):
        accounts.disable("r9", 1)


def test_no_code_and_no_recovery_code_is_used_twice(console_database: ConsoleDatabase) -> None:
    accounts = Accounts(console_database)
    accounts.add(Account("r1", frozenset({"reader"}), None))
    accounts.set_second_factor("r1", b"sealed", 5, ["one", "two"])
    assert [accounts.use_step("r1", step) for step in (5, 6, 6, 4, 7)] == [False, True, False, False, True]
    assert [accounts.use_recovery("r1", code) for code in ("one", "one", "three", "two")] == [True, False, False, True]


def test_the_oldest_session_of_an_account_ends_where_there_is_one_more(console_database: ConsoleDatabase) -> None:
    clock = Clock()
    sessions = Sessions(console_database, clock, idle_ms=1000_000, longest_ms=10_000_000)
    secrets = []
    for _ in range(MOST_OF_ONE + 1):
        secrets.append(sessions.begin("r1", proven=True))
        clock.forward(seconds=1)
    assert [sessions.find(each, used=False) is not None for each in secrets] == [False] + [True] * MOST_OF_ONE
    sessions.end(secrets[-1])
    assert sessions.find(secrets[-1], used=False) is None


def test_failed_attempts_are_counted_by_account_and_forgotten_after_a_right_one(
    console_database: ConsoleDatabase,
) -> None:
    clock = Clock()
    attempts = Attempts(console_database, clock)
    waits = []
    for _ in range(12):
        attempts.failed("r1", "10.0.0.1")
        waits.append(attempts.wait_ms("r1", "10.0.0.2") // 1000)
    assert waits == [0, 0, 0, 0, 30, 60, 120, 240, 480, 900, 900, 900]
    assert attempts.wait_ms("r2", "10.0.0.1") == 0
    attempts.succeeded("r1")
    assert attempts.wait_ms("r1", "10.0.0.1") == 0
