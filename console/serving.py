"""The console over HTTP, in the foreground or in a thread of its own."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Final

import uvicorn

from sonovan.console.app import build_app
from sonovan.console.prompts import load_ahead
from sonovan.console.world import Console
from sonovan.contracts.errors import Fatal

LONGEST_HEADER: Final = 16 * 1024
"""Bytes of a request's first lines."""
_LEAVE_WITHIN_S: Final = 2
ANY_ADDRESS: Final = "0.0.0.0"  # noqa: S104  # listened on only where a setting says so


def serve(console: Console, ready: Callable[[str], None]) -> None:
    """Answer until SIGTERM or SIGINT; meanwhile the network that answers clicks is loaded.

    ready: called with the address once it listens.

    Raises Fatal where the address cannot be had.
    """
    listening = _listening(console.settings.host, console.settings.port)
    with listening:
        port = int(listening.getsockname()[1])
        server = _server(console, port)
        ready(f"http://{_reached(console.settings.host)}:{port}")
        load_ahead(console.tell)
        server.run(sockets=[listening])


@contextmanager
def serving(console: Console) -> Iterator[int]:
    """Answer from a thread of its own until the block ends; the port. For tests."""
    listening = _listening(console.settings.host, console.settings.port)
    port = int(listening.getsockname()[1])
    server = _server(console, port)
    thread = Thread(target=lambda: server.run(sockets=[listening]), name="console", daemon=True)
    thread.start()
    try:
        yield port
    finally:
        server.should_exit = True
        thread.join()
        listening.close()


def _server(console: Console, port: int) -> uvicorn.Server:
    return uvicorn.Server(
        uvicorn.Config(
            build_app(console, lambda: port),
            http="h11",
            ws="none",
            loop="asyncio",
            lifespan="off",
            log_config=None,
            access_log=False,  # addresses hold ids of screenings, and who looked at whom is the audit's to say
            server_header=False,
            proxy_headers=False,
            h11_max_incomplete_event_size=LONGEST_HEADER,
            timeout_graceful_shutdown=_LEAVE_WITHIN_S,
        )
    )


def _reached(host: str) -> str:
    """Under which name this machine reaches a server that listens on `host`: 0.0.0.0 stands for each of its addresses,
    and no browser may ask for it."""
    return "127.0.0.1" if host == ANY_ADDRESS else host


def _listening(host: str, port: int) -> socket.socket:
    kind = socket.AF_INET6 if ":" in host else socket.AF_INET
    found = socket.socket(kind, socket.SOCK_STREAM)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((host, port))
        found.listen(256)
    except OSError as error:
        found.close()
        raise Fatal(
            f"SONOVAN_CONSOLE_HOST, SONOVAN_CONSOLE_PORT: cannot listen on {host}:{port}: {error.strerror}"
        ) from None
    return found
