"""A region that a reader drew, measured like one that a network outlined."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from sonovan.clinical.region import Judged, Outlined, region_of
from sonovan.contracts.frames import Region

CERTAIN: Final = Judged(score_mean=1.0, score_max=1.0, predicted_dice=1.0)
"""A reader is certain of a region, and its outline is the one that others are measured against. What a network says of
a lesion's look is not in it."""


def drawn_region(
    ordinal: int, found: Outlined, grey: NDArray[np.uint8], spacing_mm: tuple[float, float] | None
) -> Region:
    """The record of a region that a reader drew; arguments and errors are those of `region_of`."""
    return region_of(ordinal, found, grey, spacing_mm, CERTAIN)
