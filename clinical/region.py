"""The record of one outlined region, whoever outlined it; rounded here, so that equal outlines have equal digests."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sonovan.clinical.measure import measure_region
from sonovan.clinical.placing import Placed, place_of
from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.frames import Descriptor, Region
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


@dataclass(frozen=True, slots=True)
class Judged:
    """What is expected of an outline, and suggested of the lesion within it; the fields are those of `Region`."""

    score_mean: float
    score_max: float
    predicted_dice: float | None
    unconfirmed: bool = False
    outline_unreliable: bool = False
    malignant: float | None = None
    descriptors: tuple[Descriptor, ...] = ()


def region_of(
    ordinal: int, found: Outlined, grey: NDArray[np.uint8], spacing_mm: tuple[float, float] | None, judged: Judged
) -> Region:
    """The record of one region. Coordinates are rounded to tenths of a pixel, shares to thousandths.

    ordinal: its number on the frame. grey: (rows, columns) uint8, the frame. spacing_mm: of its panel.
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
        score_mean=_share(judged.score_mean),
        score_max=_share(judged.score_max),
        measures=measure_region(grey, found.mask, found.box, spacing_mm, found.polygon),
        cut=bool(found.cut),
        place=None if found.place is None else place_of(found.place, spacing_mm),
        unconfirmed=bool(judged.unconfirmed),
        predicted_dice=None if judged.predicted_dice is None else _share(judged.predicted_dice),
        outline_unreliable=judged.outline_unreliable,
        malignant=None if judged.malignant is None else _share(judged.malignant),
        descriptors=judged.descriptors,
    )


def _share(value: float) -> float:
    return round(float(value), 3)
