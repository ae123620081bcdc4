"""A worker's health and metrics over HTTP: /healthz, /readyz and /metrics, on loopback unless told otherwise.

/healthz answers 200 while starting the worker again would help nothing; /readyz answers 200 while it takes messages,
and else 503 with what it waits for, one line each; a clock that is apart from the broker's is named in either.

Faust's own web server stays off: it serves the contents of tables. This one serves counts alone.
"""

import json
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from aiohttp import web

from sonovan.contracts.errors import Fatal
from sonovan.contracts.exposition import CONTENT_TYPE
from sonovan.stream_apps.progress import Progress

HEALTH_FILE: Final = "health.json"
"""In the worker's data folder: its pid and the address that it answers at."""


class Health:
    """Answers while the event loop runs: one that hangs does not answer, which is what a supervisor must see."""

    def __init__(self, data_dir: Path, progress: Progress, metrics: Callable[[], Awaitable[str]]) -> None:
        """metrics: the text that Prometheus reads."""
        self._file = data_dir / HEALTH_FILE
        self._progress, self._metrics = progress, metrics
        self._runner: web.AppRunner | None = None

    async def start(self, host: str, port: int) -> str:
        """Listen, and write the address into the health file; returns it. port 0: the system picks a free one.

        Raises Fatal where the address cannot be had.
        """
        app = web.Application()
        app.add_routes(
            [
                web.get("/healthz", self._alive),
                web.get("/readyz", self._ready),
                web.get("/metrics", self._measured),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, host, port).start()
        except OSError as error:
            await self._runner.cleanup()
            raise Fatal(
                f"SONOVAN_HEALTH_HOST, SONOVAN_HEALTH_PORT: cannot listen on {host}:{port}: {error.strerror}"
            ) from None
        taken = self._runner.addresses[0][1]
        address = f"http://[{host}]:{taken}" if ":" in host else f"http://{host}:{taken}"
        self._file.parent.mkdir(parents=True, exist_ok=True)
        temporary = self._file.with_suffix(".new")
        temporary.write_text(json.dumps({"pid": os.getpid(), "address": address}) + "\n")
        temporary.replace(self._file)
        return address

    async def stop(self) -> None:
        """Stop listening; harmless when it never did."""
        self._file.unlink(missing_ok=True)
        if self._runner is not None:
            await self._runner.cleanup()

    async def _alive(self, _: web.Request) -> web.Response:
        stuck_s = self._progress.stuck_s
        if stuck_s is None:
            return web.Response(text="alive\n")
        return web.Response(text=f"has work and finished nothing of it for {stuck_s:.0f} s\n", status=503)

    async def _ready(self, request: web.Request) -> web.Response:
        if self._progress.stuck_s is not None:
            return await self._alive(request)
        waiting = self._progress.waiting
        return web.Response(
            text="\n".join((*(waiting or ("ready",)), *self._progress.notes)) + "\n", status=503 if waiting else 200
        )

    async def _measured(self, _: web.Request) -> web.Response:
        return web.Response(body=(await self._metrics()).encode(), headers={"Content-Type": CONTENT_TYPE})
