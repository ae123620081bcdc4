"""Every page of the navigation by axe-core, in both languages and both themes: WCAG 2.2 AA."""

import os
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import Connection

from sonovan.console.roles import Role
from sonovan.storage.catalogue.writing import write
from sonovan.storage.folder_store import FolderStore
from tests.chromium import Tab
from tests.clinical.records import sha
from tests.console import axe, test_networks, test_quality, test_rejected
from tests.console.cine_scene import make_screening
from tests.console.conftest import log_in
from tests.console.signing_scene import SHE, signing
from tests.console.world import Running, running
from tests.stream_apps.catalog.scene import changes, said

SHADOWED: Final = "0192f0c3-2345-7abc-8def-0123456789ab"
SHOTS = os.environ.get("SONOVAN_SCREENSHOTS")
"""A folder in which pictures of the pages are left, for whoever looks at them."""


LAPTOP: Final = (1280, 860)
"""A window on a small laptop: no page may be wider than that."""


def too_wide(tab: Tab) -> list[str]:
    """What is said of a page that has to be moved sideways."""
    wide = tab.run("document.documentElement.scrollWidth") - LAPTOP[0]
    return [f"{wide} px too wide"] if wide > 0 else []


@pytest.fixture(scope="module")
def checker(tmp_path_factory: pytest.TempPathFactory) -> str:
    return axe.fetched(tmp_path_factory.mktemp("axe"))


def test_no_page_breaks_a_rule_in_any_language_or_theme(console: Running, tab: Tab, checker: str) -> None:
    doors = {each.path for each in console.console.doors if each.shown is not None}
    found: dict[str, list[str]] = {}
    tab.sized(*LAPTOP)
    tab.go(f"{console.url}/login")
    tab.until("document.activeElement?.name === 'account'")
    found["/login"] = axe.violations(tab, checker)
    log_in(tab, console, "a11y", *(str(role) for role in Role))
    for language in ("en", "zh-Hans"):
        if tab.run("document.documentElement.lang") != language:
            tab.run("document.querySelector('button[name=language]').click()")
            tab.until(f"document.documentElement.lang === '{language}'")
        for theme in ("light", "dark"):
            tab.run(f"document.querySelector('button[value={theme}]').click()")
            tab.until(f"document.documentElement.dataset.theme === '{theme}'")
            for path in sorted(doors | {"/account"}):
                tab.go(f"{console.url}{path}")
                tab.until(f"location.pathname === '{path}'")
                found[f"{path} {language} {theme}"] = axe.violations(tab, checker) + too_wide(tab)
    assert sorted({f"{page}: {line}" for page, lines in found.items() for line in lines}) == []
    assert len(found) == 1 + 4 * len(doors | {"/account"})


def test_reading_signing_and_what_is_signed_break_no_rule(tmp_path: Path, tab: Tab, checker: str) -> None:
    found: dict[str, list[str]] = {}
    tab.sized(*LAPTOP)
    with signing(tmp_path) as desk:
        log_in(tab, desk.console, "dr-1", "reader")
        for theme in ("light", "dark"):
            tab.run(f"document.querySelector('button[value={theme}]').click()")
            tab.until(f"document.documentElement.dataset.theme === '{theme}'")
            tab.go(f"{desk.console.url}/reading/{SHE}")
            tab.until("document.querySelector('[data-signing]') !== null")
            found[f"reading {theme}"] = axe.violations(tab, checker) + too_wide(tab)
            tab.press("q")
            tab.until("document.activeElement.closest('#signing') !== null")
            tab.press("l")  # the first finding is a lesion: its words are shown
            tab.until("[...document.querySelectorAll('.terms')].some((each) => !each.hidden)")
            found[f"signing {theme}"] = axe.violations(tab, checker)
            tab.go(f"{desk.console.url}/signed/{SHE}")
            tab.until("location.pathname.startsWith('/signed/')")
            found[f"signed {theme}"] = axe.violations(tab, checker) + too_wide(tab)
    assert sorted({f"{page}: {line}" for page, lines in found.items() for line in lines}) == []


def test_pages_behind_those_of_the_navigation_break_no_rule(tmp_path: Path, tab: Tab, checker: str) -> None:
    records = [
        *said(), test_quality.agreement(), *(test_quality.window(number, drifted=number == 3) for number in (1, 2, 3)),
        *test_rejected.ALL,
    ]  # fmt: skip
    store, sweep = FolderStore(tmp_path / "objects"), test_networks.ELSEWHERE

    def rows(connection: Connection) -> None:
        write(connection, changes(records))
        shadows = test_networks.replays(store, SHADOWED, sweep)
        make_screening(connection, store, SHADOWED, [sweep], more=shadows, subject_key=sha("another woman"))

    places = [
        "/rejected", f"/rejected/{test_rejected.MENDED.rejection_id}", "/quality", "/statistics", "/people/dr-4",
        test_quality.page_of(test_quality.SOURCE), test_quality.page_of(test_quality.VANS), test_networks.SHADOWS,
        f"/models/shadow/{SHADOWED}/{sweep.sequence_id}/1?fingerprint={test_networks.CANDIDATE}",
    ]  # fmt: skip
    found: dict[str, list[str]] = {}
    tab.sized(*LAPTOP)
    with running(tmp_path, rows=rows) as console:
        console.person("dr-4", "reader")
        log_in(tab, console, "a11y", *(str(role) for role in Role if role is not Role.READER))
        for theme in ("light", "dark"):
            tab.run(f"document.querySelector('button[value={theme}]').click()")
            tab.until(f"document.documentElement.dataset.theme === '{theme}'")
            for place in places:
                tab.go(f"{console.url}{place}")
                tab.until(
                    f"location.pathname + location.search === '{place}' && document.querySelector('main h1') !== null"
                )
                assert tab.run("document.querySelector('main [role=alert]')") is None, place
                found[f"{place} {theme}"] = axe.violations(tab, checker) + too_wide(tab)
                if SHOTS:
                    tab.screenshot(Path(SHOTS) / f"{places.index(place)}-{theme}.png", 1440, 1100)
    assert sorted({f"{page}: {line}" for page, lines in found.items() for line in lines}) == []


def test_the_checker_names_what_breaks_a_rule(console: Running, tab: Tab, checker: str) -> None:
    tab.go(f"{console.url}/login")
    tab.until("document.activeElement?.name === 'account'")
    tab.run("document.querySelectorAll('label').forEach((each) => each.replaceWith(...each.querySelectorAll('input')))")
    tab.run("document.documentElement.removeAttribute('lang')")
    assert {line.partition(":")[0] for line in axe.violations(tab, checker)} >= {"html-has-lang", "label"}
