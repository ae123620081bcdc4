"""Databases for the outbox: SQLite and a real PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sonovan.storage.outbox import Outbox
from sonovan.storage.outbox_engine import sqlite_url
from tests.storage.postgres import new_database


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database."""
    if request.param == "sqlite":
        folder = tmp_path / "Zustand, größe 1"
        folder.mkdir()
        return sqlite_url(folder / "outbox.sqlite")
    host: str = request.getfixturevalue("postgres_host")
    return new_database(host, tmp_path.name)


@pytest.fixture
def outbox(url: str) -> Iterator[Outbox]:
    opened = Outbox(url)
    yield opened
    opened.close()
