"""Who is behind a session, and what they must still show."""

from collections.abc import Collection
from typing import TYPE_CHECKING, Final

from pydantic import TypeAdapter, ValidationError

from sonovan.console.roles import CLINICAL, Person, Role
from sonovan.console.settings import ConsoleSettings
from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.words import OperatorCode
from sonovan.storage.console.accounts import Account

if TYPE_CHECKING:
    from sonovan.console.world import Console

_TRUSTED: Final = CLINICAL | {Role.ADMINISTRATOR}
"""Who must show a second factor unless a setting says otherwise."""
_WRITERS: Final = frozenset({Role.OPERATOR, Role.READER, Role.LEAD, Role.ENGINEER})
"""Whose codes stand in records that are kept for ever."""
_CODE: Final = TypeAdapter(OperatorCode)


def person_of(console: "Console", secret: str, *, used: bool) -> tuple[Person, str] | None:
    """The person behind a session's secret, and the session's key; None where there is none, or no longer."""
    session = console.sessions.find(secret, used=used) if secret else None
    account = None if session is None else console.accounts.get(session.account)
    if session is None or account is None or account.disabled_at is not None:
        return None
    needs = needed(console.settings, account, proven=session.proven)
    return Person(account.code, roles_of(account), account.sites, needs), session.key


def roles_of(account: Account) -> frozenset[Role]:
    """The roles of an account; one that this version does not know opens nothing."""
    return frozenset(Role(each) for each in account.roles if each in set(Role))


def owes_a_code(settings: ConsoleSettings, account: Account) -> bool:
    """Whether this account must show a second factor."""
    if settings.second_factor == "nobody" or account.password_hash is None:
        return False  # whoever vouches for the person asks for it
    return settings.second_factor == "everybody" or bool(roles_of(account) & _TRUSTED)


def needed(settings: ConsoleSettings, account: Account, *, proven: bool) -> str:
    """What a person must do before anything else is shown."""
    if account.totp_secret is not None and not proven:
        return "code"
    if account.must_change:
        return "password"
    return "enrol" if account.totp_secret is None and owes_a_code(settings, account) else ""


def check_signs_with(code: str, roles: Collection[str]) -> None:
    """Raise InvalidRecord `option_invalid` where this person writes records and the code cannot stand in one: letters
    and a number, too short for a name."""
    if _WRITERS.intersection(roles) and code_in_records(code) is None:
        raise InvalidRecord(
            "option_invalid",
            f"{code!r} cannot stand in records, which name people by 1 to 3 small letters and a number, such as dr-1",
        )


def code_in_records(code: str) -> OperatorCode | None:
    """The code of an account as records name who did something; None where no record may hold it."""
    try:
        return _CODE.validate_python(code)
    except ValidationError:
        return None
