"""One broker and one MinIO for all journeys; each uses a van and screenings of its own."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchmarks.accounting import RULES
from benchmarks.kills import SETTINGS
from sonovan.centre import down, up
from tests.journeys.world import World


@pytest.fixture(scope="package")
def world(service_tools: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A centre without workers; journeys start those that they need."""
    with whole_world(tmp_path_factory.mktemp("journeys")) as made:
        yield made


@contextmanager
def whole_world(folder: Path) -> Iterator[World]:
    """A centre without workers, with its state in a folder of its own below this one; gone when the block ends."""
    path = folder / "state"
    with pytest.MonkeyPatch.context() as patch:
        for name, value in SETTINGS.items():
            patch.setenv(name, value)
        rules = folder / "rules.toml"
        rules.write_text(RULES)
        patch.setenv("SONOVAN_ALERT_RULES_FILE", str(rules))
        logging.getLogger("kafka").setLevel(logging.ERROR)  # its warnings would hide what the workers said
        try:
            world = World(up(path, apps=()))
            yield world
            world.close()
        finally:
            down(path)
