"""A region that a reader drew, measured like one that a network outlined."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sonovan.clinical.measure import measure_region
from sonovan.clinical.placing import Placed, place_of
from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.frames import Region
from sonovan.contracts.limits import MAX_CORNERS


class Outlined(Protocol):
    """What is read of a region: `sonovan.models.regions.FoundRegion` is one."""

    @property
    def panel(self) -> int: ...
    @property
    def polygon(self) -> tuple[tuple[float, float], ...]: ...
    @property
    def box(self) -> tuple[int, int, int, int]: ...
    @property
    def centroid(self) -> tuple[float, float]: ...
    @property
    def area_px(self) -> int: ...
    @property
    def mask(self) -> NDArray[np.bool_]: ...
    @property
    def cut(self) -> bool: ...
    @property
    def place(self) -> Placed | None: ...


def drawn_region(
    ordinal: int, found: Outlined, grey: NDArray[np.uint8], spacing_mm: tuple[float, float] | None
) -> Region:
    """The record of a region that a reader drew. grey: (rows, columns) uint8, the frame. spacing_mm: of its panel.

    A reader is certain of it and its outline is the one that others are measured against: the scores and the expected
    Dice are 1. What a network says of a lesion's look is not in it.
    Raises InvalidRecord `result_too_large` for an outline with too many corners.
    """
    if len(found.polygon) > MAX_CORNERS:
        raise InvalidRecord("result_too_large", f"an outline has more than {MAX_CORNERS} corners")
    left, top, width, height = found.box
    return Region(
        ordinal=ordinal,
        panel=found.panel,
        polygon=tuple((round(float(x), 1), round(float(y), 1)) for x, y in found.polygon),
        box=(int(left), int(top), int(width), int(height)),
        centroid=(round(float(found.centroid[0]), 1), round(float(found.centroid[1]), 1)),
        area_px=int(found.area_px),
        score_mean=1.0,
        score_max=1.0,
        measures=measure_region(grey, found.mask, found.box, spacing_mm, found.polygon),
        cut=bool(found.cut),
        place=None if found.place is None else place_of(found.place, spacing_mm),
        predicted_dice=1.0,
    )
