"""A finding that several sweeps are taken to show says so on the page, in both languages."""

import pytest

from sonovan.contracts.because import Because
from sonovan.reports.phrases import Language
from sonovan.reports.words import Words

JOINED = (
    Because(code="seen_in_two_views", value="10h"),
    Because(code="depth_apart", value=1.5, unit="mm"),
    Because(code="size_apart", value=1.2, unit="1"),
    Because(code="may_be_two_lesions"),
)


@pytest.mark.parametrize(("language", "doubt"), [("en", "a reader decides"), ("zh", "由医师判定")])
def test_why_and_the_doubt_are_said(language: Language, doubt: str) -> None:
    told = Words(language).all_because(JOINED)
    assert "1.5 mm" in told
    assert "1.2" in told
    assert told.endswith(doubt)
