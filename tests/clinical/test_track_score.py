"""How sure a sweep as a whole is of a lesion."""

from typing import Any

import numpy as np
import pytest

from sonovan.clinical.registration import tissue_profile
from sonovan.clinical.track_score import TrackFeatures, largest_pieces, track_features, track_score
from sonovan.contracts.frames import FrameSegmented, Region
from tests.clinical.records import region, segmented

Members = list[tuple[FrameSegmented, Region]]


def member(index: int, at: int | None = None, **fields: Any) -> tuple[FrameSegmented, Region]:
    """A frame with one region, over tissue of which column `at` lies at the frame's left edge."""
    one = region(**{"predicted_dice": 0.8, **fields})
    if at is None:
        return segmented(index, [one]), one
    rng = np.random.default_rng(3)
    wide = np.repeat(np.repeat(rng.integers(0, 255, (60, 100)), 8, axis=0), 8, axis=1).astype(np.uint8)
    profile = tissue_profile(wide[:, at : at + 640], 0, (0, 0, 640, 480))
    assert profile is not None
    return segmented(index, [one], tissue=(profile,)), one


def score(members: Members) -> float:
    return track_score(track_features(largest_pieces(members)))


@pytest.mark.parametrize(
    ("features", "by_hand"),
    [
        # 1 / (1 + exp(8.61 − 2.66·1 − 1.54·.8 − 5.72·.9 + 1.14·0 − 4.12·.9)) and so on
        (TrackFeatures(1.0, 0.8, 0.9, 0.0, 0.9), 0.9843),
        (TrackFeatures(0.125, 0.0, 0.5, 0.9, 0.5), 0.0123),
        (TrackFeatures(1.0, -1.0, 0.9, 0.0, 0.9), 0.7967),
    ],
)
def test_the_score_is_that_worked_out_by_hand(features: TrackFeatures, by_hand: float) -> None:
    assert track_score(features) == pytest.approx(by_hand, abs=1e-3)


def test_a_lesion_that_stays_scores_above_one_that_flashes_up() -> None:
    assert score([member(index) for index in range(8)]) > score([member(0)])


def test_of_outlines_that_are_alike_a_larger_one_scores_above_a_speck_and_beyond_bounds_size_says_nothing() -> None:
    sizes = {16: 0.0, 900: 0.3612, 40_000: 0.9936, 90_000: 1.0}  # (ln(pixels / (640 · 480)) + 8) / 6, from 0 to 1
    members = [member(0, size=round(pixels**0.5)) for pixels in sizes]
    assert [track_features([each]).size for each in members] == pytest.approx(list(sizes.values()), abs=1e-4)
    assert score(members[1:2]) < score(members[2:3])


def test_an_outline_that_keeps_its_place_scores_above_one_that_jumps() -> None:
    steady = [member(index) for index in range(6)]
    jumping = [member(index, left=100 + 25 * (index % 2)) for index in range(6)]
    assert score(steady) > score(jumping)


def test_what_moves_with_the_tissue_scores_above_what_stays_with_the_probe() -> None:
    along = [member(index, at=10 * index, left=300 - 10 * index) for index in range(6)]
    stuck = [member(index, at=10 * index, left=300) for index in range(6)]
    nobody_knows = [member(index, left=300) for index in range(6)]
    told = [track_features(largest_pieces(each)).with_tissue for each in (along, stuck, nobody_knows)]
    assert told[0] > 0.3
    assert told[1] < -0.3
    assert told[2] == 0.0


def test_where_the_tissue_stands_still_motion_says_nothing() -> None:
    still = [member(index, at=0) for index in range(6)]
    assert track_features(still).with_tissue == pytest.approx(0, abs=2e-3)  # a registered shift of 0.01 pixels


def test_an_outline_in_pieces_is_one_frame_shown_by_its_largest_piece() -> None:
    large, small = region(0, size=40, score_mean=0.6), region(1, left=150, size=10, score_mean=0.9)
    frame = segmented(3, [large, small])
    assert largest_pieces([(frame, small), (frame, large)]) == [(frame, large)]
    shown = [(frame, small), (frame, large)]
    assert track_features(largest_pieces(shown)).kept == 1 / 8


def test_what_is_there_and_gone_over_the_same_tissue_scores_below_what_grows_and_shrinks() -> None:
    before, after = member(0, at=0)[0], member(6, at=0)[0]
    fading = [member(index, at=0, size=size) for index, size in enumerate((12, 30, 40, 30, 12), start=1)]
    flashing = [member(index, at=0, size=40) for index in range(1, 6)]
    told = [track_features(largest_pieces(each), before, after).abrupt for each in (fading, flashing)]
    assert told == [pytest.approx(0.09), pytest.approx(1.0)]
    assert track_features(largest_pieces(flashing)).abrupt == 0.0  # the sweep shows nothing beyond


def test_where_other_tissue_follows_a_sudden_end_says_nothing() -> None:
    flashing = [member(index, at=0) for index in range(3)]
    assert track_features(largest_pieces(flashing), None, member(3, at=160)[0]).abrupt < 0.3
