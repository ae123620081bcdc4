"""Every page of the navigation by axe-core, in both languages and both themes: WCAG 2.2 AA."""

import os
from pathlib import Path
from urllib.parse import quote

import pytest
from sqlalchemy import Connection

from sonovan.console.roles import Role
from sonovan.storage.catalogue.writing import write
from sonovan.storage.folder_store import FolderStore
from tests.chromium import Tab
from tests.console import axe
from tests.console.cine_scene import make_screening
from tests.console.conftest import log_in
from tests.console.signing_scene import SHE, signing
from tests.console.test_networks import CANDIDATE, SWEEP, replays
from tests.console.test_networks import SHE as OWN
from tests.console.test_quality import SOURCE, agreement, window
from tests.console.world import Running, running
from tests.stream_apps.catalog.scene import REJECTION, changes, said


@pytest.fixture(scope="module")
def checker(tmp_path_factory: pytest.TempPathFactory) -> str:
    return axe.fetched(tmp_path_factory.mktemp("axe"))


def test_no_page_breaks_a_rule_in_any_language_or_theme(console: Running, tab: Tab, checker: str) -> None:
    doors = {each.path for each in console.console.doors if each.shown is not None}
    found: dict[str, list[str]] = {}
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
                found[f"{path} {language} {theme}"] = axe.violations(tab, checker)
    assert sorted({f"{page}: {line}" for page, lines in found.items() for line in lines}) == []
    assert len(found) == 1 + 4 * len(doors | {"/account"})


def test_reading_signing_and_what_is_signed_break_no_rule(tmp_path: Path, tab: Tab, checker: str) -> None:
    found: dict[str, list[str]] = {}
    with signing(tmp_path) as desk:
        log_in(tab, desk.console, "dr-1", "reader")
        for theme in ("light", "dark"):
            tab.run(f"document.querySelector('button[value={theme}]').click()")
            tab.until(f"document.documentElement.dataset.theme === '{theme}'")
            tab.go(f"{desk.console.url}/reading/{SHE}")
            tab.until("document.querySelector('[data-signing]') !== null")
            found[f"reading {theme}"] = axe.violations(tab, checker)
            tab.press("q")
            tab.until("document.activeElement.closest('#signing') !== null")
            tab.press("l")  # the first finding is a lesion: its words are shown
            tab.until("[...document.querySelectorAll('.terms')].some((each) => !each.hidden)")
            found[f"signing {theme}"] = axe.violations(tab, checker)
            tab.go(f"{desk.console.url}/signed/{SHE}")
            tab.until("location.pathname.startsWith('/signed/')")
            found[f"signed {theme}"] = axe.violations(tab, checker)
    assert sorted({f"{page}: {line}" for page, lines in found.items() for line in lines}) == []


def test_the_checker_names_what_breaks_a_rule(console: Running, tab: Tab, checker: str) -> None:
    tab.go(f"{console.url}/login")
    tab.until("document.activeElement?.name === 'account'")
    tab.run("document.querySelectorAll('label').forEach((each) => each.replaceWith(...each.querySelectorAll('input')))")
    tab.run("document.documentElement.removeAttribute('lang')")
    assert {line.partition(":")[0] for line in axe.violations(tab, checker)} >= {"html-has-lang", "label"}


def test_what_leads_engineers_and_administrators_open_breaks_no_rule(tmp_path: Path, tab: Tab, checker: str) -> None:
    """Pages behind the navigation's: an account, a rejected record, a network's windows and cases, a shadow's frame."""
    store, found = FolderStore(tmp_path / "objects"), dict[str, list[str]]()

    def rows(connection: Connection) -> None:
        make_screening(connection, store, OWN, [SWEEP], more=replays(store, OWN, SWEEP))
        records = [*said(), agreement(), *(window(number, drifted=number == 3) for number in (1, 2, 3))]
        write(connection, changes(records))

    with running(tmp_path, rows=rows) as console:
        console.person("dr-9", "reader")
        log_in(tab, console, "ld-1", "lead", "engineer", "administrator")
        places = {
            "/people": "", "/people/dr-9": "", "/rejected": "?reason=pixels_corrupt", f"/rejected/{REJECTION}": "",
            "/quality": "", "/quality/of": f"?stratum={quote(SOURCE.name, safe='')}&window=2", "/models": "",
            "/models/shadow": f"?fingerprint={CANDIDATE}", "/fleet": "",
            f"/models/shadow/{OWN}/{SWEEP.sequence_id}/000002": f"?fingerprint={CANDIDATE}",
        }  # fmt: skip
        for theme in ("light", "dark"):
            tab.run(f"document.querySelector('button[value={theme}]').click()")
            tab.until(f"document.documentElement.dataset.theme === '{theme}'")
            for path, query in places.items():
                tab.go(f"{console.url}{path}{query}")
                tab.until(f"location.pathname === '{path}' && document.readyState === 'complete'")
                assert tab.run("document.querySelector('.error') === null"), path
                found[f"{path} {theme}"] = axe.violations(tab, checker)
                if (folder := os.environ.get("SONOVAN_SHOTS")) is not None:
                    tab.screenshot(Path(folder) / f"{path.strip('/').replace('/', '-')[:40]}-{theme}.png", 1440, 1000)
    assert sorted({f"{page}: {line}" for page, lines in found.items() for line in lines}) == []
