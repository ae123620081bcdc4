"""Catalogues: in files of SQLite and in a real PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sonovan.storage.catalogue.database import Database, open_database
from tests.storage.postgres import new_database


@pytest.fixture(params=["sqlite", "postgresql"])
def catalogue_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a catalogue may be made."""
    if request.param == "sqlite":
        folder = tmp_path / "Zustand, größe 1"
        folder.mkdir()
        return f"sqlite:///{folder / 'catalog.sqlite'}"
    host: str = request.getfixturevalue("postgres_host")
    return new_database(host, tmp_path.name)


@pytest.fixture
def database(catalogue_url: str) -> Iterator[Database]:
    """An empty catalogue."""
    opened = open_database(catalogue_url)
    opened.prepare()
    yield opened
    opened.close()
