"""Who may come in, and as what: the list, and for an administrator the accounts of everybody else.

Nobody changes an account of their own here, so that nobody gives themselves a role. An administrator is always left.
Who has some sites alone makes and changes accounts of those sites alone.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from starlette.responses import Response

from sonovan.console import passwords
from sonovan.console.asked import Asked, Refused
from sonovan.console.doors import Door, door, open_door
from sonovan.console.people import check_signs_with, owes_a_code
from sonovan.console.render import go, page
from sonovan.console.roles import Role
from sonovan.storage.audit import Act
from sonovan.storage.console.accounts import EVERY_SITE, Account, NobodyLeft, check_account
from sonovan.storage.console.invitations import LASTS_MS, Invitations

if TYPE_CHECKING:
    from sonovan.console.world import Console

_SEES: Final = frozenset({Role.LEAD, Role.ENGINEER, Role.AUDITOR, Role.ADMINISTRATOR})
_MAKES: Final = frozenset({Role.ADMINISTRATOR})
_HOURS: Final = LASTS_MS // 3_600_000
MOST_SITES: Final = 64


async def people(console: "Console", asked: Asked) -> Response:
    """Who may come in, and as what."""
    accounts = await asyncio.to_thread(console.accounts.all)
    owing = {each.code for each in accounts if owes_a_code(console.settings, each)}
    changes = asked.person.may(_MAKES)
    return page(
        console, asked, "people.html", accounts=accounts, owing=owing, changes=changes, roles=list(Role),
        by_provider=console.settings.oidc_issuer is not None,
    )  # fmt: skip


async def one(console: "Console", asked: Asked) -> Response:
    """An account, and what may be changed of it."""
    account = await asyncio.to_thread(_account, console, asked.path["code"])
    return page(
        console, asked, "person.html", account=account, roles=list(Role), own=account.code == asked.person.code,
        beyond=not asked.person.sees_all_of(account.sites),
    )  # fmt: skip


async def add(console: "Console", asked: Asked) -> Response:
    """Make an account; the link by which its person chooses a password is shown this once."""
    return _link(console, asked, await passwords.in_turn(_added, console, asked))


def _added(console: "Console", asked: Asked) -> tuple[Account, str | None]:
    """The account, and the secret of its link; None where a provider of logins vouches for the person."""
    code, (roles, sites) = asked.form.get("code"), _chosen(asked)
    check_signs_with(code, roles)
    vouched = asked.form.get("vouched") == "on"
    if vouched and console.settings.oidc_issuer is None:
        raise Refused("filter", 400, name="vouched")
    kept = None if vouched else passwords.hashed(passwords.generated())
    account = Account(code, roles, sites, kept, must_change=not vouched, made_at=console.clock())
    check_account(account)
    if console.accounts.get(code) is not None:
        raise Refused("account_taken", 409)
    _note(console, asked, "account.added", account)
    if vouched:
        console.accounts.add(account)
        return account, None
    return account, Invitations(console.database, console.clock).invite(account)


async def change(console: "Console", asked: Asked) -> Response:
    """Other roles and sites."""
    return await _then_shown(_changed, console, asked)


def _changed(console: "Console", asked: Asked) -> None:
    account, (roles, sites) = _other(console, asked), _chosen(asked)
    check_signs_with(account.code, roles)
    changed = Account(account.code, roles, sites)
    check_account(changed)
    _note(console, asked, "account.changed", changed)
    with _leaving_an_administrator():
        console.accounts.change(account.code, roles, sites, leaving=Role.ADMINISTRATOR)


async def disable(console: "Console", asked: Asked) -> Response:
    """Let nobody in by this account any more; its sessions end at once."""
    return await _then_shown(_disabled, console, asked)


def _disabled(console: "Console", asked: Asked) -> None:
    account = _other(console, asked)
    _note(console, asked, "account.disabled", account)
    with _leaving_an_administrator():
        console.accounts.disable(account.code, console.clock(), leaving=Role.ADMINISTRATOR)


async def enable(console: "Console", asked: Asked) -> Response:
    """Let this account in again."""
    return await _then_shown(_enabled, console, asked)


def _enabled(console: "Console", asked: Asked) -> None:
    account = _other(console, asked)
    _note(console, asked, "account.enabled", account)
    console.accounts.enable(account.code)


async def reset(console: "Console", asked: Asked) -> Response:
    """Take password and second factor away, and show a link by which the person chooses anew."""
    return _link(console, asked, await passwords.in_turn(_reset, console, asked))


def _reset(console: "Console", asked: Asked) -> tuple[Account, str | None]:
    account = _other(console, asked)
    if account.password_hash is None or account.disabled_at is not None:
        raise Refused("no_password", 400)
    _note(console, asked, "account.reset", account)
    hashed = passwords.hashed(passwords.generated())
    return account, Invitations(console.database, console.clock).reset(account.code, hashed)


async def forget_factor(console: "Console", asked: Asked) -> Response:
    """Take the second factor away and end every session, for somebody who lost the phone: the next login, by the
    password, sets up another one."""
    return await _then_shown(_forgotten, console, asked)


def _forgotten(console: "Console", asked: Asked) -> None:
    account = _other(console, asked)
    _note(console, asked, "account.second_factor_removed", account)
    console.accounts.set_second_factor(account.code, None, 0, ())


async def invited(console: "Console", asked: Asked) -> Response:
    """Where a person chooses the password of an account that somebody else made or reset."""
    return page(console, asked, "invited.html", wrong=None, shortest=passwords.SHORTEST)


async def choose(console: "Console", asked: Asked) -> Response:
    """Keep the password; the link is good no longer."""
    wrong = await passwords.in_turn(_chose, console, asked)
    if wrong is not None:
        return page(console, asked, "invited.html", 400, wrong=wrong, shortest=passwords.SHORTEST)
    return go("/login")


def _chose(console: "Console", asked: Asked) -> str | None:
    """The phrase that says what is wrong; None where the password is kept. Raises Refused `link_spent`."""
    invitations, secret, new = Invitations(console.database, console.clock), asked.path["secret"], asked.form.get("new")
    code = invitations.account_of(secret)
    account = None if code is None else console.accounts.get(code)
    if account is None or account.disabled_at is not None:
        raise Refused("link_spent", 403)
    if new != asked.form.get("again"):
        return "password_differs"
    if passwords.is_easy(new, account.code):
        return "password_easy"

    def note(chosen_by: str) -> None:
        console.audit.add(Act("account.password_chosen", chosen_by, datetime.now(UTC), {"account": chosen_by}))

    if not invitations.choose(secret, passwords.hashed(new), note):
        raise Refused("link_spent", 403)
    return None


async def _then_shown(act: Callable[["Console", Asked], None], console: "Console", asked: Asked) -> Response:
    """Act on an account, and go back to its page."""
    await asyncio.to_thread(act, console, asked)
    return go(f"/people/{asked.path['code']}")


def _link(console: "Console", asked: Asked, made: tuple[Account, str | None]) -> Response:
    """The page that shows the link of an account once; the account's own page where it has none."""
    account, secret = made
    if secret is None:
        return go(f"/people/{account.code}")
    link = f"{asked.origin}/invited/{secret}"
    return page(console, asked, "link.html", account=account, link=link, hours=_HOURS)


def _chosen(asked: Asked) -> tuple[frozenset[str], frozenset[str] | None]:
    """The roles and sites of a form. Raises Refused for none, for what is no role, and for a site that is not among
    those of whoever asks."""
    roles, sites = frozenset(asked.form.all("role")), frozenset(asked.form.get("sites").replace(",", " ").split())
    if not roles or not roles <= set(Role):
        raise Refused("no_role", 400)
    if not sites or len(sites) > MOST_SITES:
        raise Refused("no_site", 400)
    chosen = None if EVERY_SITE in sites else sites
    _check_sites(asked, chosen)
    return roles, chosen


def _account(console: "Console", code: str) -> Account:
    found = console.accounts.get(code)
    if found is None:
        raise Refused("missing", 404)
    return found


def _other(console: "Console", asked: Asked) -> Account:
    """The account that is to be changed. Raises Refused `own_account` for one's own, `other_sites` for one that may see
    a site that whoever asks may not: a link to choose its password would open that site."""
    if asked.path["code"] == asked.person.code:
        raise Refused("own_account", 403)
    found = _account(console, asked.path["code"])
    _check_sites(asked, found.sites)
    return found


def _check_sites(asked: Asked, sites: frozenset[str] | None) -> None:
    if not asked.person.sees_all_of(sites):
        raise Refused("other_sites", 403, sites=" ".join(sorted(asked.person.sites or ())))


@contextmanager
def _leaving_an_administrator() -> Iterator[None]:
    """Two administrators may end each other's roles in the same moment: the second one is refused."""
    try:
        yield
    except NobodyLeft:
        raise Refused("nobody_left", 409) from None


def _note(console: "Console", asked: Asked, what: str, account: Account) -> None:
    sites = EVERY_SITE if account.sites is None else " ".join(sorted(account.sites))
    about = {"account": account.code, "roles": " ".join(sorted(account.roles)), "sites": sites}
    console.audit.add(Act(what, asked.person.code, datetime.now(UTC), about))


DOORS: Final[tuple[Door, ...]] = (
    door("GET", "/people", people, roles=_SEES, shown="people", key="p"),
    door("POST", "/people", add, roles=_MAKES),
    door("GET", "/people/{code}", one, roles=_MAKES),
    door("POST", "/people/{code}", change, roles=_MAKES),
    door("POST", "/people/{code}/disable", disable, roles=_MAKES),
    door("POST", "/people/{code}/enable", enable, roles=_MAKES),
    door("POST", "/people/{code}/reset", reset, roles=_MAKES),
    door("POST", "/people/{code}/forget-factor", forget_factor, roles=_MAKES),
    open_door("GET", "/invited/{secret}", invited),
    open_door("POST", "/invited/{secret}", choose),
)
