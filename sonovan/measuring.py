"""Metrics over HTTP, for the programs that have no such address of their own: the console and the van.

A port apart from their pages: what stands in front of the console for browsers passes on all of the console's port, and
nobody is asked who they are here.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Final

from sonovan.contracts.errors import Fatal, Transient
from sonovan.contracts.exposition import CONTENT_TYPE

ADDRESS: Final = "127.0.0.1"
PATH: Final = "/metrics"


@contextmanager
def exposed(text: Callable[[], str], port: int, setting: str, host: str = ADDRESS) -> Iterator[str]:
    """Answer /metrics with what `text` gives until the block ends; the address.

    text: may raise Transient, which is answered by a 503 without its words. A defect in it ends the connection, and its
    kind alone is told, since what it says could name somebody. port: 0 takes a free one. setting: names the port in
    messages. host: loopback, or an address that a private network alone reaches. Raises Fatal where the port cannot be
    had.
    """

    class Answering(BaseHTTPRequestHandler):
        timeout = 10.0

        def do_GET(self) -> None:
            found = None
            if self.path == PATH:
                try:
                    found = text().encode()
                except Transient:
                    self.send_error(503)
                    return
            if found is None:
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Type", CONTENT_TYPE)
            self.send_header("Content-Length", str(len(found)))
            self.end_headers()
            self.wfile.write(found)

        def log_message(self, *_: object) -> None:
            """A line for each scrape would be noise."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            kind = type(sys.exception()).__name__
            sys.stderr.write(f"metrics at {host}:{self.server_address[1]}: {kind}\n")

    try:
        server = Server((host, port), Answering)
    except OSError as error:
        raise Fatal(f"{setting}: cannot listen on {host}:{port}: {error.strerror}") from None
    thread = Thread(target=server.serve_forever, name="metrics", daemon=True)
    thread.start()
    try:
        yield f"http://{host}:{server.server_address[1]}{PATH}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
