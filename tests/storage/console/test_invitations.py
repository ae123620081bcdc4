"""A link and what it is for are one transaction: where anything fails between, neither is there."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import pytest
from sqlalchemy import event, func, select

from sonovan.storage.console.accounts import Account, Accounts
from sonovan.storage.console.attempts import Attempts
from sonovan.storage.console.database import ConsoleDatabase
from sonovan.storage.console.invitations import LASTS_MS, Invitations
from sonovan.storage.console.tables import INVITATION
from tests.console.world import Clock

HER: Final = Account("dr-7", frozenset({"reader"}), None, "nobody's", made_at=17)


class Crashed(Exception):
    """The process is gone."""


@contextmanager
def crashing_at(database: ConsoleDatabase, statement: str) -> Iterator[None]:
    """Within it, the process is gone where a statement that begins so would be executed."""

    def execute(_connection: Any, _cursor: Any, told: str, *_: Any) -> None:
        if told.startswith(statement):
            raise Crashed

    event.listen(database.engine, "before_cursor_execute", execute)
    try:
        with pytest.raises(Crashed):
            yield
    finally:
        event.remove(database.engine, "before_cursor_execute", execute)


def links(database: ConsoleDatabase) -> int:
    with database.begun() as connection:
        return connection.execute(select(func.count()).select_from(INVITATION)).scalar_one()


@pytest.fixture
def invitations(console_database: ConsoleDatabase) -> Invitations:
    return Invitations(console_database, Clock())


def test_an_account_has_its_link_or_is_not_there(console_database: ConsoleDatabase, invitations: Invitations) -> None:
    accounts = Accounts(console_database)
    with crashing_at(console_database, "INSERT INTO invitation"):
        invitations.invite(HER)
    assert (accounts.get("dr-7"), links(console_database)) == (None, 0)
    secret = invitations.invite(HER)
    assert (accounts.get("dr-7"), invitations.account_of(secret)) == (HER, "dr-7")


def test_a_reset_is_whole_with_its_link_or_changes_nothing(
    console_database: ConsoleDatabase, invitations: Invitations
) -> None:
    accounts, attempts = Accounts(console_database), Attempts(console_database, Clock())
    first = invitations.invite(HER)
    accounts.set_second_factor("dr-7", b"sealed", 5, ["one"])
    for _ in range(12):
        attempts.failed("dr-7", "10.0.0.1")
    before = accounts.get("dr-7")
    with crashing_at(console_database, "INSERT INTO invitation"):
        invitations.reset("dr-7", "another")
    assert (accounts.get("dr-7"), invitations.account_of(first)) == (before, "dr-7")
    assert attempts.wait_ms("dr-7", "10.0.0.2") > 0
    second = invitations.reset("dr-7", "another")
    now = accounts.get("dr-7")
    assert now is not None
    assert (now.password_hash, now.must_change, now.totp_secret) == ("another", True, None)
    assert (invitations.account_of(first), invitations.account_of(second)) == (None, "dr-7")
    assert attempts.wait_ms("dr-7", "10.0.0.2") == 0


@pytest.mark.parametrize("fails", ["UPDATE account", "the note"])
def test_no_link_is_spent_on_a_password_that_was_not_kept(
    console_database: ConsoleDatabase, invitations: Invitations, fails: str
) -> None:
    accounts, noted = Accounts(console_database), list[str]()
    secret = invitations.invite(HER)

    def unwritable(_code: str) -> None:
        raise Crashed

    note: Callable[[str], object] = unwritable if fails == "the note" else noted.append
    with crashing_at(console_database, fails):
        invitations.choose(secret, "chosen", note)
    assert (accounts.get("dr-7"), invitations.account_of(secret)) == (HER, "dr-7")
    noted.clear()
    assert invitations.choose(secret, "chosen", noted.append)
    now = accounts.get("dr-7")
    assert now is not None
    assert (now.password_hash, now.must_change, noted) == ("chosen", False, ["dr-7"])
    assert not invitations.choose(secret, "again", noted.append)
    assert noted == ["dr-7"], "of a link that is spent nothing is noted"


def test_a_link_is_good_for_a_day(console_database: ConsoleDatabase) -> None:
    clock = Clock()
    invitations = Invitations(console_database, clock)
    secret = invitations.invite(HER)
    clock.forward(minutes=LASTS_MS // 60_000)
    assert invitations.account_of(secret) is None
    assert not invitations.choose(secret, "chosen", lambda _code: None)
