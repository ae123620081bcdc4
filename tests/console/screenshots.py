"""`make page-images`: pictures of the console for README.md, of invented women and a simulated sweep."""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sonovan.models.phantom.sweep import SimulatedSweep, simulate_sweep
from tests.chromium import Tab, chromium, found_program
from tests.console import worklist_scene
from tests.console.conftest import log_in
from tests.console.signing_scene import LEFT, SHE, Signing, signing
from tests.console.test_following import raised, sign_recall
from tests.contracts.conclusions import FIRST, contact
from tests.producers.page.screenshots import smaller
from tests.waiting import until

WIDTH, HEIGHT = 1440, 1000
SEED = 7


def outline(sweep: SimulatedSweep, index: int) -> NDArray[np.bool_]:
    """The true lesions of a frame as a mask."""
    mask = np.zeros(sweep.frames[index].shape, np.bool_)
    for lesion in sweep.truth[index]:
        mask |= lesion.mask
    return mask


@contextmanager
def morning(folder: Path) -> Iterator[Signing]:
    """A console with a worklist, a sweep that is to be read, and an alert."""
    sweep = simulate_sweep("breast", frames=LEFT.count, size=(480, 640), lesions=1, seed=SEED)
    left = replace(
        LEFT,
        rows=480,
        columns=640,
        picture=lambda index, _rows, _columns: np.asarray(sweep.frames[index]),
        mask=lambda index, _rows, _columns: outline(sweep, index),
    )
    with signing(folder, left=left, also=worklist_scene.rows) as desk:
        desk.write(raised())
        yield desk


def look(tab: Tab, language: str, theme: str) -> None:
    """Choose language and theme by their buttons."""
    if tab.run("document.documentElement.lang") != language:
        tab.run("document.querySelector('button[name=language]').click()")
        tab.until(f"document.documentElement.lang === '{language}'")
    tab.run(f"document.querySelector('button[value={theme}]').click()")
    tab.until(f"document.documentElement.dataset.theme === '{theme}'")


def main(out: Path) -> int:
    """Write the pictures into a folder; 1 where there is no browser."""
    program = found_program()
    if program is None:
        sys.stderr.write("no Chromium here (Debian: chromium, and fonts-wqy-microhei for Chinese)\n")
        return 1
    with tempfile.TemporaryDirectory() as folder, morning(Path(folder)) as desk, chromium(program) as tab:
        url = desk.console.url
        log_in(tab, desk.console, "dr-1", "reader", "lead")

        def shot(name: str, place: str, language: str, theme: str, there: str, press: str = "") -> None:
            tab.go(f"{url}/")
            look(tab, language, theme)
            tab.go(f"{url}{place}")
            tab.until(f"location.pathname === '{place.partition('?')[0]}' && ({there})")
            if press:

                def moved(key: str = press) -> bool:
                    tab.press(key)
                    return bool(tab.run("document.body.innerText.includes('/000006')"))

                until(moved, "the viewer is there and shows the key frame")
                tab.until("!document.body.innerText.includes('JPEG')")
            tab.screenshot(out / f"{name}.png", WIDTH, HEIGHT)
            smaller(out / f"{name}.png")

        shot(
            "console-worklist", "/worklist?queue=waiting", "en", "light", "document.querySelector('#rows tr') !== null"
        )
        for name, language, theme in (("console-reading", "en", "dark"), ("console-reading-zh", "zh-Hans", "light")):
            shot(name, f"/reading/{SHE}", language, theme, "document.querySelector('canvas') !== null", "n")
        sign_recall(desk)
        desk.write(contact(FIRST, "not_reached", date(2026, 3, 5), screening_id=SHE))
        shot("console-signed", f"/signed/{SHE}", "en", "light", "document.querySelector('main table') !== null")
        shot("console-call-back", "/call-back", "zh-Hans", "dark", "document.querySelector('h1') !== null")
        shot("console-figures", "/statistics", "zh-Hans", "light", "document.querySelector('main table') !== null")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
