"""A reader signs by keyboard alone, in a real browser: words, points while choosing, sides, what does not fit, and the
page that says that it is signed."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from sonovan.contracts.conclusions import ScreeningConcluded
from tests.chromium import Tab
from tests.console.conftest import log_in
from tests.console.signing_scene import SHE, Signing, findings, signing

LESION, NODULE = (each.finding_id[:16] for each in findings())
SHOTS = os.environ.get("SONOVAN_SCREENSHOTS")
"""A folder in which pictures of the pages are left, for whoever looks at them."""


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Signing]:
    with signing(tmp_path_factory.mktemp("signing")) as made:
        yield made


def line(tab: Tab, field: str) -> None:
    """Focus the line of the form in which a field is chosen, as arrows do."""
    selector = json.dumps(f'input[name="{field}"]')
    tab.run(f"document.querySelector({selector}).closest('.line').focus()")


def settled(tab: Tab) -> None:
    """Until what the choices come to was answered."""
    tab.until("!document.querySelector('[data-deriving]')")


def shot(tab: Tab, name: str) -> None:
    if SHOTS:
        tab.screenshot(Path(SHOTS) / f"{name}.png", 1680, 1800)


def test_a_reader_signs_by_keyboard(desk: Signing, tab: Tab) -> None:
    log_in(tab, desk.console, "dr-1", "reader")
    tab.go(f"{desk.console.url}/reading/{SHE}")
    tab.until("document.querySelector('[data-signing]') !== null")
    assert tab.run("document.querySelectorAll('[data-signing] input:checked').length") == 0
    tab.press("q")
    tab.until("document.activeElement.closest('#signing') !== null")
    tab.press("l")
    tab.until(f"!document.querySelector('[data-finding=\"{LESION}\"] .terms').hidden")
    line(tab, f"f.{LESION}.w.margin")
    tab.press("c")
    tab.until(f"document.querySelector('input[name=\"f.{LESION}.w.margin\"]:checked')?.value === 'spiculated'")
    line(tab, f"f.{LESION}.c.BI-RADS")
    tab.press("8")
    tab.until(f"document.querySelector('input[name=\"f.{LESION}.c.BI-RADS\"]:checked')?.value === '5'")
    line(tab, f"f.{NODULE}.verdict")
    tab.press("l")
    for term, key in (
        ("composition", "c"), ("echogenicity", "c"), ("shape", "1"), ("margin", "u"), ("echogenic_foci", "1"),
    ):  # fmt: skip
        line(tab, f"f.{NODULE}.w.{term}")
        tab.press(key)
    settled(tab)
    tab.until(f"document.querySelector('[data-live=\"{NODULE}\"]').textContent.includes('TR4')")
    line(tab, f"f.{NODULE}.c.TI-RADS")
    tab.press("4")
    for side, key in (("breast.left", "8"), ("breast.right", "2")):
        line(tab, f"s.{side}.c.BI-RADS")
        tab.press(key)
        settled(tab)
        tab.until(f"!document.querySelector('[data-side=\"{side}\"] [data-take]').hidden")
        line(tab, f"s.{side}.action")
        tab.press("e")
    line(tab, "s.thyroid.left.c.TI-RADS")
    tab.press("4")
    line(tab, "s.thyroid.left.action")
    tab.press("1")
    settled(tab)
    tab.until("document.querySelector('[data-lacking]').hidden")
    shot(tab, "signing-en")
    if not tab.run("document.querySelector('[data-despite]').hidden"):
        tab.run("document.querySelector('[data-despite] input').click()")
        settled(tab)
    tab.run("document.querySelector('[data-signing] .line').focus()")
    key = "new KeyboardEvent('keydown', {key: 'Enter', ctrlKey: true, bubbles: true})"
    tab.run(f"document.activeElement.dispatchEvent({key})")
    tab.until("location.pathname.startsWith('/signed/')")
    tab.until("document.querySelector('#just-signed') !== null")
    shot(tab, "signed-en")
    (made,) = desk.published
    assert isinstance(made, ScreeningConcluded)
    assert made.by == "dr-1"
    assert {each.term: each.verdict for each in made.findings[0].words} == {"margin": "confirmed"}
    assert {(each.organ, each.laterality) for each in made.sides} == {
        ("breast", "left"), ("breast", "right"), ("thyroid", "left"),
    }  # fmt: skip
    wrong = [
        each for each in tab.errors if "Failed to load resource" not in each
    ]  # what a page that is left still asked
    assert wrong == [], wrong
    tab.run("document.querySelector('button[name=language]').click()")
    tab.until("document.documentElement.lang === 'zh-Hans'")
    tab.run("document.querySelector('button[value=dark]').click()")
    tab.until("getComputedStyle(document.documentElement).colorScheme === 'dark'")
    shot(tab, "signed-zh-dark")
    tab.go(f"{desk.console.url}/reading/{SHE}")
    tab.until("document.querySelector('[data-signing]') !== null")
    shot(tab, "signing-zh-dark")
    assert desk.console.told == []
