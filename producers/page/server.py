"""The page over HTTP: every request is checked for where it comes from and who sends it before a handler sees it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Final

from aiohttp import web

from sonovan.contracts.errors import InvalidRecord, SonovanError
from sonovan.producers.page import live_pages
from sonovan.producers.page.asked import Answer, Asked, Form, Handler, Refused
from sonovan.producers.page.doors import Doors, stranger
from sonovan.producers.page.page import ROUTES, Page
from sonovan.producers.page.render import rendered

ADDRESS: Final = "127.0.0.1"
LONGEST_FORM: Final = 64 * 1024
_STATIC: Final = {
    name: (Path(__file__).with_name("static") / name, kind)
    for name, kind in (("page.css", "text/css"), ("page.js", "text/javascript"))
}
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';"
    " connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",  # with "no-referrer" a browser sends `Origin: null` with forms
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_FREE: Final = ("/enter", "/static/", "/language/", "/favicon.ico")
"""What may be asked for without a session: nothing there tells anything of anybody."""
_POLL_S: Final = 0.05
"""How often it is looked whether a frame came; what it shows is there well within 200 ms."""
_LOOK_S: Final = 1.0
"""How often everything else is looked at that changes beside frames: objects on their way, the clock."""
_TELL_S: Final = 5.0
"""So often at least an event is sent, though nothing changed: a page that hears nothing says that it knows nothing."""
_Respond = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Server:
    """One page behind its doors. Every response has the same headers; nothing is logged."""

    def __init__(self, page: Page, doors: Doors, tell: Callable[[str], None]) -> None:
        """tell: takes a line for whoever watches, in which nobody is named."""
        self._page, self._doors, self._tell, self.port = page, doors, tell, 0

    def application(self) -> web.Application:
        """The page as an aiohttp application; `port` must be set before it answers."""
        app = web.Application(client_max_size=LONGEST_FORM, middlewares=[self._guard])
        app.router.add_get("/enter", self._enter_page)
        app.router.add_post("/enter", self._enter)
        app.router.add_post("/leave", self._leave)
        app.router.add_get("/language/{language}", self._language)
        app.router.add_get("/static/{name}", self._static)
        app.router.add_get("/favicon.ico", self._nothing)
        app.router.add_get("/live/{screening}/events", self._events)
        for method, path, handler in ROUTES:
            app.router.add_route(method, path, self._adapted(handler))
        return app

    @web.middleware
    async def _guard(self, request: web.Request, handler: _Respond) -> web.StreamResponse:
        try:
            response = await self._answered(request, handler)
        except web.HTTPException as error:
            response = error
        except Exception as error:  # a defect: told without what it says, which could name somebody
            self._tell(f"the page failed at {request.match_info.route.resource}: {type(error).__name__}")
            response = web.Response(status=500, text="500")
        if not response.prepared:
            response.headers.update(_HEADERS)
        if isinstance(response, web.HTTPException):
            raise response
        return response

    async def _answered(self, request: web.Request, respond: _Respond) -> web.StreamResponse:
        refused = stranger(request.method, request.headers, self.port)
        if refused is not None:
            return web.Response(status=refused, text=str(refused))
        free = request.path.startswith(_FREE)
        if not free and not self._doors.knows(self._session(request)):
            if request.method == "GET" and request.headers.get("Sec-Fetch-Dest", "document") == "document":
                return web.Response(status=303, headers={"Location": "/enter"})
            return web.Response(status=403, text="403")
        if request.method == "POST" and not free:
            fields = await request.post()
            if not self._doors.fits(self._session(request), str(fields.get("token", ""))):
                return web.Response(status=403, text="403")
        return await respond(request)

    def _adapted(self, handler: Handler) -> _Respond:
        async def respond(request: web.Request) -> web.StreamResponse:
            asked = await self._asked(request)
            return _response(await asyncio.to_thread(self._page.answer, handler, asked))

        return respond

    async def _asked(self, request: web.Request) -> Asked:
        fields = await request.post() if request.method == "POST" else {}
        form = Form([(name, value) for name, value in fields.items() if isinstance(value, str) and name != "token"])
        token = self._doors.token(self._session(request))
        return Asked(dict(request.match_info), form, self._spoken(request), token)

    async def _enter_page(self, request: web.Request) -> web.StreamResponse:
        return _response(self._door(request, 200))

    async def _enter(self, request: web.Request) -> web.StreamResponse:
        fields = await request.post()
        session = self._doors.enter(str(fields.get("code", ""))[:64])
        if session is None:
            return _response(self._door(request, 403))
        response = web.Response(status=303, headers={"Location": "/register"})
        response.set_cookie(self._cookie, session, httponly=True, samesite="Strict", path="/")
        return response

    async def _leave(self, request: web.Request) -> web.StreamResponse:
        self._doors.leave(self._session(request))
        response = web.Response(status=303, headers={"Location": "/enter"})
        response.del_cookie(self._cookie, path="/")
        return response

    async def _language(self, request: web.Request) -> web.StreamResponse:
        chosen = request.match_info["language"]
        if chosen not in self._page.words:
            return web.Response(status=404, text="404")
        response = web.Response(status=303, headers={"Location": "/"})
        response.set_cookie("language", chosen, samesite="Strict", httponly=True, path="/", max_age=365 * 86_400)
        return response

    async def _static(self, request: web.Request) -> web.StreamResponse:
        found = _STATIC.get(request.match_info["name"])
        if found is None:
            return web.Response(status=404, text="404")
        return web.Response(body=found[0].read_bytes(), content_type=found[1], charset="utf-8")

    async def _nothing(self, request: web.Request) -> web.StreamResponse:
        return web.Response(status=204)

    async def _events(self, request: web.Request) -> web.StreamResponse:
        """What changes while a woman is scanned, as server-sent events, until the browser or the session is gone."""
        language, screening_id = self._spoken(request), request.match_info["screening"]
        response = web.StreamResponse(headers={**_HEADERS, "Content-Type": "text/event-stream"})
        last, version, looked_at, told_at = b"", -1, 0.0, 0.0
        clock = asyncio.get_running_loop().time
        while self._doors.knows(self._session(request)):
            if self._page.watch.version() != version or clock() - looked_at >= _LOOK_S:
                version, looked_at = self._page.watch.version(), clock()
                try:
                    event = await asyncio.to_thread(live_pages.event, self._page, screening_id, language)
                except (Refused, SonovanError):
                    break
                try:
                    if not response.prepared:
                        await response.prepare(request)
                    if event != last or clock() - told_at >= _TELL_S:
                        await response.write(event)
                        told_at = clock()
                except ConnectionResetError:  # the browser went to another page
                    break
                last = event
            await asyncio.sleep(_POLL_S)
        if not response.prepared:
            return web.Response(status=404, text="404")
        return response

    def _door(self, request: web.Request, status: int) -> Answer:
        language = self._spoken(request)
        return rendered("enter.html", self._page.words[language], Asked(language=language), status, wrong=status != 200)

    def _spoken(self, request: web.Request) -> str:
        """The language that was chosen, else the browser's, else the first."""
        chosen = request.cookies.get("language", "")
        if chosen in self._page.words:
            return chosen
        wanted = request.headers.get("Accept-Language", "").lower()
        return next((each for each in self._page.words if wanted.startswith(each)), next(iter(self._page.words)))

    def _session(self, request: web.Request) -> str:
        return request.cookies.get(self._cookie, "")

    @property
    def _cookie(self) -> str:
        return f"van-{self.port}"


@contextmanager
def serving(page: Page, doors: Doors, tell: Callable[[str], None]) -> Iterator[int]:
    """Serve a page from a thread of its own until the block ends; the port.

    Raises InvalidRecord `option_invalid` where the port is taken.
    """
    server = Server(page, doors, tell)
    ready, failed = Event(), list[OSError]()
    loop = asyncio.new_event_loop()
    stopped = asyncio.Event()

    async def run() -> None:
        runner = web.AppRunner(server.application(), access_log=None, handle_signals=False, shutdown_timeout=1.0)
        await runner.setup()
        site = web.TCPSite(runner, ADDRESS, page.options.port)
        try:
            await site.start()
            server.port = int(runner.addresses[0][1])
            ready.set()
            await stopped.wait()
        except OSError as error:
            failed.append(error)
        finally:
            ready.set()
            await runner.cleanup()

    thread = Thread(target=lambda: loop.run_until_complete(run()), name="page", daemon=True)
    thread.start()
    ready.wait()
    try:
        if failed:
            raise InvalidRecord(
                "option_invalid", f"[page] port {page.options.port} cannot be used: {failed[0].strerror}"
            )
        yield server.port
    finally:
        loop.call_soon_threadsafe(stopped.set)
        thread.join()
        loop.close()


def _response(answer: Answer) -> web.Response:
    headers: Mapping[str, str] = {} if answer.location is None else {"Location": answer.location}
    kind, _, charset = answer.content_type.partition("; charset=")
    return web.Response(
        body=answer.body, status=answer.status, headers=headers, content_type=kind, charset=charset or None
    )
