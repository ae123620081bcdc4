"""How `make test` shares the tests between two processes: one starts the real services, the other runs the rest.

Services mostly wait and the rest mostly computes. All tests of services stay in one process and in their order, so
that no second broker is started; of the others a file is never divided.
"""

from typing import Any, Final

import pytest
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

SERVICES: Final = ("tests/attacks/", "tests/consumers/", "tests/journeys/", "tests/services/")


class SideBySide(LoadScopeScheduling):  # type: ignore[misc]
    """Each scope is given to one process whole."""

    def _split_scope(self, nodeid: str) -> str:
        return "services" if nodeid.startswith(SERVICES) else nodeid.split("::", 1)[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> SideBySide:
    """pytest-xdist asks this once, in the process that hands out tests."""
    return SideBySide(config, log)
