"""The catalogue as the console reads it: what is written is seen, nothing can be written, another one is followed."""

from pathlib import Path

import pytest
from sqlalchemy import insert, text
from sqlalchemy.exc import SQLAlchemyError

from sonovan.contracts.errors import Fatal, SonovanError, Transient
from sonovan.storage.catalogue.database import Database
from sonovan.storage.catalogue.reading import Catalogue, site_of
from sonovan.storage.catalogue.rebuilding import Rebuilding
from sonovan.storage.catalogue.tables_sent import OPENING

HER = "01930000-0000-7000-8000-000000000001"


def opening(site: str) -> dict[str, object]:
    return {
        "screening_id": HER, "van_id": "van-1", "subject_key": "0" * 64, "site_code": site,
        "opened_at": "2026-09-21T08:00:00.000Z", "consent_screening": True, "consent_ai": True,
        "consent_research": False, "consent_sharing": False, "planned": "[]", "at_ms": 0, "at_partition": 0,
        "at_offset": 0,
    }  # fmt: skip


def test_what_is_written_is_seen_and_nothing_can_be_written(database: Database, catalogue_url: str) -> None:
    catalogue = Catalogue(catalogue_url)
    try:
        assert site_of(catalogue, HER) is None
        with database.writing() as connection:
            connection.execute(insert(OPENING).values(opening("north")))
        assert site_of(catalogue, HER) == "north"
        for statement in ("DELETE FROM opening", "UPDATE opening SET site_code = 'south'", "CREATE TABLE x (a TEXT)"):
            with pytest.raises((SonovanError, SQLAlchemyError)), catalogue.reading() as connection:
                connection.execute(text(statement))
        assert site_of(catalogue, HER) == "north"
    finally:
        catalogue.close()


def test_one_reading_sees_one_state(database: Database, catalogue_url: str) -> None:
    if database.dialect != "sqlite":
        return  # PostgreSQL shows each statement what was committed before it
    catalogue = Catalogue(catalogue_url)
    try:
        with catalogue.reading() as connection:
            count = text("SELECT count(*) FROM opening")
            assert connection.execute(count).scalar_one() == 0
            with database.writing() as writing:
                writing.execute(insert(OPENING).values(opening("north")))
            assert connection.execute(count).scalar_one() == 0
    finally:
        catalogue.close()


def test_another_catalogue_in_its_place_is_read_from_then_on(database: Database, catalogue_url: str) -> None:
    catalogue = Catalogue(catalogue_url)
    try:
        assert site_of(catalogue, HER) is None
        making = Rebuilding(database)
        making.begin(fresh=True)
        making.switch(list)
        with database.writing() as connection:
            connection.execute(insert(OPENING).values(opening("south")))
        assert site_of(catalogue, HER) == "south"
    finally:
        catalogue.close()


def test_a_catalogue_that_is_not_there_yet_is_waited_for(tmp_path: Path) -> None:
    with pytest.raises(Transient, match="not there yet"):
        site_of(Catalogue(f"sqlite:///{tmp_path / 'catalog.sqlite'}"), HER)
    with pytest.raises(Fatal, match="no database URL"):
        Catalogue("nonsense")
