"""Every phrase is there in both languages, with the same figures, and every one that a page asks for is there."""

import re
from pathlib import Path
from string import Formatter

import pytest

from sonovan.console.phrases import AREAS, PHRASES

ROOM = Path(__file__).parents[2] / "console"
SAME = {"title", "signed_in", "language_other", "between"}
"""Phrases that need no letter of their language."""


def figures(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_both_languages_have_the_same_phrases_with_the_same_figures() -> None:
    english, chinese = PHRASES["en"], PHRASES["zh"]
    assert english.keys() == chinese.keys()
    assert {name for name in english if figures(english[name]) != figures(chinese[name])} == set()


def test_chinese_phrases_are_chinese_and_english_ones_are_not() -> None:
    han = re.compile(r"[\u4e00-\u9fff]")
    assert {name for name, text in PHRASES["zh"].items() if not han.search(text)} - SAME == set()
    assert {name for name, text in PHRASES["en"].items() if han.search(text)} - SAME == set()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_phrase_that_a_template_names_is_there(language: str) -> None:
    asked = {
        name
        for path in (ROOM / "templates").glob("*.html")
        for name in re.findall(r'say\("(\w+)"(?! ~)', path.read_text())
    }
    assert asked - PHRASES[language].keys() == set()  # type: ignore[index]
    assert len(AREAS) >= 1
