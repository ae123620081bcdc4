"""`make page-images`: pictures of the console for README.md, of invented women and a simulated sweep.

Each page becomes one sheet of four: English and Chinese, light and dark; some are large pictures as well.
"""

import json
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Final

from sonovan.contracts.conclusions import ScreeningConcluded
from sonovan.storage.console.invitations import Invitations
from tests.chromium import Tab, chromium, found_program
from tests.console.conftest import log_in
from tests.console.pictured import PEOPLE, centre
from tests.console.pictured_pages import AFTER, BEFORE, FRAMED, Pictured
from tests.console.pictured_women import months
from tests.console.signing_scene import Signing
from tests.console.test_signing import PAGE, WORDS, form_of
from tests.console.test_signing import look as look_at_every_frame
from tests.producers.page.screenshots import smaller
from tests.sheets import SCALE, sheet
from tests.waiting import until

WIDTH, HEIGHT = 1440, 1000
"""Of a large picture."""
NARROW, LEAST, MOST = 1280, 440, 860
"""Of one picture of a sheet, which is as high as its page, within these bounds."""
SPECKLED_SCALE: Final = 0.53
"""How large a page with an ultrasound picture is on its sheet."""
LANGUAGES: Final = {"en": "en", "zh": "zh-Hans"}
THEMES: Final = ("light", "dark")
LARGE: Final = {
    ("worklist", "en", "light"): "console-worklist",
    ("reading", "en", "dark"): "console-reading",
    ("reading", "zh", "light"): "console-reading-zh",
    ("signed", "en", "light"): "console-signed",
    ("call-back", "zh", "dark"): "console-call-back",
    ("statistics", "zh", "light"): "console-figures",
}
"""(page, language, theme) → the large picture of it."""
_KEY_FRAME: Final = "/000006"


def look(tab: Tab, url: str, language: str, theme: str) -> None:
    """Choose language and theme by their buttons."""
    tab.go(f"{url}/login")
    tab.until("document.querySelector('form.look') !== null")
    if tab.run("document.documentElement.lang") != LANGUAGES[language]:
        tab.run("document.querySelector('button[name=language]').click()")
        tab.until(f"document.documentElement.lang === '{LANGUAGES[language]}'")
    tab.run(f"document.querySelector('button[value={theme}]').click()")
    tab.until(f"document.documentElement.dataset.theme === '{theme}'")


@dataclass
class Camera:
    """Takes pictures of a console into a folder. known: what stands in brackets in addresses."""

    desk: Signing
    tab: Tab
    out: Path
    known: dict[str, str] = field(default_factory=dict)

    def take(self, pages: Iterable[Pictured]) -> None:
        """A sheet of each page, and the large pictures that are of it."""
        for account, some in groupby(pages, key=lambda each: each.by):
            if account:
                log_in(self.tab, self.desk.console, account, *PEOPLE[account][0])
            self._sheets(list(some))

    def _sheets(self, pages: Sequence[Pictured]) -> None:
        taken: dict[str, list[bytes]] = {page.name: [] for page in pages}
        for language in LANGUAGES:
            for theme in THEMES:
                look(self.tab, self.desk.console.url, language, theme)
                for page in pages:
                    if page.plain and theme != "light":
                        continue
                    taken[page.name].append(self._picture(page, language, NARROW, None))
                    if (name := LARGE.get((page.name, language, theme))) is not None:
                        path = self.out / f"{name}.png"
                        path.write_bytes(self._picture(page, language, WIDTH, HEIGHT))
                        smaller(path)
        for page in pages:
            scale = SPECKLED_SCALE if page.speckled else SCALE
            (self.out / "console" / f"{page.name}.png").write_bytes(sheet(taken[page.name], scale=scale))

    def _picture(self, page: Pictured, language: str, width: int, height: int | None) -> bytes:
        """The page at this width. height: None is its own."""
        framed = page.ready == FRAMED
        self.tab.sized(width, height or (MOST if framed else LEAST))
        place = page.place.format(**self.known, language=language)
        path = place.partition("?")[0]
        self.tab.go(self.desk.console.url + place)
        self.tab.until(f"location.pathname === '{path}' && ({'true' if page.plain else page.ready})")
        if framed:
            self._show_the_key_frame()
        if page.name == "signing":
            self._choose({name: value for name, value in WORDS.items() if not name.endswith((".mm", ".months"))})
        if height is None:
            own = int(self.tab.run("document.documentElement.scrollHeight"))
            height = MOST if framed else max(LEAST, min(MOST, own))
        with tempfile.NamedTemporaryFile(suffix=".png") as file:
            self.tab.screenshot(Path(file.name), width, height)
            return Path(file.name).read_bytes()

    def _show_the_key_frame(self) -> None:
        def moved() -> bool:
            self.tab.press("n")
            return bool(self.tab.run(f"document.body.innerText.includes('{_KEY_FRAME}')"))

        until(moved, "the viewer shows the key frame")
        self.tab.until(FRAMED)

    def _choose(self, chosen: Mapping[str, str]) -> None:
        """Choose in the form as a reader does, and show the first finding at the top of it."""
        for name, value in chosen.items():
            choice = json.dumps(f'[name="{name}"][value="{value}"]')
            self.tab.run(f"document.querySelector({choice}).click()")
        self.tab.until("[...document.querySelectorAll('[data-live]')].some((each) => each.textContent)")
        self.tab.run(
            "(() => { const form = document.querySelector('#signing'), first = form.querySelector('.finding');"
            "form.scrollTop += first.getBoundingClientRect().top - form.getBoundingClientRect().top - 8; })()"
        )


def sign(desk: Signing) -> str:
    """Have two readers sign the screening that is read; the id of the first conclusion."""
    for code in ("dr-1", "dr-2"):
        reader = desk.console.browser(code, "reader")
        look_at_every_frame(reader)
        answer = reader.post(f"{PAGE}/sign", {**form_of(reader), **WORDS})
        assert answer.status == 303, answer.text
    return next(each.conclusion_id for each in desk.published if isinstance(each, ScreeningConcluded))


def main(out: Path, *only: str) -> int:
    """Write the pictures into a folder; 1 where there is no browser. only: the pages that are wanted, all where none is
    named."""
    program = found_program()
    if program is None:
        sys.stderr.write("no Chromium here (Debian: chromium, and fonts-wqy-microhei for Chinese)\n")
        return 1
    (out / "console").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, centre(Path(folder)) as desk, chromium(program) as tab:
        camera = Camera(desk, tab, out)
        console = desk.console.console
        camera.known["secret"] = Invitations(console.database, console.clock).reset("op-10", "nobody's")
        camera.take(each for each in BEFORE if not only or each.name in only)
        camera.known |= {"conclusion": sign(desk), "called": months()[11][0].screening_id}
        camera.take(each for each in AFTER if not only or each.name in only)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), *sys.argv[2:]))
