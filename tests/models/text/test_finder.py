"""The network of the installed package finds drawn text, and nothing in tissue alone."""

import cv2
import numpy as np
import pytest

from sonovan.models.errors import WrongWeights
from sonovan.models.text import TextFinder, drawn, open_finder


def speckle(rows: int = 240, columns: int = 320) -> np.ndarray:
    """A picture as uneven as tissue."""
    noise = np.random.default_rng(1).rayleigh(40, (rows, columns)).clip(0, 255).astype(np.uint8)
    return cv2.GaussianBlur(noise, (0, 0), 1.2)


def with_name(picture: np.ndarray, level: int | tuple[int, int, int] = 235) -> tuple[np.ndarray, np.ndarray]:
    """The picture with a name drawn over it, and the pixels that changed."""
    shown = picture.copy()
    cv2.putText(shown, "WANG XIUYING", (60, 120), cv2.FONT_HERSHEY_SIMPLEX, 0.6, level, 1, cv2.LINE_AA)
    changed = shown != picture
    return shown, changed if changed.ndim == 2 else changed.any(axis=2)


def test_a_name_over_tissue_is_found_whole() -> None:
    shown, ink = with_name(speckle())
    found = open_finder().find(shown)
    assert drawn(found.lines, shown.shape)[ink].all()
    assert found.doubtful == ()


def test_a_coloured_name_is_found() -> None:
    shown, ink = with_name(np.repeat(speckle()[..., None], 3, axis=2), (250, 230, 40))
    assert drawn(open_finder().find(shown).lines, shown.shape)[ink].all()


def test_a_name_in_a_picture_of_sixteen_bits_is_found() -> None:
    shown, ink = with_name(speckle())
    assert drawn(open_finder().find(shown.astype(np.uint16) * 16).lines, shown.shape)[ink].all()


def test_tissue_alone_is_no_text() -> None:
    found = open_finder().find(speckle())
    assert (found.lines, found.doubtful) == ((), ())


def test_a_picture_of_few_pixels_is_looked_at() -> None:
    assert open_finder().find(np.zeros((16, 16), np.uint8)).lines == ()


def test_the_same_picture_gives_the_same_lines() -> None:
    shown, _ = with_name(speckle())
    assert open_finder().find(shown) == open_finder().find(shown)


def test_another_file_than_the_measured_one_is_refused() -> None:
    with pytest.raises(WrongWeights, match="another file"):
        TextFinder(b"another network")
