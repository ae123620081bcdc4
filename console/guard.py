"""What stands before every address: which host and site a request comes from, and the headers of every response."""

from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:;"
    " connect-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "same-origin",  # with "no-referrer" a browser sends `Origin: null` with forms
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""blob: is for pictures that a script of the console made itself. A response's own Cache-Control stays."""
TLS: Final = {"Strict-Transport-Security": "max-age=31536000"}


class Guard:
    """An ASGI application around another."""

    def __init__(self, app: ASGIApp, origins: Callable[[], frozenset[str]], secure: bool) -> None:
        """origins: under which the console may be asked for, `http://127.0.0.1:8000`; any other name is one that
        somebody pointed at this machine."""
        self._app, self._origins = app, origins
        self._headers = {**HEADERS, **(TLS if secure else {})}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a stranger, and add the headers to whatever is answered."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        status = stranger(scope["method"], Headers(scope=scope), self._origins())
        refusal = None if status is None else PlainTextResponse(str(status), status)
        await (refusal or self._app)(scope, receive, with_headers)


def origins_of(host: str, port: int, origin: str | None) -> frozenset[str]:
    """Under which origins a console is asked for: its setting, and this machine's own names."""
    own = {f"http://{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]")}
    return frozenset(own | ({origin} if origin is not None else set()))


def stranger(method: str, headers: Mapping[str, str], origins: frozenset[str]) -> int | None:
    """The HTTP status with which a request is refused for where it comes from; None where it may go on.

    A host that is not the console's is 421 (DNS rebinding). What another site makes a browser send is 403, by
    `Sec-Fetch-Site` and, for what changes something, by `Origin`, which must be there; but a link may be followed.
    """
    hosts = {urlsplit(each).netloc for each in origins}
    if headers.get("host", "") not in hosts:
        return 421
    reads = method in ("GET", "HEAD")
    followed = reads and headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
    if headers.get("sec-fetch-site", "none") not in ("none", "same-origin") and not followed:
        return 403
    origin = headers.get("origin")
    if origin is None:
        return None if reads else 403
    return None if origin in origins else 403
