"""A running console, shared by the tests of one module; browsers and people are each test's own."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.chromium import Tab, chromium, found_program
from tests.conftest import skip_unless_ci
from tests.console.world import Running, running


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A console that nobody needs a second factor for. Use account codes of your own: others log in here, too."""
    with running(tmp_path_factory.mktemp("console")) as made:
        yield made


@pytest.fixture
def worlds() -> Iterator[ExitStack]:
    """Consoles that a test opens for itself, and that end with it."""
    with ExitStack() as stack:
        yield stack


def _a_tab() -> Iterator[Tab]:
    program = found_program()
    if program is None:
        skip_unless_ci("no Chromium on this machine (Debian: chromium)")
        return
    with chromium(program) as made:
        yield made


@pytest.fixture
def tab() -> Iterator[Tab]:
    """A tab of a browser of its own."""
    yield from _a_tab()


@pytest.fixture
def other() -> Iterator[Tab]:
    """A second reader's browser, which knows nothing of the first."""
    yield from _a_tab()


def log_in(tab: Tab, console: Running, code: str, *roles: str, sites: list[str] | None = None) -> None:
    """Log a person in by keyboard, as they would."""
    from tests.console.world import PASSWORD

    console.person(code, *roles, sites=sites)
    tab.go(f"{console.url}/login")
    tab.until("document.activeElement?.name === 'account'")
    tab.type(code)
    tab.press("Tab")
    tab.type(PASSWORD)
    tab.press("Enter")
    tab.until("location.pathname === '/'")
