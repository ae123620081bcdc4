"""The catalogue beside running stages: made again it is the one that was lived, on SQLite and on PostgreSQL, after
kills.

Kills at every moment of a transaction are in `tests/storage/catalogue/test_kills.py` and, between any two effects of
the stage, in `tests/stream_apps/test_stage.py`; here the worker, its database and a rebuild die in earnest.
"""

import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from benchmarks.catalog import messages
from sonovan.catalogue import standing
from sonovan.centre import down, up
from sonovan.contracts.signatures import generate_key, public_key
from sonovan.contracts.topics import Topic
from sonovan.contracts.van import VanEnrolled
from sonovan.storage.catalogue.database import Database, open_database
from sonovan.transport.producer import BoundedProducer
from tests.journeys.world import World
from tests.storage.catalogue.dump import asked, everything
from tests.storage.postgres import kill_and_start, new_database

pytestmark = pytest.mark.journeys

KEY = generate_key()
VAN = "bench"
SCREENINGS = 40
MOVING = ("fault", "rejection", "van_report", "read_offset")
"""Tables that go on while two catalogues are compared: workers tell of faults at any time."""


@pytest.fixture(scope="module")
def world(service_tools: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A centre of its own: what these journeys send would keep the stages of the others busy for minutes."""
    path = tmp_path_factory.mktemp("catalogue") / "state"
    try:
        found = World(up(path, apps=()))
        yield found
        found.close()
    finally:
        down(path)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Where the catalogue of this journey is; the worker and every command are told."""
    if request.param == "sqlite":
        made = f"sqlite:///{tmp_path / 'catalog.sqlite'}"
    else:
        made = new_database(request.getfixturevalue("postgres_host"), tmp_path.name)
    monkeypatch.setenv("SONOVAN_CATALOG_DATABASE_URL", made)
    return made


@pytest.fixture
def database(url: str, world: World) -> Iterator[Database]:
    opened = open_database(url)
    yield opened
    opened.close()
    world.stop("catalog")


class Sender:
    """Sends what screenings leave in the topics, a part at a time; each screening has ids of its own."""

    def __init__(self, world: World, begin: int) -> None:
        self._kafka = world.centre.kafka()
        self._messages = messages(SCREENINGS + 1, 2, KEY, begin=begin)
        with BoundedProducer(self._kafka) as producer:
            enrolled = VanEnrolled.first(VAN, public_key(KEY), datetime.now(UTC))
            producer.send(Topic.VAN_ENROLLED, VAN.encode(), enrolled.encode()).result(30)

    def send(self, count: int | None = None) -> None:
        """Send so many messages, or all that are left."""
        with BoundedProducer(self._kafka) as producer:
            for topic, key, value in islice(self._messages, count):
                producer.send(topic, key, value)
            producer.flush(60)


def rebuild(world: World) -> "subprocess.Popen[str]":
    return world.command("catalog", "rebuild", "--json")


def rebuilt(world: World) -> Any:
    return world.sonovan("catalog", "rebuild", "--json")


def written(database: Database) -> int:
    return int(asked(database, "SELECT count(*) AS rows FROM frame")[0]["rows"])


def behind(database: Database, world: World) -> int:
    found = standing(database, world.centre.kafka("catalog")).behind
    return sum(count for topic, count in found.items() if topic not in (Topic.FAULT_ALERTED, Topic.RECORD_REJECTED))


def settled(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    return {name: rows for name, rows in everything(database).items() if name not in MOVING}


def test_a_catalogue_made_again_is_the_one_that_was_lived_and_the_worker_goes_on_in_it(
    world: World, url: str, database: Database, request: pytest.FixtureRequest
) -> None:
    rebuilt(world)  # whatever stands in the topics
    sender = Sender(world, begin=1 if database.dialect == "sqlite" else 1 + 2 * SCREENINGS)
    world.start("catalog")
    before = written(database)
    sender.send(200)
    world.until(lambda: written(database) > before, "the worker writes")
    world.kill("catalog")
    sender.send(200)
    world.start("catalog")
    if database.dialect == "postgresql":
        world.until(lambda: behind(database, world) < 300, "the worker writes again")
        database.close()
        kill_and_start(request.getfixturevalue("postgres_host"))
    sender.send()
    world.until(lambda: behind(database, world) == 0, "everything is written")
    lived = settled(database)

    cut = rebuild(world)  # killed while it is made: the old one answers, and the next one goes on
    world.until(database.next_is_there, "another catalogue is begun")
    cut.kill()
    cut.communicate(timeout=60)
    assert settled(database) == lived
    rebuilt(world)
    assert settled(database) == lived

    late = Sender(world, begin=SCREENINGS + 2 if database.dialect == "sqlite" else 2 + 3 * SCREENINGS)
    late.send(30)
    world.until(lambda: written(database) > len(lived["frame"]), "the worker that ran before writes to the new one")

    if database.dialect == "postgresql":
        world.sonovan("catalog", "reader")
    query = "SELECT count(*) AS lesions FROM findings WHERE organ = 'breast'"
    (row,) = world.sonovan("query", query, "--json")
    assert row["lesions"] >= 2 * SCREENINGS
    assert world.sonovan("catalog", "status", "--json")["rows"]["screening"] >= SCREENINGS
    refused = world.command("query", "SELECT subject_key FROM opening")
    assert refused.communicate(timeout=60)[0] == ""
    assert refused.returncode == 2
