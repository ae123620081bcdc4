"""Somebody who must be told: an HTTP server whose manners a test chooses, on loopback if not told otherwise."""

import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self


@dataclass(frozen=True)
class Request:
    """One request as it came in."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def key(self) -> str:
        return self.headers["idempotency-key"]


Manners = Callable[["Receiver", BaseHTTPRequestHandler], None]


def answer(status: int, **headers: str) -> Manners:
    """Answers at once."""

    def act(_receiver: "Receiver", handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return act


KIND = answer(204)


def hang(receiver: "Receiver", _handler: BaseHTTPRequestHandler) -> None:
    """Takes the request and never answers."""
    receiver.closing.wait(60)


def drip(receiver: "Receiver", handler: BaseHTTPRequestHandler) -> None:
    """Answers a byte now and then: no single read is slow, the answer never ends."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while not receiver.closing.wait(0.05):
        handler.wfile.write(b"x")


def chatter(receiver: "Receiver", handler: BaseHTTPRequestHandler) -> None:
    """Says 200 and then never ends its body."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n")
    while not receiver.closing.wait(0.05):
        handler.wfile.write(b"x")


def flood(receiver: "Receiver", handler: BaseHTTPRequestHandler) -> None:
    """Says 200 and then as much as it can."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n")
    while not receiver.closing.is_set():
        handler.wfile.write(b"x" * 65_536)


class Receiver:
    """Listens while entered. port: 0 takes a free one; the same port can be listened on again later.

    address: of this machine. tls: what it shows and how, for a receiver of https.
    """

    def __init__(
        self,
        manners: Manners = KIND,
        port: int = 0,
        *,
        address: str = "127.0.0.1",
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.manners = manners
        self.received: list[Request] = []
        self.closing = threading.Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                headers = {name.lower(): value for name, value in self.headers.items()}
                body = self.rfile.read(int(headers["content-length"]))
                receiver.received.append(Request(self.path, headers, body))
                try:
                    receiver.manners(receiver, self)
                except OSError:
                    self.close_connection = True  # the sender has given up

            def log_message(self, format: str, *args: object) -> None:
                """Silent."""

        class Server(ThreadingHTTPServer):
            block_on_close = False

        self._server = Server((address, port), Handler)
        if tls is not None:  # the handshake is each request's own, so that one that hangs in it holds up no other
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self._server.server_port
        self.url = f"http{'' if tls is None else 's'}://{address}:{self.port}/hook/s3cret"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def keys(self) -> list[str]:
        return [request.key for request in self.received]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def free_port() -> int:
    """A port of loopback on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
