"""The README's picture can be drawn again."""

from pathlib import Path

import cv2
import numpy as np

from sonovan.illustrate import draw_key_frame


def test_the_picture_of_the_readme_shows_an_outline_and_is_the_same_twice(tmp_path: Path) -> None:
    one, other = tmp_path / "one.png", tmp_path / "other.png"
    key = draw_key_frame(one, frames=8)
    assert key == draw_key_frame(other, frames=8)
    assert one.read_bytes() == other.read_bytes()
    picture = cv2.imread(str(one))
    assert picture is not None
    assert np.count_nonzero(np.abs(picture.astype(int) - (0, 220, 255)).max(axis=2) < 40) > 100
