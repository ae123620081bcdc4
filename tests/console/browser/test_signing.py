"""A reader signs by keyboard alone, in a real browser: words, points while choosing, sides, what does not fit, the page
that says that it is signed; and a whole day, from the login to twenty women who were signed one after another."""

import json
import os
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import Connection

from sonovan.contracts.conclusions import ScreeningConcluded
from sonovan.storage.folder_store import FolderStore
from tests.chromium import Tab
from tests.console.conftest import log_in
from tests.console.signing_scene import SHE, Signing, findings, signing, waiting
from tests.waiting import until

LESION, NODULE = (each.finding_id[:16] for each in findings())
SHOTS = os.environ.get("SONOVAN_SCREENSHOTS")
"""A folder in which pictures of the pages are left, for whoever looks at them."""


WOMEN: Final = 20
SHOWN: Final = "document.querySelector('[data-reading]').cine.active"
"""The viewer's pane: at which frame it is, and which one is drawn, coded for the link or without loss."""
PANE: Final = "document.querySelector('[data-pane=one]')"
LINE: Final = "(document.activeElement?.closest('.line, summary, .short input') ?? null)"
MOST_LINES: Final = 80
LOOKED_AT: Final = (
    f"(() => {{ const line = window.before = {LINE};"
    "const legend = (each) => each?.querySelector('legend').textContent ?? '';"
    "const side = legend(line.closest('[data-side]')), all = [...document.querySelectorAll('[data-finding]')];"
    "const lesion = all.some((each) => legend(each).includes(side));"
    "return [line.dataset.line, line.dataset.suggested ?? null, line.getAttribute('aria-label'), lesion]; })()"
)
"""Of the line on which the cursor stands: what is chosen in it, the machine's word, its name, and whether there is a
finding on its side."""


SENDS_LATER: Final = (
    "void Object.assign(document.querySelector('[data-reading]').cine.looked,"
    " {send: () => new Promise((sent) => { window.sent = sent; })})"
)
"""What was shown is with the centre once `window.sent` is called, and not before."""


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Signing]:
    with signing(tmp_path_factory.mktemp("signing")) as made:
        yield made


def line(tab: Tab, field: str) -> None:
    """Focus the line of the form in which a field is chosen, as arrows do."""
    selector = json.dumps(f'input[name="{field}"]')
    tab.run(f"document.querySelector({selector}).closest('.line').focus()")


def keep_down(tab: Tab, key: str, *, ctrl: bool = False) -> None:
    """Press a key for so long that the keyboard repeats it three times."""
    tab.until("true")
    for again in (False, True, True, True):
        tab.hold(key, ctrl=ctrl, again=again)
    tab.release(key)


def chosen(tab: Tab) -> int:
    return int(tab.run("document.querySelectorAll('[data-signing] input:checked').length"))


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
        before = chosen(tab)
        keep_down(tab, key)
        assert chosen(tab) == before + 1, "a key that is kept down chooses in one line"
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
    line(tab, "s.breast.right.c.BI-RADS")
    tab.run(SENDS_LATER)
    keep_down(tab, "Enter", ctrl=True)
    for key in ("5", "f"):
        tab.press(key)
    assert tab.run("document.querySelector('input[name=\"s.breast.right.c.BI-RADS\"]:checked').value") == "1"
    assert tab.run("document.querySelector('[data-own] [data-own-finding]') === null")
    tab.run("window.sent()")
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
    right = next(each for each in made.sides if (each.organ, each.laterality) == ("breast", "right"))
    assert [each.value for each in right.categories] == ["1"], "what is chosen while it is on its way is not signed"
    assert [act["what"] for act in desk.console.acts()].count("screening.signed") == 1, "it is sent once"
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


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Signing]:
    """A console with as many women waiting as the day has."""
    folder = tmp_path_factory.mktemp("day")

    def rows(connection: Connection) -> None:
        for number in range(1, WOMEN):
            waiting(connection, FolderStore(folder / "objects"), number, "decision_support")

    with signing(folder, also=rows) as made:
        yield made


def open_next(tab: Tab) -> None:
    """Open the first woman of those who wait."""
    tab.press("g")
    tab.press("w")
    tab.until("location.pathname === '/worklist' && document.querySelector('#live')?.textContent === 'live'")
    tab.press("7")
    tab.until("location.search.includes('waiting') && document.activeElement?.closest('#rows tr') !== null")
    tab.press("Enter")
    tab.until("document.querySelector('[data-signing]') !== null")


def look(tab: Tab) -> None:
    """Look at the last frame of each sweep, without loss."""
    tab.until(f"{PANE}?.dataset.kind === 'whole'")
    sweeps = int(tab.run("document.querySelectorAll('[data-sweeps] tr[data-sweep]').length"))
    for number in range(sweeps):
        if number:
            before = tab.run(f"{PANE}.dataset.frame")
            tab.press("]")
            tab.until(f"{PANE}.dataset.frame !== '{before}' && {PANE}.dataset.kind === 'whole'")
        tab.press("End")
        tab.until(f"{SHOWN}.drawn.place === {SHOWN}.place && {SHOWN}.drawn.kind === 'whole'")


def choose(tab: Tab) -> None:
    """Go down the form line by line, from the first to the last, and choose by keys what a reader would."""
    tab.press("q")
    tab.until(f"{LINE} !== null")
    for _ in range(MOST_LINES):
        kind, suggested, label, lesion = tab.run(LOOKED_AT)
        keys = {"verdict": "l", "word": "c" if suggested else "u", "despite": "1", "action": "e"}
        if kind == "category":
            keys[kind] = {"Category BI-RADS": "8" if lesion else "2", "Category TI-RADS": "4"}.get(label, "")
        if kind in ("action", "despite"):
            tab.until("!document.querySelector('[data-deriving]')")
        for key in ("ArrowRight", "ArrowRight", "Enter") if kind == "position" else filter(None, [keys.get(kind)]):
            tab.press(key)
        if tab.run(f"{LINE} === window.before"):
            tab.press("ArrowDown")
        tab.until("!document.querySelector('[data-deriving]')")
        if tab.run(f"{LINE} === window.before"):
            return
    raise AssertionError("the form has no end")


def find(tab: Tab) -> None:
    """Measure something on the frame that is shown, and tell of it as a finding of one's own."""
    for key in ("m", "ArrowRight", "Enter", *["ArrowRight"] * 20, "Enter", "f"):
        tab.press(key)
    tab.until("document.activeElement?.closest('[data-own-finding]') !== null")


def test_a_reader_signs_twenty_women_by_keyboard_alone_and_none_unopened(day: Signing, tab: Tab) -> None:
    tab.sized(1600, 1000)
    log_in(tab, day.console, "dr-1", "reader")
    claims = day.console.console.claims
    open_next(tab)
    tab.until("document.querySelector('#claim [data-does=give-back]')?.hidden === false")
    assert [each.account for each in claims.all().values()] == ["dr-1"]
    tab.press("g")
    tab.press("w")
    tab.until("location.pathname === '/worklist'")
    until(lambda: claims.all() == {}, "who leaves the page gives the screening back, before the lease ends")
    for number in range(1, WOMEN + 1):
        open_next(tab)
        assert tab.run("document.querySelectorAll('[data-signing] input:checked').length") == 0
        look(tab)
        if number == WOMEN:
            find(tab)
        choose(tab)
        tab.press("Enter", ctrl=True)
        tab.until("document.querySelector('#just-signed') !== null")
        assert len(day.published) == number
    made = [each for each in day.published if isinstance(each, ScreeningConcluded)]
    assert len({each.conclusion_id for each in made}) == len({each.screening_id for each in made}) == WOMEN
    assert {each.by for each in made} == {"dr-1"}
    assert SHE in {each.screening_id for each in made}
    for each in made:
        assert each.looked_at
        assert all(sweep.frames_seen for sweep in each.looked_at), "what is signed was on the screen"
        assert each.despite == (), each.despite
        acts = [act["what"] for act in day.console.acts() if act["about"].get("screening_id") == each.screening_id]
        assert acts.index("reading.opened") < acts.index("pictures.seen") < acts.index("screening.signed")
    *others, last = made
    assert len([each for each in others if each.findings]) == 1 + sum(number % 3 > 0 for number in range(1, WOMEN))
    (own,) = last.findings
    assert (own.finding_id, own.verdict, own.position, own.largest_mm) == (None, "lesion", "2h", 2.0)
    assert own.frame_id is not None
    assert own.frame_id.endswith("/000002"), "the frame on which it was found"
    assert {each.verdict for each in own.words} == {"undetermined"}
    assert [(each.scheme, each.value) for each in own.categories] == [("BI-RADS", "5")]
    page = day.console.browser("dr-1").get(f"/signed/{last.screening_id}/{last.conclusion_id}/page/en").text
    assert "2 o'clock" in unescape(page)
    assert day.console.told == []
