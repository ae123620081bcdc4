"""How a lesion changes over the frames of one sweep."""

import pytest

from sonovan.clinical.dynamics import dynamics_of
from sonovan.contracts.dynamics import MAX_SAMPLES
from sonovan.contracts.frames import RegionMeasures
from sonovan.contracts.van import Panel
from tests.clinical.records import region, segmented
from tests.clinical.test_track_score import Members, member


def still(count: int, size: int = 40) -> Members:
    return [member(index, size=size) for index in range(count)]


def test_two_frames_have_no_course() -> None:
    assert dynamics_of(still(2)) is None


def test_what_stays_the_same_has_no_spread_and_full_steadiness() -> None:
    found = dynamics_of(still(4))
    assert found is not None
    assert (found.area_spread, found.circularity_spread, found.steadiness) == (0.0, 0.0, 1.0)
    assert [each.frame_index for each in found.samples] == [0, 1, 2, 3]


def test_spreads_are_those_worked_out_by_hand() -> None:
    shown = []
    for index, (area, contrast) in enumerate(((100, -0.2), (200, -0.4), (300, -0.6))):
        measures = RegionMeasures(
            long_axis_px=20,
            short_axis_px=20,
            orientation_deg=0,
            circularity=0.8,
            solidity=1,
            mean_grey=50,
            contrast=contrast,
        )
        one = region(area_px=area, measures=measures)
        shown.append((segmented(index, [one]), one))
    found = dynamics_of(shown)
    assert found is not None
    assert found.area_spread == pytest.approx(0.408, abs=1e-3)  # √(20000/3) / 200
    assert found.contrast_spread == pytest.approx(0.163, abs=1e-3)


def test_motion_is_told_against_the_tissue_in_mm_where_there_is_a_scale() -> None:
    panel = Panel(ordinal=0, left=0, top=0, width=640, height=480, column_mm=0.1, row_mm=0.1)
    along = [member(index, at=10 * index, left=300 - 10 * index) for index in range(4)]
    stuck = [member(index, at=10 * index, left=300) for index in range(4)]
    scaled = [
        [(frame.model_copy(update={"panels": (panel,)}), one) for frame, one in shown] for shown in (along, stuck)
    ]
    with_it, against = (dynamics_of(shown) for shown in scaled)
    assert with_it is not None
    assert against is not None
    assert with_it.against_tissue_mm == pytest.approx(0.0, abs=0.15)
    assert against.against_tissue_mm == pytest.approx(1.0, abs=0.15)
    nobody_knows = dynamics_of(still(4))
    assert nobody_knows is not None
    assert (nobody_knows.against_tissue_px, nobody_knows.against_tissue_mm) == (None, None)


def test_a_long_course_is_thinned() -> None:
    found = dynamics_of(still(200))
    assert found is not None
    assert MAX_SAMPLES - 2 <= len(found.samples) <= MAX_SAMPLES


def test_a_thinned_course_keeps_its_ends_its_largest_and_its_smallest() -> None:
    long = [member(index, size=80 if index == 101 else 20 if index == 98 else 40) for index in range(200)]
    found = dynamics_of(long)
    assert found is not None
    assert {0, 98, 101, 199} <= {each.frame_index for each in found.samples}
    assert [each.frame_index for each in found.samples] == sorted(each.frame_index for each in found.samples)
    assert (min(each.area_px for each in found.samples), max(each.area_px for each in found.samples)) == (400, 6400)
