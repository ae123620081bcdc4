"""A mask that a reader drew, measured where its pixels are, for the record of the review: `assess` has no pixels."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sonovan.clinical.drawn import drawn_region
from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.frames import Region
from sonovan.contracts.van import Panel
from sonovan.models.drawn import drawn_regions
from sonovan.models.errors import UnusablePicture
from sonovan.models.masks import encode_mask

UNUSABLE: Final = "mask_unusable"
"""The reason of a mask that cannot be measured."""


@dataclass(frozen=True, eq=False)
class Measured:
    """What a review's record says of a mask. mask: the PNG to store, numbered as `regions` are; None for nothing."""

    mask: bytes | None
    regions: tuple[Region, ...]


def measured(
    labels: NDArray[np.uint8],
    machine: NDArray[np.uint8] | None,
    pixels: NDArray[np.uint8] | NDArray[np.uint16],
    panels: Sequence[Panel],
) -> Measured:
    """Measure what a reader drew on a frame, in the same way as what a network outlines.

    labels: (rows, columns) uint8, 0 where there is no lesion; each number is one lesion. machine: the label mask of the
    result that counts, None where it outlined nothing: a region has its number where both are of one lesion.
    pixels: (rows, columns) or (rows, columns, 3), uint8 or uint16, the stored frame. panels: of its result.
    Raises InvalidRecord for a mask of another size than the frame, or one that holds too much.
    """
    boxes = [(panel.left, panel.top, panel.width, panel.height) for panel in panels]
    try:
        drawn = drawn_regions(labels, machine, pixels, boxes)
    except UnusablePicture as error:
        raise InvalidRecord(UNUSABLE, str(error)) from error
    regions = tuple(
        drawn_region(ordinal, found, drawn.grey, panels[found.panel].spacing_mm if panels else None)
        for ordinal, found in drawn.regions.items()
    )
    return Measured(encode_mask(drawn.labels) if regions else None, regions)
