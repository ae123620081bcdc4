"""A side on which a lesion was seen in part only is limited, and its van is told to go on."""

from typing import Any

import pytest

from sonovan.clinical.adequacy import judge_adequacy
from sonovan.clinical.advice import SCAN_AGAIN, derive_advice
from sonovan.clinical.completeness import check_completeness
from sonovan.clinical.key_frame import sequence_ends
from sonovan.clinical.lesions import finding_of
from sonovan.clinical.same_lesion import lesions_of
from sonovan.clinical.seen_partly import AT_EDGE_ONLY, ENDED_ON_LESION, with_lesions_seen_partly
from sonovan.clinical.track import link
from sonovan.contracts.frames import FrameSegmented
from sonovan.contracts.results import Adequacy, Finding
from sonovan.contracts.van import PlannedRegion
from tests.clinical.records import (
    SWEEP,
    SWEEP_2,
    adequacy,
    region,
    screening_closed,
    segmented,
    sequence_closed,
)

QUADRANTS = ("upper_outer", "upper_inner", "lower_outer", "lower_inner")


def findings(frames: list[FrameSegmented], **score: float) -> list[Finding]:
    results = {frame.frame_id: frame for frame in frames}
    ends = sequence_ends(frames)
    found = [finding_of(each, results, "0" * 64, ends) for each in lesions_of(link(frames), results)]
    sure = {"track_score": 0.9, **score}
    return [
        each.model_copy(update={"sightings": tuple(one.model_copy(update=sure) for one in each.sightings)})
        for each in found
    ]


def judged(frames: list[FrameSegmented], row: Adequacy, whole: set[str] | None = None, **score: float) -> Adequacy:
    results = {frame.frame_id: frame for frame in frames}
    (found,) = with_lesions_seen_partly(
        [row],
        findings(frames, **score),
        results,
        sequence_ends(frames),
        {SWEEP, SWEEP_2} if whole is None else whole,
    )
    return found


def sweep(shown: range, of: int = 12, **fields: Any) -> list[FrameSegmented]:
    return [segmented(index, [region(**fields)] if index in shown else []) for index in range(of)]


@pytest.mark.parametrize("shown", [range(6, 12), range(5)], ids=["end", "beginning"])
def test_a_sweep_that_ends_on_a_lesion_is_limited(shown: range) -> None:
    row = judged(sweep(shown), adequacy(level="adequate"))
    assert (row.level, row.reasons) == ("limited", (ENDED_ON_LESION,))


def test_a_lesion_that_was_passed_is_no_reason() -> None:
    row = adequacy(level="adequate")
    assert judged(sweep(range(3, 9)), row) == row


def test_a_lesion_at_the_edge_on_every_frame_is_a_reason() -> None:
    row = judged(sweep(range(3, 9), cut=True), adequacy(level="usable"))
    assert (row.level, row.reasons) == ("limited", (AT_EDGE_ONLY,))


def test_a_lesion_that_one_frame_shows_whole_is_no_reason() -> None:
    frames = sweep(range(3, 9), cut=True)
    frames[5] = segmented(5, [region()])
    assert judged(frames, adequacy(level="usable")).reasons == ()


def test_what_is_not_sure_to_be_a_lesion_sends_nobody_back() -> None:
    assert judged(sweep(range(10, 12)), adequacy(level="adequate")).reasons == ()
    assert judged(sweep(range(6, 12)), adequacy(level="adequate"), track_score=0.4).reasons == ()


def test_nobody_knows_the_end_of_a_sweep_that_is_not_whole() -> None:
    assert judged(sweep(range(6, 12)), adequacy(level="adequate"), whole=set()).reasons == ()


def test_another_side_and_another_region_are_not_touched() -> None:
    frames = sweep(range(6, 12))
    assert judged(frames, adequacy(level="adequate", laterality="right")).reasons == ()
    assert judged(frames, adequacy(level="adequate", organ="thyroid", region="upper_outer")).reasons == ()
    assert judged(frames, adequacy(level="adequate", laterality=None)).reasons == (ENDED_ON_LESION,)


def by_regions(frames: list[FrameSegmented], sweeps: int = 1) -> dict[str | None, Adequacy]:
    """The rows of a plan of four quadrants of the left breast, all ticked off, by region."""
    plan = [PlannedRegion(organ="breast", side="left", region=each) for each in QUADRANTS]
    names = (SWEEP, SWEEP_2)[:sweeps]
    closings = [sequence_closed(12, sequence_id=name) for name in names]
    told = check_completeness(
        [screening_closed(*names, covered=tuple(plan))], closings, results=[each.frame_id for each in frames],
        rejected=(),
    )  # fmt: skip
    rows = judge_adequacy(plan, frames, (), told, final=True)
    results = {frame.frame_id: frame for frame in frames}
    seen = with_lesions_seen_partly(rows, findings(frames), results, sequence_ends(frames), set(names))
    return {row.region: row for row in seen}


@pytest.mark.parametrize("place", [{}, {"position": "10h"}], ids=["no place", "a place that no row is about"])
def test_a_lesion_whose_place_is_no_region_of_the_plan_speaks_against_each_row_that_its_sweep_served(
    place: dict[str, str],
) -> None:
    frames = [segmented(index, [region()] if index >= 6 else [], **place) for index in range(12)]
    rows = by_regions(frames)
    assert {row.level for row in rows.values()} == {"limited"}
    assert {row.reasons for row in rows.values()} == {(ENDED_ON_LESION,)}
    again = [each.region for each in derive_advice("complete", rows.values(), []) if each.rule == SCAN_AGAIN]
    assert again == list(QUADRANTS)
    whole = [segmented(index, [region()] if 3 <= index < 9 else [], **place) for index in range(12)]
    assert {row.level for row in by_regions(whole).values()} == {"adequate"}


def test_a_region_that_frames_of_its_own_show_is_not_touched_by_a_lesion_elsewhere() -> None:
    cut = [segmented(index, [region()] if index >= 6 else [], position="upper_inner") for index in range(12)]
    own = [segmented(index, sequence_id=SWEEP_2, position="upper_outer") for index in range(12)]
    assert {name: row.reasons for name, row in by_regions([*cut, *own], 2).items()} == {
        "upper_outer": (), "upper_inner": (ENDED_ON_LESION,), "lower_outer": (), "lower_inner": (),
    }  # fmt: skip
    unnamed = [segmented(index, [region()] if index >= 6 else []) for index in range(12)]
    assert {name: row.reasons for name, row in by_regions([*unnamed, *own], 2).items()} == {
        "upper_outer": (), "upper_inner": (ENDED_ON_LESION,), "lower_outer": (ENDED_ON_LESION,),
        "lower_inner": (ENDED_ON_LESION,),
    }  # fmt: skip


def test_the_van_is_told_to_scan_again() -> None:
    row = judged(sweep(range(6, 12)), adequacy(level="adequate"))
    advice = [each for each in derive_advice("preliminary", [row], []) if each.rule == SCAN_AGAIN]
    assert [because.code for each in advice for because in each.because] == ["not_fully_assessed", ENDED_ON_LESION]
