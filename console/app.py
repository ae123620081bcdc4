"""The console as one web application: its doors, what must be passed before them, and its scripts and styles."""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Final

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from sonovan.console.cookies import is_secure, session_cookie
from sonovan.console.guard import Guard, origins_of
from sonovan.console.passing import Passage
from sonovan.console.world import Console

_KINDS: Final = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}
_STATIC: Final = {each.name: each for each in Path(__file__).with_name("static").iterdir() if each.suffix in _KINDS}
"""What may be had from `static/`: the files that were there when the console started, by their plain names."""


def build_app(console: Console, port: Callable[[], int]) -> ASGIApp:
    """The application. port: where it listens, known once it does; hosts and origins are compared with it."""
    settings = console.settings
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    passage = Passage(console, lambda: session_cookie(settings))
    for door in console.doors:
        app.add_route(door.path, passage.to(door), methods=[door.method])
    app.add_route("/static/{name}", _static, methods=["GET"])
    app.add_route("/favicon.ico", _nothing, methods=["GET"])
    app.add_route("/healthz", _alive, methods=["GET"])
    app.add_route("/readyz", _ready(console), methods=["GET"])

    async def nowhere(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        return passage.nowhere(request, status)

    app.add_exception_handler(HTTPException, nowhere)
    return Guard(app, lambda: origins_of(settings.host, port(), settings.origin), is_secure(settings))


async def _static(request: Request) -> Response:
    path = _STATIC.get(request.path_params["name"])
    if path is None:
        raise HTTPException(404)
    body = path.read_bytes()
    tag = f'"{sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=_KINDS[path.suffix], headers=headers)


async def _nothing(_request: Request) -> Response:
    return Response(status_code=204)


async def _alive(_request: Request) -> Response:
    return Response("alive\n", media_type="text/plain")


def _ready(console: Console) -> Callable[[Request], Response]:
    def ready(_request: Request) -> Response:
        """Whether accounts can be looked up."""
        trouble = console.trouble
        return Response(f"{trouble or 'ready'}\n", 503 if trouble else 200, media_type="text/plain")

    return ready
