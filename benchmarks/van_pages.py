"""Save the pages that people see in a van and at a centre as files, so that they can be hunted through."""

import os
from collections.abc import Sequence
from http.client import HTTPConnection
from pathlib import Path
from typing import Final

from sonovan.cli.van_page import DOOR_FILE
from sonovan.console_here import CONSOLE, console_address, launch_console
from tests.chromium import chromium, found_program
from tests.journeys.test_console import SETTINGS, log_in
from tests.journeys.world import World

LANGUAGES: Final = ("en", "zh")
OF_VAN: Final = ("/", "/register", "/held", "/tray", "/lights", "/live", "/operator", "/amend")
OF_HERS: Final = ("/live/{}", "/slip/{}", "/amend/{}")
OF_CONSOLE: Final = (
    "/", "/worklist", "/alerts", "/call-back", "/yesterday", "/fleet", "/lag", "/statistics", "/statistics/due",
    "/models", "/quality", "/rejected",
)  # fmt: skip
OF_READING: Final = ("/reading/{}",)


def save_pages_of_van(kept: Path, screenings: Sequence[str], folder: Path) -> None:
    """Every page of the `van serve` that works in the folder `kept`, in both languages.

    Raises RuntimeError where one is not answered with 200: nothing would be looked at.
    """
    address, _, code = (kept / DOOR_FILE).read_text(encoding="utf-8").strip().partition("#")
    host = address.split("/")[2]
    form = {"Origin": address.removesuffix("/enter"), "Content-Type": "application/x-www-form-urlencoded"}
    status, headers, _ = _asked(host, "POST", "/enter", f"code={code}", form)
    session = headers.get("Set-Cookie", "").partition(";")[0]
    if status != 303 or not session:
        raise RuntimeError(f"the page of the van did not open: {status}")
    for language in LANGUAGES:
        for number, path in enumerate((*OF_VAN, *(each.format(one) for each in OF_HERS for one in screenings))):
            status, _, body = _asked(host, "GET", path, "", {"Cookie": f"{session}; language={language}"})
            if status == 303 and path == "/":
                continue
            if status != 200:
                raise RuntimeError(f"{path} answered {status}")
            (folder / f"{language}-{number:02}.html").write_bytes(body)


def save_pages_of_console(world: World, screenings: Sequence[str], folder: Path) -> None:
    """The pages of the console of this centre that a reader, a lead and an engineer see, as a browser shows them."""
    program = found_program()
    if program is None:
        raise RuntimeError("no Chromium here (Debian: chromium)")
    state = world.centre.state
    launch_console(state, os.environ | SETTINGS, world.centre.environment(CONSOLE))
    try:
        address = world.until(lambda: console_address(world.centre.path) or "", "the console answers")
        with chromium(program) as tab:
            log_in(world, tab, address, "dr-9", "reader", "lead", "engineer")
            for number, path in enumerate(
                (*OF_CONSOLE, *(each.format(one) for each in OF_READING for one in screenings))
            ):
                tab.go(f"{address}{path}")
                tab.until(f"location.pathname === '{path}' && document.readyState === 'complete'")
                if not tab.run("document.querySelector('main') !== null"):
                    raise RuntimeError(f"the console shows nothing at {path}")
                text = tab.run("document.documentElement.outerHTML")
                (folder / f"{number:02}.html").write_text(text, encoding="utf-8")
    finally:
        world.stop(CONSOLE)


def _asked(host: str, method: str, path: str, body: str, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
    connection = HTTPConnection(host, timeout=30)
    try:
        connection.request(method, path, body or None, headers)
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()
