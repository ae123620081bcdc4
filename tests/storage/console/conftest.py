"""The console's own database: in a file of SQLite and in a real PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sonovan.storage.console.database import ConsoleDatabase
from sonovan.storage.outbox_engine import sqlite_url
from tests.storage.postgres import new_database


@pytest.fixture(params=["sqlite", "postgresql"])
def console_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database."""
    if request.param == "sqlite":
        return sqlite_url(tmp_path / "console.sqlite")
    host: str = request.getfixturevalue("postgres_host")
    return new_database(host, f"console {tmp_path.name}")


@pytest.fixture
def console_database(console_url: str) -> Iterator[ConsoleDatabase]:
    """With its tables."""
    opened = ConsoleDatabase(console_url)
    opened.prepare()
    yield opened
    opened.close()
