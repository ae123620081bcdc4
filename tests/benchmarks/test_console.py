"""The scene of `make bench-console` fits the catalogue as it is today."""

from benchmarks.console_scene import fill, now
from sonovan.storage.catalogue.database import open_database
from tests.storage.postgres import new_database


def test_the_scene_fills_todays_tables_and_the_worklist(postgres_host: str) -> None:
    database = open_database(new_database(postgres_host, "console scene"))
    database.prepare()
    fill(database, 60, now())
    with database.writing() as connection:
        counts = {
            name: connection.exec_driver_sql(f"SELECT count(*) FROM {name}").scalar_one()
            for name in ("opening", "screening_closing", "screening", "conclusion", "worklist")
        }
    database.close()
    assert counts == {"opening": 60, "screening_closing": 40, "screening": 60, "conclusion": 36, "worklist": 60}
