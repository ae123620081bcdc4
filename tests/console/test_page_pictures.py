"""Every page of the console has its picture in README.md, and every picture of the documents is there and shown."""

import re
import subprocess
from pathlib import Path
from typing import Final

from sonovan.console.pages.table import DOORS
from tests.console.pictured_pages import FOLDER, NO_PICTURE, PAGES

TOP: Final = Path(__file__).resolve().parents[2]
PICTURES: Final = TOP / "docs" / "images"
_SHOWN: Final = re.compile(r"!\[([^\]]*)\]\(([^)\s]+\.png)\)")
_LARGEST: Final = 160 * 1024
_ALL_TOGETHER: Final = 3_500_000


def shown() -> dict[Path, str]:
    """Each picture that a document shows, with what stands there for whoever cannot see it."""
    listed = subprocess.run(["git", "ls-files", "*.md"], cwd=TOP, capture_output=True, check=True, text=True).stdout
    found: dict[Path, str] = {}
    for name in listed.split():
        page = TOP / name
        if page.is_file():
            found |= {(page.parent / path).resolve(): text for text, path in _SHOWN.findall(page.read_text())}
    return found


def test_every_page_has_a_picture_or_a_reason_for_having_none() -> None:
    asked_for = {each.path for each in DOORS if each.method == "GET"}
    pictured = {each.door for each in PAGES}
    assert pictured | NO_PICTURE.keys() == asked_for
    assert pictured.isdisjoint(NO_PICTURE)


def test_every_picture_that_a_document_shows_is_there_and_every_picture_is_shown() -> None:
    assert {path for path in shown() if path.is_relative_to(TOP)} == set(PICTURES.rglob("*.png"))


def test_the_readme_shows_each_page_and_says_what_is_seen() -> None:
    told = {path: text for path, text in shown().items() if path.parent == TOP / FOLDER}
    assert told == {TOP / FOLDER / f"{each.name}.png": each.shows for each in PAGES}


def test_pictures_of_pages_are_small() -> None:
    sizes = {path.name: path.stat().st_size for path in (TOP / FOLDER).glob("*.png")}
    assert {name: size for name, size in sizes.items() if size > _LARGEST} == {}
    assert sum(sizes.values()) <= _ALL_TOGETHER
