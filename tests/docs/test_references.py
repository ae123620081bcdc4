"""What documents refer to is there: links and their sections, the design, the words of the glossary."""

import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
TEXT = (".md", ".py", ".toml", ".yaml", ".sh", ".html", ".css")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
DESIGN = re.compile(r"\bdesign\b(?!\.md)", re.IGNORECASE)
DESIGN_SECTION = re.compile(r"design\.md#([\w-]+)")
OWN_WORDS = (
    "adequacy", "closing", "companion", "complete", "deadline", "descriptor", "embedded run", "envelope",
    "finding", "fingerprint", "head", "held", "incomplete", "intended use", "key frame", "label mask",
    "level", "member", "opening", "outbox", "panel", "preliminary", "provider", "quarantine", "receipt",
    "region", "registry", "rejection", "revision", "room", "row", "screening", "sealed envelope", "sequence",
    "set aside", "shadow", "sighting", "spool", "stage", "step", "subject key", "sweep", "takeover", "tick",
    "track", "trunk", "trust", "unconfirmed", "view", "watermark", "withheld", "worker",
)  # fmt: skip
"""Words to which this project gives a meaning of its own: a document that uses one relies on the glossary."""


@cache
def tracked() -> tuple[Path, ...]:
    """Every text file of the project that is under version control."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=TOP, capture_output=True, check=True, text=True).stdout
    paths = (TOP / name for name in listed.split("\0") if name.endswith(TEXT))
    return tuple(path for path in paths if path.is_file() and not path.is_symlink())


def named(path: Path) -> str:
    return str(path.relative_to(TOP))


def documents() -> list[Path]:
    return [path for path in tracked() if path.suffix == ".md"]


def without_code(text: str) -> str:
    """A page without its code blocks, fenced or indented."""
    fenced = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"(?<=\n\n)(?: {4}.*\n)+", "", fenced)


@cache
def sections(path: Path) -> frozenset[str]:
    """The names by which links reach the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", without_code(path.read_text()), re.MULTILINE)
    return frozenset(re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings)


def broken(page: Path) -> Iterator[str]:
    """The links of a page into this repository that lead nowhere."""
    for target in LINK.findall(without_code(page.read_text())):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, section = target.partition("#")
        there = (page.parent / name).resolve() if name else page
        if not there.exists() or (section and section not in sections(there)):
            yield target


@pytest.mark.parametrize("page", documents(), ids=named)
def test_every_link_leads_somewhere(page: Path) -> None:
    assert list(broken(page)) == []


def lines_that_speak_of_the_design() -> list[tuple[Path, int, str]]:
    own = {TOP / "docs/design.md", Path(__file__).resolve()}
    return [
        (path, number, line)
        for path in tracked()
        if path.resolve() not in own
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), start=1)
        if DESIGN.search(line)
    ]


def test_whoever_speaks_of_the_design_names_a_section_that_is_there() -> None:
    lost = [
        f"{named(path)}:{number}: {line.strip()}"
        for path, number, line in lines_that_speak_of_the_design()
        if not DESIGN_SECTION.search(line) and "design.md)" not in line
    ]
    assert lost == [], "write design.md#section, or another word where the page is not meant"
    sought = {found for _, _, line in lines_that_speak_of_the_design() for found in DESIGN_SECTION.findall(line)}
    assert sought <= sections(TOP / "docs/design.md")
    assert sought


def glossary() -> dict[str, tuple[str, str]]:
    """Word → what it means, and where it lives."""
    found = {}
    for line in (TOP / "docs/glossary.md").read_text().splitlines():
        if line.startswith("| ") and not line.startswith("| word |"):
            words, meaning, where = (cell.strip() for cell in line.strip("|").split("|"))
            found.update({word.strip(): (meaning, where) for word in words.split(",")})
    return found


def test_words_of_the_docs_stand_in_the_glossary() -> None:
    pages = " ".join(without_code(page.read_text()).lower() for page in documents() if "cards" not in page.parts)
    used = [word for word in OWN_WORDS if re.search(rf"\b{word}s?\b", pages)]
    assert [word for word in used if word not in glossary()] == []


def test_the_glossary_is_in_order_explains_every_word_and_names_files_that_exist() -> None:
    rows = glossary()
    firsts = [
        line.split("|")[1].strip().lower()
        for line in (TOP / "docs/glossary.md").read_text().splitlines()
        if line.startswith("| ") and not line.startswith("| word |")
    ]
    assert firsts == sorted(firsts)
    for word, (meaning, where) in rows.items():
        files = re.findall(r"`([^`]+)`", where)
        assert len(meaning) > 30, word
        assert files, word
        assert [file for file in files if not (TOP / file).is_file()] == [], word


def test_no_word_stands_in_the_glossary_that_nobody_uses() -> None:
    everything = " ".join(
        path.read_text(errors="replace").lower() for path in tracked() if path != TOP / "docs/glossary.md"
    )
    spaced = everything.replace("_", " ")
    assert [word for word in glossary() if not re.search(rf"\b{word}s?\b", spaced)] == []


def test_a_broken_link_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# One\n\n[a](#one) [b](#two) [c](page.md#one) [d](gone.md) [e](https://example.org)\n")
    assert list(broken(page)) == ["#two", "gone.md"]
