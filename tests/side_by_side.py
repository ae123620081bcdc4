"""How `make test` shares the tests between three processes: two start the real services, the third runs the rest.

Tests of services often wait, so that two such processes beside the computing one use two cores up; more would only
slow each other down. The tests of one part stay in one process and in their order, so that a broker is started once for
them; of the others a file is never divided. Attacks are of both kinds: a file of them that starts services says so by
the marker `services`.
"""

from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

PARTS: Final = {
    "journeys": ("tests/attacks/", "tests/journeys/"),
    "services": ("tests/services/", "tests/consumers/"),
}
"""Each part has its own broker and store."""

ATTACKS: Final = "tests/attacks/"
MARKER: Final = "pytest.mark.services"
ROOT: Final = Path(__file__).resolve().parents[1]


@cache
def starts_services(file: str) -> bool:
    """Whether tests of this file, by its path in the repository, may start services."""
    part = any(file.startswith(folders) for folders in PARTS.values())
    return part and (not file.startswith(ATTACKS) or MARKER in (ROOT / file).read_text())


def part_of(nodeid: str) -> str | None:
    """The part of PARTS that a test belongs to, None for one that starts no service."""
    if not starts_services(nodeid.split("::", 1)[0]):
        return None
    return next((part for part, folders in PARTS.items() if nodeid.startswith(folders)), None)


class SideBySide(LoadScopeScheduling):  # type: ignore[misc]
    """Each scope is given to one process whole."""

    def _split_scope(self, nodeid: str) -> str:
        return part_of(nodeid) or nodeid.split("::", 1)[0]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The parts begin at once, for they take longest."""
    items.sort(key=lambda item: part_of(item.nodeid) is None)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> SideBySide:
    """pytest-xdist asks this once, in the process that hands out tests."""
    return SideBySide(config, log)
