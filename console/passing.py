"""What every request must pass before its handler sees it: a session, a role, the token of its form, her site, a note.

The order matters: nothing is looked up for somebody who may not ask, and nothing is shown that could not be noted.
"""

import asyncio
import hmac
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from sonovan.console.asked import Asked, Fields, Refused, form_of
from sonovan.console.cookies import is_secure
from sonovan.console.doors import HER, Door
from sonovan.console.people import person_of
from sonovan.console.render import THEMES, go, refused
from sonovan.console.roles import Person
from sonovan.contracts.errors import InvalidRecord, SonovanError, Transient
from sonovan.storage.audit import Act
from sonovan.storage.catalogue.reading import site_of

if TYPE_CHECKING:
    from sonovan.console.world import Console

FORM: Final = "application/x-www-form-urlencoded"
SENT_BACK: Final = "x-console-token"
"""The header in which scripts send the token that stands in forms as `token`."""
_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NOTED: Final = 20_000
"""So many (session, woman, act) are remembered as noted."""


class Passage:
    """Takes requests to the handlers of one console."""

    def __init__(self, console: "Console", cookie: Callable[[], str]) -> None:
        """cookie: the name of the session's cookie."""
        self._console, self._cookie = console, cookie
        self._noted: dict[tuple[str, ...], None] = {}

    def to(self, door: Door) -> Callable[[Request], Awaitable[Response]]:
        """What answers a door's address."""

        async def answer(request: Request) -> Response:
            measured = self._console.measured
            began = measured.ticks()
            response = await answered(request)
            measured.answered(door.path, response.status_code, measured.ticks() - began)
            return response

        async def answered(request: Request) -> Response:
            asked = self._plain(request)
            as_json = "application/json" in request.headers.get("accept", "")
            try:
                return await self._answered(request, door, asked, as_json)
            except ClientDisconnect:  # the browser went on: a frame that is not wanted any more
                return Response(status_code=499)
            except Refused as error:
                return refused(self._console, asked, error.code, error.status, as_json, **error.figures)
            except InvalidRecord as error:
                return refused(self._console, asked, "not_done", 400, as_json, detail=error.message)
            except Transient as error:
                self._console.tell(f"{door.method} {door.path}: {error}")
                return refused(self._console, asked, "not_now", 503, as_json)
            except SonovanError as error:
                self._console.tell(f"{door.method} {door.path}: {error}")
                return refused(self._console, asked, "broken", 500, as_json)
            except Exception as error:  # a defect: told without what it says, which could hold what somebody typed
                self._console.tell(f"the console failed at {door.method} {door.path}: {type(error).__name__}")
                return refused(self._console, asked, "broken", 500, as_json)

        return answer

    def nowhere(self, request: Request, status: int) -> Response:
        """The answer where there is no door."""
        code = "missing" if status == 404 else "unreadable"
        return refused(self._console, self._plain(request), code, status, False)

    async def _answered(self, request: Request, door: Door, asked: Asked, as_json: bool) -> Response:
        secret, who, session = request.cookies.get(self._cookie(), ""), None, ""
        if door.roles:
            found = await asyncio.to_thread(person_of, self._console, secret, used=not door.background)
            if found is None:
                return self._at_the_door(request, asked, as_json)
            who, session = found
            if who.needs and who.needs not in door.early:
                if door.method == "GET" and not as_json:
                    return go(f"/{who.needs}")
                raise Refused("forbidden", 403)
            if not who.may(door.roles):
                raise Refused("forbidden", 403)
        body = await _body(request, door.longest)
        form = form_of(body) if request.headers.get("content-type", "").partition(";")[0] == FORM else Fields()
        asked = Asked(
            who=who, path=dict(request.path_params), query=Fields(request.query_params.multi_items()), form=form,
            body=body, language=asked.language, theme=asked.theme, token=token_of(secret) if door.roles else "",
            secret=secret, cookies=request.cookies, address=asked.address, here=request.url.path, origin=asked.origin,
            still=self._still(secret),
        )  # fmt: skip
        if door.method == "POST" and door.roles:
            sent = request.headers.get(SENT_BACK) or form.get("token")
            if not hmac.compare_digest(sent.encode(), asked.token.encode()):
                raise Refused("stale", 403)
        if who is not None:
            await self._her(door, asked, who, session)
        return await door.handler(self._console, asked)

    async def _her(self, door: Door, asked: Asked, who: Person, session: str) -> None:
        """Look whether a woman's screening may be seen, and note it. Raises Refused `missing`, as for one that is not
        there; Transient where it cannot be noted."""
        if HER in door.parameters:
            her = asked.path[HER]
            if not _ID.fullmatch(her):
                raise Refused("missing", 404)
            if who.sites is not None and not who.sees(await asyncio.to_thread(site_of, self._console.catalogue, her)):
                raise Refused("missing", 404)
        if door.audited is None:
            return
        key = (session, door.audited, *(asked.path[HER] if HER in door.parameters else door.path,))
        if door.once and key in self._noted:
            return
        act = Act(door.audited, who.code, datetime.now(UTC), dict(asked.path))
        await asyncio.to_thread(self._console.audit.add, act)
        self._noted[key] = None
        while len(self._noted) > _NOTED:
            del self._noted[next(iter(self._noted))]

    def _plain(self, request: Request) -> Asked:
        """What is known of a request before anything is checked."""
        language, theme = request.cookies.get("language", ""), request.cookies.get("theme", "")
        if language not in self._console.words:
            wanted = request.headers.get("accept-language", "").lower()
            first = next(iter(self._console.words))
            language = next((each for each in self._console.words if wanted.startswith(each)), first)
        address = "" if request.client is None else request.client.host
        if self._console.settings.forwarded:
            address = request.headers.get("x-forwarded-for", address).rpartition(",")[2].strip()[:64]
        return Asked(
            language=language, theme=theme if theme in THEMES else THEMES[0], address=address, here=request.url.path,
            origin=f"{'https' if is_secure(self._console.settings) else 'http'}://{request.headers.get('host', '')}",
        )  # fmt: skip

    def _at_the_door(self, request: Request, asked: Asked, as_json: bool) -> Response:
        """Where somebody without a session is sent."""
        if request.method == "GET" and not as_json and request.headers.get("sec-fetch-dest", "document") == "document":
            wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            return go("/login" if wanted == "/" else f"/login?to={quote(wanted, safe='')}")
        return refused(self._console, asked, "nobody", 401, as_json)

    def _still(self, secret: str) -> Callable[[], Awaitable[bool]]:
        async def still() -> bool:
            found = await asyncio.to_thread(person_of, self._console, secret, used=False)
            return found is not None and not found[0].needs

        return still


def token_of(secret: str) -> str:
    """What every form and script of a session must send back. Only who can read its pages knows it."""
    return hmac.new(secret.encode(), b"form", sha256).hexdigest()


async def _body(request: Request, longest: int) -> bytes:
    """What was sent, never more than `longest` bytes in memory. Raises Refused `too_large`."""
    found = bytearray()
    async for part in request.stream():
        found += part
        if len(found) > longest:
            raise Refused("too_large", 413)
    return bytes(found)
