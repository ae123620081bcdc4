"""Workers that are killed at any moment, ten times on each database, and a PostgreSQL that dies: the rows are the
same."""

import random
import subprocess
import sys
from pathlib import Path

from sonovan.storage.catalogue.database import Database, open_database
from sonovan.storage.catalogue.writing import write
from tests.storage.catalogue.dump import everything
from tests.storage.postgres import kill_and_start
from tests.stream_apps.catalog.scene import changes

ROOT = Path(__file__).resolve().parents[3]
KILLS = 10


def child(url: str, seed: int) -> "subprocess.Popen[str]":
    argv = [sys.executable, "-m", "tests.storage.catalogue.child", url, str(seed)]
    return subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def killed_after(url: str, seed: int, lines: int) -> None:
    """A worker that is gone as soon as it has said so many messages."""
    process = child(url, seed)
    assert process.stdout is not None
    for _ in range(lines):
        assert process.stdout.readline().strip() not in ("", "done")
    process.kill()
    process.communicate(timeout=60)


def test_after_ten_kills_the_rows_are_those_of_a_calm_life(
    database: Database, catalogue_url: str, postgres_host: str, tmp_path: Path
) -> None:
    chance = random.Random(7)
    for seed in range(KILLS):
        killed_after(catalogue_url, seed, chance.randint(1, 25))
        if seed == KILLS // 2 and database.dialect == "postgresql":
            database.close()
            kill_and_start(postgres_host)
    last = child(catalogue_url, KILLS)
    out, _ = last.communicate(timeout=120)
    assert out.splitlines()[-1] == "done"
    calm = open_database(f"sqlite:///{tmp_path / 'calm.sqlite'}" if database.dialect == "sqlite" else catalogue_url)
    found = everything(database)
    if database.dialect == "sqlite":
        calm.prepare()
    else:  # the same database, made empty: values come back in the same kinds
        calm.begin_next()
        calm.switch(lambda _: None, lambda *_: None)
    with calm.writing() as connection:
        write(connection, changes())
    assert found == everything(calm)
    calm.close()
