"""From probabilities to boxes, and which of them are text."""

import cv2
import numpy as np
import pytest

from sonovan.models.text.judging import SURE, is_cross, judge
from sonovan.models.text.lines import ENDS, FAINTEST, Line, drawn, lines_of


def chances(box: tuple[int, int, int, int], value: float, shape: tuple[int, int] = (96, 192)) -> np.ndarray:
    """A map with one core. box: left, top, width, height."""
    given = np.zeros(shape, np.float32)
    left, top, width, height = box
    given[top : top + height, left : left + width] = value
    return given


def test_a_core_grows_to_its_letters_and_beyond_its_ends() -> None:
    (line,) = lines_of(chances((60, 40, 60, 8), 0.9), (96, 192))
    mask = drawn([line], (96, 192))
    assert mask[38:50, 58:122].all()
    beyond = int(ENDS * line.height) - 2
    assert mask[44, 60 - beyond]
    assert mask[44, 119 + beyond]
    assert not mask[30].any()


def test_boxes_are_in_pixels_of_the_picture_whatever_the_network_was_shown() -> None:
    (line,) = lines_of(chances((60, 40, 60, 8), 0.9), (48, 96))
    assert drawn([line], (48, 96))[22, 32:58].all()


def test_a_line_that_runs_down_goes_on_up_and_down() -> None:
    (line,) = lines_of(chances((90, 20, 8, 50), 0.9), (96, 192))
    rows = np.nonzero(drawn([line], (96, 192))[:, 94])[0]
    assert rows.min() < 14
    assert rows.max() > 76


def test_what_is_hardly_probable_is_no_line() -> None:
    assert lines_of(chances((60, 40, 60, 8), FAINTEST - 0.05), (96, 192)) == []


def test_a_line_of_middling_probability_is_doubtful_unless_it_is_hidden_anyway() -> None:
    grey = np.zeros((96, 192), np.uint8)
    doubtful = lines_of(chances((60, 40, 60, 8), SURE - 0.05), (96, 192))
    assert judge(doubtful, grey) == ([], doubtful)
    sure = lines_of(chances((50, 38, 80, 12), 0.95), (96, 192))
    assert judge([*sure, *doubtful], grey) == (sure, [])


@pytest.mark.parametrize("turned", [0, 45])
def test_a_measuring_cross_is_no_text(turned: int) -> None:
    grey = np.full((96, 192), 60, np.uint8)
    arms = [((43, 50), (57, 50)), ((50, 43), (50, 57))] if turned == 0 else [((44, 44), (56, 56)), ((44, 56), (56, 44))]
    for start, end in arms:
        cv2.line(grey, start, end, 255, 1)
    box = Line(((41.0, 41.0), (59.0, 41.0), (59.0, 59.0), (41.0, 59.0)), 18, 18, 0.9)
    assert is_cross(box, grey)
    assert judge([box], grey) == ([], [])


def sign(x: float, score: float = 0.95) -> Line:
    return Line(((x, 40.0), (x + 12, 40.0), (x + 12, 52.0), (x, 52.0)), 12, 12, score)


def test_a_sign_that_stands_alone_is_left_and_signs_in_a_row_are_text() -> None:
    grey = np.full((96, 192), 60, np.uint8)
    assert judge([sign(20)], grey) == ([], [])
    assert judge([sign(20, SURE - 0.05)], grey) == ([], [])
    assert judge([sign(20), sign(150)], grey) == ([], [])
    row = [sign(20), sign(50, SURE - 0.05), sign(80)]
    assert judge(row, grey) == (row, [])


def test_a_letter_and_a_word_are_no_cross() -> None:
    grey = np.full((96, 192), 60, np.uint8)
    cv2.putText(grey, "B", (43, 57), cv2.FONT_HERSHEY_SIMPLEX, 0.6, 255, 1)
    assert not is_cross(Line(((41.0, 41.0), (59.0, 41.0), (59.0, 59.0), (41.0, 59.0)), 18, 18, 0.9), grey)
    cv2.putText(grey, "LI", (83, 57), cv2.FONT_HERSHEY_SIMPLEX, 0.6, 255, 1)
    assert not is_cross(Line(((80.0, 41.0), (120.0, 41.0), (120.0, 59.0), (80.0, 59.0)), 40, 18, 0.9), grey)
