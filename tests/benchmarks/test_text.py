"""The planted test itself: strings are drawn where they are said to be, never on a lesion, and the counts can fail."""

import random
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.text.counting import Tally
from benchmarks.text.screens import CHINESE_FONT, CHOOSING, REPORTED, Layout, draw
from benchmarks.text.strings import KINDS, string_of
from sonovan.producers.privacy import Cleaned

pytestmark = pytest.mark.skipif(not CHINESE_FONT.is_file(), reason="no Chinese font (Debian: fonts-wqy-zenhei)")


def drawn(layout: Layout, number: int = 0):
    picture = np.random.default_rng(0).integers(20, 120, (200, 260)).astype(np.uint8)
    lesion = np.zeros(picture.shape, bool)
    lesion[80:120, 100:150] = True
    return draw(layout, picture, lesion, KINDS, random.Random(number))


def test_thresholds_are_chosen_on_other_layouts_than_are_reported() -> None:
    assert len(REPORTED) >= 8
    assert {layout.name for layout in CHOOSING}.isdisjoint(layout.name for layout in REPORTED)


@pytest.mark.parametrize("layout", [*CHOOSING, *REPORTED], ids=lambda layout: layout.name)
def test_every_layout_shows_strings_and_none_on_a_lesion(layout: Layout) -> None:
    screen = drawn(layout)
    assert len(screen.planted) >= 3
    assert screen.picture.shape == (layout.rows, layout.columns)
    for string in screen.planted:
        assert not (string.ink & screen.lesion).any()
        assert (screen.picture[string.ink] != screen.bare[string.ink]).all()


def test_the_same_number_gives_the_same_screen() -> None:
    assert np.array_equal(drawn(REPORTED[0], 7).picture, drawn(REPORTED[0], 7).picture)
    assert not np.array_equal(drawn(REPORTED[0], 7).picture, drawn(REPORTED[0], 8).picture)


@pytest.mark.parametrize("kind", KINDS)
def test_strings_are_many(kind: str) -> None:
    rng = random.Random(1)
    assert len({string_of(kind, rng) for _ in range(200)}) > 60  # type: ignore[arg-type]


def test_a_string_that_is_left_and_a_lesion_that_is_hidden_are_counted() -> None:
    screen = drawn(REPORTED[0])
    tally = Tally()
    tally.add(screen, Cleaned(screen.picture, 0))
    black = screen.picture.copy()
    black[screen.lesion] = 0
    for string in screen.planted:
        black[string.ink] = 0
    tally.add(screen, Cleaned(black, 0))
    result = tally.result([REPORTED[0].name])
    assert result["text_recall_by_layout"] == {REPORTED[0].name: 0.5}
    assert result["leaked"] == len(screen.planted)
    assert result["lesion_area_masked"] == pytest.approx(0.5, abs=0.01)
    assert not all(result["bars"].values())


def test_what_a_held_frame_shows_is_not_leaked() -> None:
    screen = drawn(REPORTED[0])
    tally = Tally()
    tally.add(screen, replace(Cleaned(screen.picture, 0), held="text_uncertain"))
    assert tally.result([REPORTED[0].name])["leaked"] == 0
