"""An outline has one record, whoever drew it."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from numpy.typing import NDArray

from sonovan.clinical.drawn import drawn_region
from sonovan.clinical.placing import Placed
from sonovan.clinical.region import Judged, region_of
from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.limits import MAX_CORNERS

GREY = np.full((60, 80), 90, np.uint8)


@dataclass(frozen=True)
class Square:
    """A square of ten pixels whose corners come unrounded."""

    polygon: tuple[tuple[float, float], ...] = ((10.04, 20.0), (19.04, 20.0), (19.04, 29.06), (10.04, 29.06))
    box: tuple[int, int, int, int] = (10, 20, 10, 10)
    centroid: tuple[float, float] = (14.549, 24.551)
    area_px: int = 100
    panel: int = 0
    cut: bool = False
    place: Placed | None = None

    @property
    def mask(self) -> NDArray[np.bool_]:
        return np.ones((10, 10), np.bool_)


def test_an_outline_has_the_same_record_whoever_drew_it_but_for_what_is_expected_of_it() -> None:
    machine = region_of(3, Square(), GREY, (0.1, 0.2), Judged(0.91234, 0.98765, 0.8004, malignant=0.12345))
    reader = drawn_region(3, Square(), GREY, (0.1, 0.2))
    assert machine.polygon == ((10.0, 20.0), (19.0, 20.0), (19.0, 29.1), (10.0, 29.1))
    assert machine.centroid == (14.5, 24.6)
    assert (machine.score_mean, machine.score_max, machine.predicted_dice, machine.malignant) == (
        0.912, 0.988, 0.8, 0.123,
    )  # fmt: skip
    expected = {"score_mean": 1.0, "score_max": 1.0, "predicted_dice": 1.0, "malignant": None}
    assert reader == machine.model_copy(update=expected)


def test_an_outline_with_too_many_corners_is_refused() -> None:
    corners = tuple((float(number % 70), float(number % 50)) for number in range(MAX_CORNERS + 1))
    with pytest.raises(InvalidRecord, match="more than"):
        drawn_region(0, replace(Square(), polygon=corners), GREY, None)
