"""A frame that may show new text is noticed without the network; moving tissue is not taken for it."""

import cv2
import numpy as np
import pytest

from sonovan.models.text import Seen

ROWS, COLUMNS = 240, 320


def tissue(seed: int) -> np.ndarray:
    """One frame of moving tissue in a black frame."""
    picture = np.zeros((ROWS, COLUMNS), np.uint8)
    noise = np.random.default_rng(0).rayleigh(40, (ROWS, COLUMNS)).clip(0, 255).astype(np.uint8)
    picture[40:220, 40:280] = np.roll(cv2.GaussianBlur(noise, (0, 0), 2), seed, axis=1)[40:220, 40:280]
    return picture


@pytest.fixture
def seen() -> Seen:
    ultrasound = np.zeros((ROWS, COLUMNS), bool)
    ultrasound[40:220, 40:280] = True
    looked = Seen(tissue(0), ultrasound)
    looked.add(tissue(1))
    return looked


def test_moving_tissue_is_no_change(seen: Seen) -> None:
    assert not any(seen.differs(tissue(step)) for step in range(2, 8))


@pytest.mark.parametrize("word", ["WANG", "1952"])
def test_text_that_comes_up_over_tissue_is_a_change(seen: Seen, word: str) -> None:
    frame = tissue(2)
    cv2.putText(frame, word, (100, 120), cv2.FONT_HERSHEY_SIMPLEX, 0.5, 235, 1, cv2.LINE_AA)
    assert seen.differs(frame)


def test_a_picture_that_moves_on_the_screen_is_a_change(seen: Seen) -> None:
    assert seen.differs(np.roll(tissue(2), -30, axis=0))


def test_a_clock_beside_the_ultrasound_is_none(seen: Seen) -> None:
    frame = tissue(2)
    cv2.putText(frame, "12:01", (2, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.4, 235, 1)
    assert not seen.differs(frame)


def test_what_tissue_has_shown_stays_known_at_another_look(seen: Seen) -> None:
    bright = tissue(2)
    cv2.putText(bright, "|||||", (100, 120), cv2.FONT_HERSHEY_SIMPLEX, 0.5, 235, 1)  # as strands of tissue are
    assert seen.differs(bright)
    ultrasound = np.zeros((ROWS, COLUMNS), bool)
    ultrasound[40:220, 40:280] = True
    seen.look_again(bright, ultrasound)
    seen.look_again(tissue(3), ultrasound)
    assert not seen.differs(bright)


def test_another_size_is_a_change(seen: Seen) -> None:
    assert seen.differs(np.zeros((100, 100), np.uint8))
