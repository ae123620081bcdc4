"""The journeys of the spine over a centre in containers: the same functions as over one that `sonovan up` started."""

import inspect
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest

from benchmarks.accounting import RULES
from benchmarks.kills import SETTINGS
from tests.containers.engine import Project
from tests.containers.world import WorldInContainers
from tests.journeys import test_spine

pytestmark = [pytest.mark.services, pytest.mark.journeys, pytest.mark.timeout(900)]

JOURNEYS: Final[dict[str, Callable[..., None]]] = {
    name: journey for name, journey in vars(test_spine).items() if name.startswith("test_")
}


@pytest.fixture(scope="module")
def world(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorldInContainers]:
    folder = tmp_path_factory.mktemp("spine")
    rules = folder / "rules.toml"
    rules.write_text(RULES)
    usual = {"segment": SETTINGS, "alert": {"SONOVAN_ALERT_RULES_FILE": str(rules)}}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in SETTINGS.items():  # of the embedded runs to which journeys compare
            patch.setenv(name, value)
        logging.getLogger("kafka").setLevel(logging.ERROR)
        made = WorldInContainers(project, folder / "state", usual)
        try:
            yield made
        finally:
            made.close()


@pytest.mark.parametrize("name", JOURNEYS)
def test_a_journey_of_the_spine_ends_in_containers_as_it_does_without(
    name: str, world: WorldInContainers, tmp_path: Path
) -> None:
    offered = {"world": world, "tmp_path": tmp_path}
    journey = JOURNEYS[name]
    journey(**{each: offered[each] for each in inspect.signature(journey).parameters})


def test_none_is_left_out() -> None:
    """By their numbers, of which the journeys have each once."""
    assert [int(name.split("_")[1]) for name in JOURNEYS] == list(range(1, len(JOURNEYS) + 1))
    assert len(JOURNEYS) >= 11
