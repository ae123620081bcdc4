"""Frames with colour over the echoes are named, and not segmented as grey ones."""

import numpy as np
import pytest

from sonovan.models.heads.trust import coloured
from sonovan.models.picture.colour import colour_reason


def frame(share: float) -> np.ndarray:
    """Grey noise of which a share of the pixels is red."""
    grey = np.random.default_rng(0).integers(30, 120, (200, 300), np.uint8)
    picture = np.stack([grey] * 3, 2)
    picture[: round(200 * share)] = (220, 30, 20)
    return picture


@pytest.mark.parametrize(
    ("share", "reason"), [(0.0, None), (0.005, None), (0.05, "doppler_frame"), (0.4, "elastography_frame")]
)
def test_colour_over_the_echoes_is_named(share: float, reason: str | None) -> None:
    assert colour_reason(coloured(frame(share))) == reason
