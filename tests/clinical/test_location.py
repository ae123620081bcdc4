import numpy as np
import pytest

from sonovan.clinical.lesions import Lesion, finding_of
from sonovan.clinical.location import extent_of, location_of, quadrant
from sonovan.clinical.measure import measure_region
from sonovan.clinical.track import Track
from sonovan.contracts.description import Location
from sonovan.contracts.lexicon import Position, Side
from tests.clinical.records import SWEEP, SWEEP_2, region, segmented, sha, sighting


@pytest.mark.parametrize(
    ("hour", "side", "place"),
    [
        (1, "left", "upper_outer"), (4, "left", "lower_outer"), (8, "left", "lower_inner"), (11, "left", "upper_inner"),
        (1, "right", "upper_inner"), (5, "right", "lower_inner"), (7, "right", "lower_outer"),
        (10, "right", "upper_outer"), (12, "left", None), (3, "right", None), (6, "left", None), (2, None, None),
    ],
)  # fmt: skip
def test_the_quadrant_follows_from_the_hour_and_the_side(hour: int, side: Side | None, place: Position | None) -> None:
    assert quadrant(hour, side) == place


def test_a_place_is_what_the_operator_entered_and_never_guessed() -> None:
    shown = sighting(position="10h", nipple_distance_mm=30.0)
    assert location_of("breast", "right", [shown]) == Location(hour=10, region="upper_outer", nipple_distance_mm=30.0)
    assert location_of("breast", "right", [sighting()]) is None
    assert location_of("thyroid", "left", [sighting(position="upper")]) == Location(region="upper")


def test_sightings_that_contradict_each_other_give_no_place() -> None:
    here, there = sighting(position="10h", nipple_distance_mm=30.0), sighting(sequence_id=SWEEP_2, position="2h")
    found = location_of("breast", "left", [here, there])
    assert found == Location(nipple_distance_mm=30.0)
    far = sighting(sequence_id=SWEEP_2, position="10h", nipple_distance_mm=60.0)
    assert location_of("breast", "left", [here, far]) == Location(hour=10, region="upper_inner")


def test_three_diameters_and_the_volume_come_from_two_views() -> None:
    across = sighting(view="transverse", long_axis_mm=12.0, short_axis_mm=8.0, orientation_deg=80.0)
    along = sighting(sequence_id=SWEEP_2, view="longitudinal", long_axis_mm=15.0, short_axis_mm=8.0)
    found = extent_of([across, along])
    assert found is not None
    assert found.diameters_mm == (8.0, 12.0, 15.0)
    assert found.volume_ml == pytest.approx(0.75, abs=0.01)
    alone = extent_of([across])
    assert alone is not None
    assert (alone.length_mm, alone.volume_ml) == (None, None)


def test_across_and_down_are_those_of_the_body_where_pixels_are_oblong() -> None:
    mask = np.ones((30, 50), np.bool_)
    measured = measure_region(np.full((90, 90), 60, np.uint8), mask, (20, 20, 50, 30), (0.1, 0.2))
    shown = segmented(0, [region(box=(20, 20, 50, 30), measures=measured)], organ="thyroid", view="transverse")
    track = Track(SWEEP, "thyroid", "left", 0, ((shown.frame_id, 0),))
    extent = finding_of(Lesion((track,)), {shown.frame_id: shown}, sha("a"), {}).extent
    assert extent is not None
    assert (extent.transverse_mm, extent.depth_mm) == (measured.short_axis_mm, measured.long_axis_mm)


def test_without_a_view_or_a_scale_no_diameter_is_known() -> None:
    assert extent_of([sighting()]) is None
    assert extent_of([sighting(view="transverse", long_axis_mm=None, short_axis_mm=None)]) is None
    assert extent_of([sighting(view="transverse", outline_unreliable=True)]) is None
