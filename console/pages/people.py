"""A person's own account: password, second factor, recovery codes."""

import asyncio
import base64
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from markupsafe import Markup
from starlette.responses import Response

from sonovan.console import passwords, second_factor
from sonovan.console.asked import Asked, Refused
from sonovan.console.cookies import keep_session
from sonovan.console.doors import Door, door
from sonovan.console.render import go, page
from sonovan.console.roles import EVERYBODY
from sonovan.contracts.errors import Fatal
from sonovan.storage.audit import Act
from sonovan.storage.console.accounts import Account
from sonovan.storage.console.attempts import Attempts

if TYPE_CHECKING:
    from sonovan.console.world import Console


async def own(console: "Console", asked: Asked) -> Response:
    """What a person may change of their account."""
    account = await asyncio.to_thread(_mine, console, asked)
    return page(console, asked, "account.html", account=account)


async def password_form(console: "Console", asked: Asked) -> Response:
    """Where another password is chosen."""
    return page(console, asked, "password.html", wrong=None, shortest=passwords.SHORTEST)


async def change_password(console: "Console", asked: Asked) -> Response:
    """Take another password; every other session of the account ends, this one begins anew."""
    secret, wrong = await passwords.in_turn(_changed, console, asked)
    if secret is None:
        return page(console, asked, "password.html", 400, wrong=wrong, shortest=passwords.SHORTEST)
    response = go("/")
    keep_session(console, response, secret)
    return response


def _changed(console: "Console", asked: Asked) -> tuple[str | None, str]:
    """The secret of a new session, or None and the phrase that says what is wrong."""
    account, new = _mine(console, asked), asked.form.get("new")
    if not _is_right(console, asked, account, asked.form.get("password")):
        return None, "password_wrong"
    if new != asked.form.get("again"):
        return None, "password_differs"
    if new == asked.form.get("password") or passwords.is_easy(new, account.code):
        return None, "password_easy"
    _note(console, "account.password_changed", account.code)
    proven = console.sessions.find(asked.secret, used=True)
    console.accounts.set_password(account.code, passwords.hashed(new), must_change=False)
    return console.sessions.begin(account.code, proven=proven is not None and proven.proven), ""


async def enrol_form(console: "Console", asked: Asked) -> Response:
    """The secret as a picture for a phone's app. It is kept once a code shows that the phone has it."""
    return await _enrolling(console, asked, second_factor.minted(), None)


async def enrol(console: "Console", asked: Asked) -> Response:
    """Keep the second factor and show its recovery codes, which are shown this once; the session begins anew."""
    secret, codes, session, wrong = await passwords.in_turn(_enrolled, console, asked)
    if session is None:
        return await _enrolling(console, asked, secret, wrong)
    response = page(console, asked, "recovery.html", codes=codes)
    keep_session(console, response, session)
    return response


async def _enrolling(console: "Console", asked: Asked, secret: str, wrong: str | None) -> Response:
    account = await asyncio.to_thread(_mine, console, asked)
    sealed = await asyncio.to_thread(console.seal.close, secret.encode(), _for_now(account.code))
    return page(
        console, asked, "enrol.html", 200 if wrong is None else 400, wrong=wrong, account=account,
        picture=Markup(second_factor.qr_code(secret, account.code)),  # noqa: S704  # of our own making, digits and paths
        typed=" ".join(secret[at : at + 4] for at in range(0, len(secret), 4)),
        sealed=base64.urlsafe_b64encode(sealed).decode(),
    )  # fmt: skip


def _enrolled(console: "Console", asked: Asked) -> tuple[str, list[str], str | None, str]:
    """The secret, the recovery codes, the secret of a new session (None where something is wrong), and what is
    wrong."""
    account = _mine(console, asked)
    try:
        sealed = base64.urlsafe_b64decode(asked.form.get("sealed"))
        secret = console.seal.open(sealed, _for_now(account.code)).decode()
    except (Fatal, ValueError):
        raise Refused("stale", 403) from None
    if account.totp_secret is not None and not _is_right(console, asked, account, asked.form.get("password")):
        return secret, [], None, "password_wrong"
    step = second_factor.step_of(secret, asked.form.get("code"), console.clock())
    if step is None:
        return secret, [], None, "code_wrong"
    codes = second_factor.recovery_codes()
    kept = [console.seal.hashed(second_factor.plain(each), account.code) for each in codes]
    _note(console, "account.second_factor_set", account.code)
    console.accounts.set_second_factor(account.code, console.seal.close(secret.encode(), account.code), step, kept)
    return secret, codes, console.sessions.begin(account.code, proven=True, instead_of=asked.secret), ""


async def code_form(console: "Console", asked: Asked) -> Response:
    """Where the second factor is shown."""
    return page(console, asked, "code.html", wrong=None)


async def show_code(console: "Console", asked: Asked) -> Response:
    """Go on where the second factor was shown; the session begins anew."""
    secret, wrong = await asyncio.to_thread(_shown, console, asked)
    if secret is None:
        return page(console, asked, "code.html", 429 if wrong == "login_later" else 403, wrong=wrong)
    response = go("/")
    keep_session(console, response, secret)
    return response


def _shown(console: "Console", asked: Asked) -> tuple[str | None, str]:
    account, attempts = _mine(console, asked), Attempts(console.database, console.clock)
    about = f"code {account.code}"
    if attempts.wait_ms(about, asked.address):
        return None, "login_later"
    how = second_factor.shown(console.accounts, console.seal, account, asked.form.get("code"), console.clock())
    if how is None:
        attempts.failed(about, asked.address)
        return None, "code_wrong"
    attempts.succeeded(about)
    if how == "recovery":
        _note(console, "account.recovery_code_used", account.code)
    return console.sessions.begin(account.code, proven=True, instead_of=asked.secret), ""


def _mine(console: "Console", asked: Asked) -> Account:
    found = console.accounts.get(asked.person.code)
    if found is None:
        raise Refused("nobody", 401)
    return found


def _is_right(console: "Console", asked: Asked, account: Account, password: str) -> bool:
    """Whether this is the person's password; wrong ones are counted as at the login. Raises Refused `later`."""
    attempts = Attempts(console.database, console.clock)
    if attempts.wait_ms(account.code, asked.address):
        raise Refused("later", 429)
    if passwords.fits(account.password_hash, password):
        return True
    attempts.failed(account.code, asked.address)
    return False


def _for_now(code: str) -> str:
    """For whom a secret is sealed that is not kept yet; it opens as none that is kept."""
    return f"enrol {code}"


def _note(console: "Console", what: str, code: str) -> None:
    console.audit.add(Act(what, code, datetime.now(UTC), {"account": code}))


DOORS: Final[tuple[Door, ...]] = (
    door("GET", "/account", own, roles=EVERYBODY, shown="account", key="a"),
    door("GET", "/password", password_form, roles=EVERYBODY, early=("password",)),
    door("POST", "/password", change_password, roles=EVERYBODY, early=("password",)),
    door("GET", "/enrol", enrol_form, roles=EVERYBODY, early=("enrol",)),
    door("POST", "/enrol", enrol, roles=EVERYBODY, early=("enrol",)),
    door("GET", "/code", code_form, roles=EVERYBODY, early=("code",)),
    door("POST", "/code", show_code, roles=EVERYBODY, early=("code",)),
)
