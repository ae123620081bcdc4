"""Attacks: which of their files start services, and that the list in the threat model is whole."""

import re
from pathlib import Path
from typing import Final

from tests.side_by_side import APART, MARKER, ROOT, parts, starts_services

ATTACKS: Final = sorted((ROOT / "tests" / "attacks").glob("test_*.py"))
STARTING: Final = re.compile(r"from tests\.journeys\.world import|import .*\b(?:Centre|ObjectStoreAlone)\b")
"""What tests import for the annotations of fixtures that are a broker, a store or workers."""


def of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_a_file_of_attacks_that_starts_services_says_so_to_whoever_shares_the_tests() -> None:
    asking = [path for path in ATTACKS if STARTING.search(path.read_text())]
    assert len(asking) > 8
    assert [path.name for path in asking if MARKER not in path.read_text()] == []
    assert all(starts_services(of(path)) for path in asking)
    assert not starts_services("tests/attacks/test_bytes.py")
    assert starts_services("tests/journeys/test_spine.py")


def test_every_test_file_is_run_by_one_process_and_by_one_alone() -> None:
    found = {of(path) for path in (ROOT / "tests").rglob("test_*.py") if not {*APART} & {*path.parts}}
    given = [file for files in parts().values() for file in files]
    assert sorted(given) == sorted(found)


def test_the_threat_model_lists_every_file_of_attacks() -> None:
    page = (ROOT / "docs" / "security.md").read_text()
    listed = set(re.findall(r"`(test_\w+\.py)`", page[page.index("## Every attack and its test") :]))
    assert listed == {path.name for path in ATTACKS}
