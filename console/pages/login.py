"""Coming in and leaving, the start, and how the console looks."""

import asyncio
from typing import TYPE_CHECKING, Final

from starlette.responses import Response

from sonovan.console import passwords
from sonovan.console.asked import Asked
from sonovan.console.cookies import drop_session, keep, keep_session
from sonovan.console.doors import Door, door, open_door
from sonovan.console.people import owes_a_code
from sonovan.console.render import THEMES, go, local, page
from sonovan.console.roles import EVERYBODY, NEEDS
from sonovan.storage.console.attempts import Attempts

if TYPE_CHECKING:
    from sonovan.console.world import Console

_MINUTE_MS: Final = 60_000


async def form(console: "Console", asked: Asked) -> Response:
    """The page on which a person says who they are."""
    return page(
        console, asked, "login.html", to=local(asked.query.get("to")), wrong=None, out=bool(asked.query.get("out"))
    )


async def enter(console: "Console", asked: Asked) -> Response:
    """Begin a session, in place of one that there is, where account and password are right."""
    account, to = asked.form.get("account"), local(asked.form.get("to"))
    words = console.words[asked.language]
    secret, wait_ms = await passwords.in_turn(
        _entered, console, account, asked.form.get("password"), asked.address, asked.secret
    )
    if secret is not None:
        response = go(to)
        keep_session(console, response, secret)
        return response
    if wait_ms:
        wrong = words.say("login_wait", minutes=-(-wait_ms // _MINUTE_MS))
        return page(console, asked, "login.html", 429, to=to, wrong=wrong, out=False)
    return page(console, asked, "login.html", 403, to=to, wrong=words.say("login_wrong"), out=False)


def _entered(console: "Console", code: str, password: str, address: str, before: str) -> tuple[str | None, int]:
    """The secret of a new session, or None and how long the next attempt must wait (ms)."""
    attempts = Attempts(console.database, console.clock)
    wait_ms = attempts.wait_ms(code, address)
    if wait_ms:
        return None, wait_ms
    account = console.accounts.get(code)
    usable = account if account is not None and account.disabled_at is None else None
    if not passwords.fits(None if usable is None else usable.password_hash, password) or usable is None:
        attempts.failed(code, address)
        return None, 0
    attempts.succeeded(code)
    if usable.password_hash is not None and passwords.is_cheap(usable.password_hash):
        console.accounts.improve_hash(code, passwords.hashed(password))
    proven = not owes_a_code(console.settings, usable) and usable.totp_secret is None
    return console.sessions.begin(code, proven=proven, instead_of=before or None), 0


async def leave(console: "Console", asked: Asked) -> Response:
    """End the session."""
    await asyncio.to_thread(console.sessions.end, asked.secret)
    response = go("/login?out=1")
    drop_session(console, response)
    return response


async def look(console: "Console", asked: Asked) -> Response:
    """Take another language or theme, and go back to where the person was."""
    response = go(local(asked.form.get("back")))
    if (language := asked.form.get("language")) in console.words:
        keep(console, response, "language", language)
    if (theme := asked.form.get("theme")) in THEMES:
        keep(console, response, "theme", theme)
    return response


async def home(console: "Console", asked: Asked) -> Response:
    """Where a person may go."""
    return page(console, asked, "home.html")


DOORS: Final[tuple[Door, ...]] = (
    open_door("GET", "/login", form),
    open_door("POST", "/login", enter),
    open_door("POST", "/look", look),
    door("POST", "/leave", leave, roles=EVERYBODY, early=NEEDS),
    door("GET", "/", home, roles=EVERYBODY, shown="home", key="h"),
)
