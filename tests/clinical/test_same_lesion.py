"""Which tracks of several sweeps or views are taken for one lesion."""

import random
from typing import Any

import pytest

from sonovan.clinical.lesions import Lesion
from sonovan.clinical.same_lesion import lesions_of
from sonovan.clinical.track import link
from sonovan.contracts.because import Because
from sonovan.contracts.frames import FrameSegmented, Place, RegionMeasures
from tests.clinical.records import SWEEP, SWEEP_2, region, segmented

SWEEP_3 = "0192f0c1-2345-7abc-8def-000000000003"
TEN = {"position": "10h", "view": "radial"}


def lesion(depth_mm: float | None = 12.0, long_mm: float | None = 10.0, **other: Any) -> Any:
    size = other.get("size", 40)
    measures = RegionMeasures(
        long_axis_mm=long_mm,
        long_axis_px=size,
        short_axis_px=size,
        orientation_deg=0,
        circularity=0.8,
        solidity=1,
        mean_grey=50,
    )
    place = Place(origin="probe", depth_mm=depth_mm, lateral_mm=None, depth_share=0.3, lateral_share=0)
    return region(**{"measures": measures, "place": place, **other})


def sweep(sequence_id: str, *regions: Any, frames: int = 3, **other: Any) -> list[FrameSegmented]:
    return [segmented(index, regions, sequence_id=sequence_id, **{**TEN, **other}) for index in range(frames)]


def lesions(*sweeps: list[FrameSegmented]) -> list[Lesion]:
    results = [frame for frames in sweeps for frame in frames]
    return lesions_of(link(results), {frame.frame_id: frame for frame in results})


def test_two_views_of_one_place_show_one_lesion_and_the_doubt_is_stated() -> None:
    (one,) = lesions(sweep(SWEEP, lesion()), sweep(SWEEP_2, lesion(13.5, 12.0), view="antiradial"))
    assert [track.sequence_id for track in one.tracks] == [SWEEP, SWEEP_2]
    assert one.joined == (
        Because(code="seen_in_two_views", value="10h"),
        Because(code="depth_apart", value=1.5, unit="mm"),
        Because(code="size_apart", value=1.2, unit="1"),
        Because(code="may_be_two_lesions"),
    )


def test_two_sweeps_of_one_view_are_called_two_sweeps() -> None:
    (one,) = lesions(sweep(SWEEP, lesion()), sweep(SWEEP_2, lesion()))
    assert one.joined[0] == Because(code="seen_in_two_sweeps", value="10h")


@pytest.mark.parametrize(
    "second",
    [
        sweep(SWEEP_2, lesion(), laterality="right"),
        sweep(SWEEP_2, lesion(), laterality=None),
        sweep(SWEEP_2, lesion(), position="11h"),
        sweep(SWEEP_2, lesion(), position=None),
        sweep(SWEEP_2, lesion(), organ="thyroid", position="upper"),
        sweep(SWEEP_2, lesion(depth_mm=16.5)),
        sweep(SWEEP_2, region()),
        sweep(SWEEP_2, lesion(long_mm=18.5)),
        # a region of a single frame among many is no lesion that could be found again
        [*sweep(SWEEP_2, lesion(), frames=1), *sweep(SWEEP_2, frames=4)[1:]],
    ],
    ids=["side", "no side", "position", "no position", "organ", "depth", "no depth", "size", "one frame"],
)
def test_what_differs_or_is_not_known_is_not_joined(second: list[FrameSegmented]) -> None:
    first = sweep(SWEEP, lesion())
    assert [(len(each.tracks), each.joined) for each in lesions(first, second)] == [(1, ()), (1, ())]


def test_without_a_position_nothing_is_joined() -> None:
    assert len(lesions(sweep(SWEEP, lesion(), position=None), sweep(SWEEP_2, lesion(), position=None))) == 2


def test_where_two_lesions_could_be_meant_none_is_joined() -> None:
    two = sweep(SWEEP_2, lesion(ordinal=0), lesion(ordinal=1, left=400))
    assert [len(each.tracks) for each in lesions(sweep(SWEEP, lesion()), two)] == [1, 1, 1]


def test_stills_are_joined() -> None:
    assert len(lesions(sweep(SWEEP, lesion(), frames=1), sweep(SWEEP_2, lesion(), frames=1))) == 1


def test_three_sweeps_that_fit_pairwise_are_one_and_a_chain_is_not() -> None:
    fit = [sweep(name, lesion(depth)) for name, depth in ((SWEEP, 12.0), (SWEEP_2, 14.0), (SWEEP_3, 15.0))]
    assert [len(each.tracks) for each in lesions(*fit)] == [3]
    chain = [sweep(name, lesion(depth)) for name, depth in ((SWEEP, 10.0), (SWEEP_2, 13.5), (SWEEP_3, 17.0))]
    assert sorted(len(each.tracks) for each in lesions(*chain)) == [1, 2]


def test_the_order_of_arrival_does_not_matter() -> None:
    results = [
        *sweep(SWEEP, lesion(), lesion(20.0, ordinal=1, left=400)),
        *sweep(SWEEP_2, lesion(21.0), view="antiradial"),
        *sweep(SWEEP_3, lesion(12.5)),
    ]
    usual = lesions(results)
    for seed in range(5):
        random.Random(seed).shuffle(results)
        assert lesions(results) == usual


def test_too_many_at_one_place_are_left_apart() -> None:
    many = [sweep(f"0192f0c1-2345-7abc-8def-{number:012d}", lesion(), frames=1) for number in range(101)]
    assert len(lesions(*many)) == 101
    assert len(lesions(*many[:100])) == 1
