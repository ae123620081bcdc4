"""Accounts of people: who may come in, as what, and whose women they may see. No name stands here, only codes."""

import re
from collections.abc import Collection
from dataclasses import asdict, dataclass, field
from typing import Final

from sqlalchemy import ColumnElement, Connection, RowMapping, delete, insert, select, update

from sonovan.contracts.errors import InvalidRecord
from sonovan.storage.console.attempts import hidden_name
from sonovan.storage.console.database import ConsoleDatabase
from sonovan.storage.console.tables import ACCOUNT, ATTEMPT, INVITATION, RECOVERY, SESSION

EVERY_SITE: Final = "*"
_CODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


@dataclass(frozen=True, slots=True)
class Account:
    """One person. sites: whose screenings they may see; None is every site.

    must_change: the password was given by somebody else. totp_secret: sealed; None without a second factor.
    totp_step: of the newest code that was used.
    """

    code: str
    roles: frozenset[str]
    sites: frozenset[str] | None
    password_hash: str | None = field(default=None, repr=False)
    must_change: bool = True
    totp_secret: bytes | None = field(default=None, repr=False)
    totp_step: int = 0
    made_at: int = 0
    disabled_at: int | None = None


class NobodyLeft(InvalidRecord):
    """Nobody would have a role that somebody must have."""


class Accounts:
    """The table of accounts. Every method raises Transient where the database is away."""

    def __init__(self, database: ConsoleDatabase) -> None:
        self._database = database

    def add(self, account: Account) -> None:
        """Add one. Raises InvalidRecord `option_invalid` for a code or site that cannot be used or is taken."""
        with self._database.begun() as connection:
            insert_account(connection, account)

    def get(self, code: str) -> Account | None:
        """The account of a code; None where there is none."""
        with self._database.begun() as connection:
            row = connection.execute(select(ACCOUNT).where(ACCOUNT.c.code == code)).mappings().first()
        return None if row is None else _account(row)

    def all(self) -> list[Account]:
        """Every account, by its code."""
        with self._database.begun() as connection:
            rows = connection.execute(select(ACCOUNT).order_by(ACCOUNT.c.code)).mappings().all()
        return [_account(row) for row in rows]

    def disable(self, code: str, at: int, *, leaving: str | None = None) -> None:
        """Let nobody in by this account any more; its sessions and the link to choose a password end.

        leaving: a role that somebody must still have afterwards. Raises InvalidRecord `option_invalid` where there is
        no such account, NobodyLeft where nobody would have that role.
        """
        with self._database.begun() as connection:
            _hold_all(connection)
            _must_be(connection.execute(update(ACCOUNT).where(_is(code)).values(disabled_at=at)).rowcount, code)
            _end_sessions(connection, code)
            _end_invitation(connection, code)
            _check_left(connection, leaving)

    def enable(self, code: str) -> None:
        """Let this account in again. Raises InvalidRecord `option_invalid` where there is none."""
        with self._database.begun() as connection:
            changed = update(ACCOUNT).where(_is(code)).values(disabled_at=None)
            _must_be(connection.execute(changed).rowcount, code)

    def change(
        self, code: str, roles: Collection[str], sites: Collection[str] | None, *, leaving: str | None = None
    ) -> None:
        """Other roles and sites, from its next request on. leaving, raises: as of `disable`."""
        sites = None if sites is None else frozenset(sites)
        check_account(Account(code, frozenset(roles), sites))
        with self._database.begun() as connection:
            _hold_all(connection)
            values = {"roles": " ".join(sorted(roles)), "sites": _sites(sites)}
            _must_be(connection.execute(update(ACCOUNT).where(_is(code)).values(values)).rowcount, code)
            _check_left(connection, leaving)

    def set_password(self, code: str, password_hash: str, *, must_change: bool) -> None:
        """Another password; every session of the account ends, and the link to choose one if there was any."""
        with self._database.begun() as connection:
            replace_password(connection, code, password_hash, must_change=must_change)

    def improve_hash(self, code: str, password_hash: str) -> None:
        """The same password, hashed with today's cost."""
        with self._database.begun() as connection:
            connection.execute(update(ACCOUNT).where(_is(code)).values(password_hash=password_hash))

    def set_second_factor(self, code: str, sealed: bytes | None, step: int, recovery: Collection[str]) -> None:
        """Set a second factor up with hashed recovery codes, or take it away (None); what was there before ends.

        Where it is taken away, every session of the account ends, too: whoever holds one of them, with the lost phone
        perhaps, could otherwise set up a second factor of their own without the password.
        """
        with self._database.begun() as connection:
            replace_second_factor(connection, code, sealed, step, recovery)

    def use_step(self, code: str, step: int) -> bool:
        """Whether a code of this time step, or of a later one, was not used before; from now on it was."""
        with self._database.begun() as connection:
            fresh = update(ACCOUNT).where(_is(code), ACCOUNT.c.totp_step < step).values(totp_step=step)
            return connection.execute(fresh).rowcount == 1

    def use_recovery(self, code: str, code_hash: str) -> bool:
        """Whether this recovery code was there; it is gone now."""
        with self._database.begun() as connection:
            spent = delete(RECOVERY).where(RECOVERY.c.account == code, RECOVERY.c.code_hash == code_hash)
            return connection.execute(spent).rowcount == 1

    def forget_attempts(self, code: str) -> None:
        """Let an account be tried at once, however many attempts failed."""
        with self._database.begun() as connection:
            end_attempts(connection, code)


def insert_account(connection: Connection, account: Account) -> None:
    """As `Accounts.add`, within the transaction of the connection."""
    check_account(account)
    if connection.execute(select(ACCOUNT.c.code).where(ACCOUNT.c.code == account.code)).first() is not None:
        raise InvalidRecord("option_invalid", f"there is an account {account.code} already")
    values = {**asdict(account), "roles": " ".join(sorted(account.roles)), "sites": _sites(account.sites)}
    connection.execute(insert(ACCOUNT).values(values))


def replace_password(connection: Connection, code: str, password_hash: str, *, must_change: bool) -> None:
    """As `Accounts.set_password`, within the transaction of the connection."""
    changed = update(ACCOUNT).where(_is(code)).values(password_hash=password_hash, must_change=must_change)
    _must_be(connection.execute(changed).rowcount, code)
    _end_sessions(connection, code)
    _end_invitation(connection, code)


def replace_second_factor(
    connection: Connection, code: str, sealed: bytes | None, step: int, recovery: Collection[str]
) -> None:
    """As `Accounts.set_second_factor`, within the transaction of the connection."""
    changed = update(ACCOUNT).where(_is(code)).values(totp_secret=sealed, totp_step=step)
    _must_be(connection.execute(changed).rowcount, code)
    connection.execute(delete(RECOVERY).where(RECOVERY.c.account == code))
    for each in recovery:
        connection.execute(insert(RECOVERY).values(code_hash=each, account=code))
    if sealed is None:
        _end_sessions(connection, code)


def end_attempts(connection: Connection, code: str) -> None:
    """As `Accounts.forget_attempts`, within the transaction of the connection."""
    about = (hidden_name("account", code), hidden_name("account", f"code {code}"))
    connection.execute(delete(ATTEMPT).where(ATTEMPT.c.about.in_(about)))


def _must_be(rows: int, code: str) -> None:
    if rows != 1:
        raise InvalidRecord("option_invalid", f"there is no account {code}: sonovan console user list")


def _is(code: str) -> ColumnElement[bool]:
    return ACCOUNT.c.code == code


def _end_sessions(connection: Connection, code: str) -> None:
    connection.execute(delete(SESSION).where(SESSION.c.account == code))


def _end_invitation(connection: Connection, code: str) -> None:
    connection.execute(delete(INVITATION).where(INVITATION.c.account == code))


def _hold_all(connection: Connection) -> None:
    """Have others wait who change accounts: two people who end each other's roles at once must not both succeed."""
    connection.execute(select(ACCOUNT.c.code).order_by(ACCOUNT.c.code).with_for_update()).all()


def _check_left(connection: Connection, role: str | None) -> None:
    rows = connection.execute(select(ACCOUNT.c.roles).where(ACCOUNT.c.disabled_at.is_(None))).scalars()
    if role is not None and not any(role in roles.split() for roles in rows):
        raise NobodyLeft("option_invalid", f"no account with the role {role} would be left")


def check_account(account: Account) -> None:
    """Raise InvalidRecord `option_invalid` for a code or a site that cannot be used."""
    if not _CODE.fullmatch(account.code):
        raise InvalidRecord(
            "option_invalid", f"{account.code!r} is no code of a person: 1 to 64 letters, digits, or any of _ . -"
        )
    for site in account.sites or ():
        if not _CODE.fullmatch(site):
            raise InvalidRecord("option_invalid", f"{site!r} is no code of a site")
    if account.sites is not None and not account.sites:
        raise InvalidRecord("option_invalid", "an account sees at least one site, or * for every one")


def _sites(sites: frozenset[str] | None) -> str:
    return EVERY_SITE if sites is None else " ".join(sorted(sites))


def _account(row: RowMapping) -> Account:
    sites = None if row["sites"] == EVERY_SITE else frozenset(row["sites"].split())
    return Account(**{**row, "roles": frozenset(row["roles"].split()), "sites": sites})
