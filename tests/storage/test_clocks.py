"""A store that refuses because its clock is another one: whoever set it up is told so."""

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from sonovan.contracts.errors import Fatal
from sonovan.storage.accounts import create_accounts
from sonovan.storage.buckets import create_buckets
from sonovan.storage.clocks import clock_hint
from sonovan.storage.minio_store import MinioStore
from sonovan.storage.settings import ACCOUNT_SETTINGS, ObjectStoreSettings

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def skewed() -> Iterator[ObjectStoreSettings]:
    """A store whose clock is 20 minutes behind, and which lets nobody in."""

    class Handler(BaseHTTPRequestHandler):
        def date_time_string(self, timestamp: float | None = None) -> str:
            return format_datetime(datetime.now(UTC) - timedelta(minutes=20), usegmt=True)

        def refuse(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            body = b"" if self.command == "HEAD" else b"<Error><Code>RequestTimeTooSkewed</Code></Error>"
            self.send_response(403)
            self.send_header("Content-Type", "application/xml")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            self.refuse()

        def do_HEAD(self) -> None:
            self.refuse()

        def log_message(self, format: str, *args: object) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield ObjectStoreSettings(endpoint=f"127.0.0.1:{server.server_port}", access_key="segment-1", secret_key="x" * 12)  # type: ignore[arg-type]
    server.shutdown()
    server.server_close()


def accounts(settings: ObjectStoreSettings) -> None:
    keys = {"access_key": "some", "secret_key": "something"}
    create_accounts(settings, {name: kind.model_validate(keys) for name, kind in ACCOUNT_SETTINGS.items()})


def reading(settings: ObjectStoreSettings) -> None:
    MinioStore(settings).get("images", "a")


@pytest.mark.parametrize("attempt", [create_buckets, accounts, reading])
def test_clocks_that_are_apart_are_named(
    attempt: Callable[[ObjectStoreSettings], object], skewed: ObjectStoreSettings
) -> None:
    with pytest.raises(Fatal, match="this host's clock is 20 minutes ahead of the object store's"):
        attempt(skewed)


@pytest.mark.parametrize(
    ("date", "hint"),
    [(NOW - timedelta(minutes=2), ""), (NOW + timedelta(minutes=20), "20 minutes behind"), (None, "")],
)
def test_a_few_minutes_are_no_reason(date: datetime | None, hint: str) -> None:
    told = clock_hint(None if date is None else format_datetime(date, usegmt=True), NOW)
    assert (hint in told) if hint else told == ""
