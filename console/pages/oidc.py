"""Login by another provider: sending the browser there, and taking what it brings back."""

import asyncio
import base64
import secrets
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from starlette.responses import RedirectResponse, Response

from sonovan.console.asked import Asked, Refused
from sonovan.console.cookies import is_secure, keep_session
from sonovan.console.doors import Door, open_door
from sonovan.console.oidc import BACK, WITHIN_MS, Begun, Provider, begin
from sonovan.console.render import go, local
from sonovan.console.roles import Role
from sonovan.console.settings import ConsoleSettings
from sonovan.contracts.errors import Fatal, InvalidRecord
from sonovan.storage.audit import Act
from sonovan.storage.console.accounts import Account

if TYPE_CHECKING:
    from sonovan.console.world import Console

COOKIE: Final = "oidc"
_ABOUT: Final = "login by oidc"


async def start(console: "Console", asked: Asked) -> Response:
    """Send the browser to the provider; what is needed afterwards goes with the browser, sealed."""
    begun = begin(console.clock(), local(asked.query.get("to")))
    address = await asyncio.to_thread(_provider(console).address, begun)
    sealed = await asyncio.to_thread(console.seal.close, begun.as_bytes(), _ABOUT)
    response = RedirectResponse(address, 303)
    response.set_cookie(
        COOKIE, base64.urlsafe_b64encode(sealed).decode(), max_age=WITHIN_MS // 1000, httponly=True, samesite="lax",
        path="/oidc", secure=is_secure(console.settings),
    )  # fmt: skip
    return response


async def back(console: "Console", asked: Asked) -> Response:
    """Begin a session for whom the provider vouches; only for an account that has no password here."""
    secret, begun = await asyncio.to_thread(_entered, console, asked)
    response = go(begun.to)
    keep_session(console, response, secret)
    response.delete_cookie(COOKIE, path="/oidc", httponly=True, samesite="lax", secure=is_secure(console.settings))
    return response


def _entered(console: "Console", asked: Asked) -> tuple[str, Begun]:
    provider, begun = _provider(console), _begun(console, asked)
    try:
        vouched = provider.person(begun, asked.query.get("code"))
    except InvalidRecord as error:
        console.tell(error.message)
        raise Refused("not_vouched", 403) from None
    account = console.accounts.get(vouched.code)
    if account is None or account.disabled_at is not None or account.password_hash is not None:
        raise Refused("no_account", 403)
    if vouched.roles is not None:
        _take_roles(console, account, vouched.roles)
    return console.sessions.begin(account.code, proven=True, instead_of=asked.secret or None), begun


def _take_roles(console: "Console", account: Account, told: frozenset[str]) -> None:
    """Have the roles count that the provider lists; what is no role here is passed over. Raises Refused `no_account`
    where none is left."""
    roles = told & set(Role)
    if not roles:
        raise Refused("no_account", 403)
    if roles != account.roles:
        about = {"account": account.code, "roles": " ".join(sorted(roles))}
        console.audit.add(Act("account.roles_told", account.code, datetime.now(UTC), about))
        console.accounts.change(account.code, roles, account.sites)


async def end(console: "Console", asked: Asked) -> Response:
    """Send the browser to the provider to log out there as well. Raises Refused `not_left` where it offers none."""
    address = await asyncio.to_thread(_provider(console).leaving)
    if address is None:
        raise Refused("not_left", 404)
    return RedirectResponse(address, 303)


def _begun(console: "Console", asked: Asked) -> Begun:
    """What this browser began. Raises Refused where it began nothing, long ago, or something else."""
    try:
        begun = Begun.of(console.seal.open(base64.urlsafe_b64decode(asked.cookies.get(COOKIE, "")), _ABOUT))
    except (Fatal, ValueError):
        raise Refused("stale", 403) from None
    late = not 0 <= console.clock() - begun.begun_at <= WITHIN_MS
    if late or not secrets.compare_digest(asked.query.get("state").encode(), begun.state.encode()):
        raise Refused("stale", 403)
    if not asked.query.get("code"):
        raise Refused("not_vouched", 403)
    return begun


def _provider(console: "Console") -> Provider:
    if console.settings.oidc_issuer is None:
        raise Refused("missing", 404)
    return _made(console.settings)


@lru_cache(maxsize=4)
def _made(settings: ConsoleSettings) -> Provider:
    return Provider(settings)


DOORS: Final[tuple[Door, ...]] = (
    open_door("GET", "/oidc/start", start),
    open_door("GET", BACK, back),
    open_door("GET", "/oidc/end", end),
)
