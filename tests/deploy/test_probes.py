"""Health is asked of the service itself; whatever else listens on its port is not taken for it."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from sonovan.deploy import ports
from sonovan.deploy.probes import answers_ok, authenticates


class Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(503 if self.path == "/ill" else 200)
        if self.path == "/starting":
            self.send_header("x-minio-server-status", "offline")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def port() -> Iterator[int]:
    with HTTPServer((ports.LOOPBACK, 0), Answers) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


@pytest.mark.parametrize(("path", "well"), [("/live", True), ("/ill", False), ("/starting", False)])
def test_only_a_plain_200_is_well(port: int, path: str, well: bool) -> None:
    assert answers_ok(f"http://127.0.0.1:{port}{path}") is well


def test_nobody_there_is_not_well() -> None:
    free = ports.find_free()
    assert not answers_ok(f"http://127.0.0.1:{free}/")
    assert not authenticates(free, "admin", "secret")


def test_something_else_on_the_port_is_no_broker(port: int) -> None:
    assert not authenticates(port, "admin", "secret")
