import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sonovan.clinical.registration import tissue_profile
from sonovan.clinical.track import Track, link
from sonovan.contracts.frames import FrameSegmented, Region
from sonovan.contracts.ids import upload_order
from sonovan.contracts.van import Panel
from tests.clinical.records import SWEEP, SWEEP_2, region, segmented


def spans(tracks: list[Track]) -> list[list[int]]:
    return [[int(frame_id[-6:]) for frame_id, _ in track.members] for track in tracks]


def sweep(frame_count: int = 64, first: int = 10, last: int = 50) -> list[FrameSegmented]:
    """A lesion that drifts two pixels a frame, and another, far away, that stands still."""
    frames = []
    for index in range(frame_count):
        shown = [region(0, left=40 + 2 * index, top=60)] if first <= index <= last else []
        shown += [region(len(shown), left=500, top=300, size=30)] if index < 30 else []
        frames.append(segmented(index, shown))
    return frames


def test_two_lesions_make_two_tracks() -> None:
    assert spans(link(sweep())) == [list(range(30)), list(range(10, 51))]


@pytest.mark.parametrize("stride", [16, 8, 4, 2])
def test_coarse_levels_alone_are_linked(stride: int) -> None:
    assert spans(link(sweep()[::stride])) == [
        list(range(0, 30, stride)),
        [index for index in range(0, 64, stride) if 10 <= index <= 50],
    ]


def test_a_level_that_has_half_arrived_is_linked() -> None:
    frames = sweep()
    arrived = [frames[index] for index in upload_order(64)[:11]]
    assert len(link(arrived)) == 2


def test_a_lesion_missed_for_some_frames_stays_one() -> None:
    frames = [segmented(index, [] if 4 <= index <= 7 else [region()]) for index in range(20)]
    assert len(link(frames)) == 1


def test_a_lesion_missed_for_long_becomes_another() -> None:
    frames = [segmented(index, [] if 4 <= index <= 30 else [region()]) for index in range(40)]
    assert len(link(frames)) == 2


def test_far_regions_are_not_linked() -> None:
    assert len(link([segmented(0, [region(left=10)]), segmented(1, [region(left=200)])])) == 2


def test_the_nearer_of_two_regions_continues_the_track() -> None:
    frames = [segmented(0, [region(left=100)]), segmented(1, [region(0, left=115), region(1, left=102)])]
    assert link(frames)[0].members == ((frames[0].frame_id, 0), (frames[1].frame_id, 1))


def test_a_lesion_seen_just_now_goes_before_one_missed_for_a_while() -> None:
    frames = [
        segmented(0, [region(0, left=100), region(1, left=118)]),
        segmented(1, [region(left=118)]),
        segmented(2, [region(left=118)]),
        segmented(3, [region(left=108)]),
    ]
    assert spans(link(frames)) == [[0], [0, 1, 2, 3]]


def test_equal_fits_are_settled_by_the_ordinal() -> None:
    frames = [segmented(0, [region(left=100)]), segmented(1, [region(1, left=90), region(0, left=110)])]
    assert link(frames)[0].members == ((frames[0].frame_id, 0), (frames[1].frame_id, 0))


def test_regions_of_frames_that_cannot_be_assessed_belong_to_no_track() -> None:
    frames = [segmented(0, [region()]), segmented(1, [region()], assessable=False, not_assessable_reason="no_contact")]
    assert spans(link(frames)) == [[0]]


def test_sequences_and_panels_are_not_mixed() -> None:
    halves = (
        Panel(ordinal=0, left=0, top=0, width=320, height=480, laterality="left"),
        Panel(ordinal=1, left=320, top=0, width=320, height=480, laterality="right"),
    )
    split = segmented(0, [region(0), region(1, left=104, panel=1)], panels=halves)
    again = segmented(1, [region(0), region(1, left=104, panel=1)], panels=halves)
    elsewhere = segmented(0, [region()], sequence_id=SWEEP_2)
    tracks = link([split, again, elsewhere])
    assert [(track.sequence_id, track.panel, track.laterality, len(track.members)) for track in tracks] == [
        (SWEEP, 0, "left", 2),
        (SWEEP, 1, "right", 2),
        (SWEEP_2, 0, "left", 1),
    ]


def over_tissue(index: int, regions: list[Region], at: int, **other: Any) -> FrameSegmented:
    """A frame whose tissue has its left edge at column `at` of a wide piece of it."""
    rng = np.random.default_rng(3)
    wide = np.repeat(np.repeat(rng.integers(0, 255, (60, 200)), 8, axis=0), 8, axis=1).astype(np.uint8)
    profile = tissue_profile(wide[:, at : at + 640], 0, (0, 0, 640, 480))
    assert profile is not None
    return segmented(index, regions, tissue=(profile,), **other)


def test_a_lesion_that_moves_with_the_tissue_is_followed_where_it_alone_would_be_too_far() -> None:
    lefts, ats = [300, 250, 200], [100, 150, 200]
    followed = [
        over_tissue(index, [region(left=left)], at) for index, (left, at) in enumerate(zip(lefts, ats, strict=True))
    ]
    alone = [segmented(index, [region(left=left)]) for index, left in enumerate(lefts)]
    assert (spans(link(followed)), len(link(alone))) == ([[0, 1, 2]], 3)


def test_a_region_elsewhere_in_moved_tissue_is_another() -> None:
    # it stays on the picture while the tissue moves by more than its size
    frames = [over_tissue(index, [region(left=300)], at) for index, at in enumerate((100, 170))]
    assert len(link(frames)) == 2


def test_a_lesion_that_the_probe_comes_back_to_is_one() -> None:
    way = [*range(100, 400, 20), *range(400, 80, -20)]  # there, on, and back over the same tissue
    frames = [
        over_tissue(index, [region(left=300 - at)] if 120 <= at <= 200 else [], at) for index, at in enumerate(way)
    ]
    assert spans(link(frames)) == [[1, 2, 3, 4, 5, 25, 26, 27, 28, 29]]


def test_what_is_at_the_same_place_in_other_tissue_after_a_long_gap_is_another() -> None:
    shown = [index for index in range(24) if index < 3 or index > 20]
    frames = [over_tissue(index, [region()] if index in shown else [], 0 if index < 12 else 900) for index in range(24)]
    assert spans(link(frames)) == [[0, 1, 2], [21, 22, 23]]


def test_an_outline_that_falls_into_pieces_stays_one_lesion() -> None:
    pieces = [region(0, left=100, size=36), region(1, left=138, top=104, size=14)]
    frames = [
        segmented(0, [region(left=100, size=56)]),
        segmented(1, pieces),
        segmented(2, [region(left=100, size=56)]),
    ]
    (track,) = link(frames)
    assert [int(frame_id[-6:]) for frame_id, _ in track.members] == [0, 1, 1, 2]


def test_a_small_lesion_beside_a_large_one_stays_its_own() -> None:
    both = [region(0, left=100, size=80), region(1, left=190, size=20)]
    assert len(link([segmented(index, both) for index in range(4)])) == 2


def test_two_lesions_that_are_outlined_as_one_for_a_frame_stay_two() -> None:
    apart = [region(0, left=100, size=40), region(1, left=150, size=40)]
    merged = [region(0, left=100, size=90)]
    tracks = link([segmented(0, apart), segmented(1, apart), segmented(2, merged), segmented(3, apart)])
    assert sorted(len(track.members) for track in tracks) == [3, 4]


def test_two_results_of_one_frame_are_refused() -> None:
    with pytest.raises(ValueError, match="same frame"):
        link([segmented(0), segmented(0)])


@st.composite
def any_sweeps(draw: st.DrawFn) -> list[FrameSegmented]:
    places = st.lists(st.tuples(st.integers(0, 500), st.integers(0, 400), st.integers(5, 120)), max_size=4)
    indices = draw(st.lists(st.integers(0, 60), unique=True, max_size=12))
    return [
        segmented(
            index,
            [region(n, left=left, top=top, size=size) for n, (left, top, size) in enumerate(draw(places))],
            assessable=draw(st.booleans()),
        )
        for index in indices
    ]


@given(any_sweeps(), st.randoms(use_true_random=False))
def test_every_assessable_region_is_in_exactly_one_track_whatever_the_order(
    frames: list[FrameSegmented], rng: random.Random
) -> None:
    tracks = link(frames)
    members = [member for track in tracks for member in track.members]
    expected = [(frame.frame_id, each.ordinal) for frame in frames if frame.assessable for each in frame.regions]
    assert sorted(members) == sorted(expected)
    for track in tracks:
        assert list(track.members) == sorted(track.members)
    rng.shuffle(frames)
    assert link(frames) == tracks
