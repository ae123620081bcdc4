"""A side on which a lesion was seen in part only is limited, and its van is told to go on."""

from typing import Any

import pytest

from sonovan.clinical.advice import SCAN_AGAIN, derive_advice
from sonovan.clinical.key_frame import sequence_ends
from sonovan.clinical.lesions import finding_of
from sonovan.clinical.same_lesion import lesions_of
from sonovan.clinical.seen_partly import AT_EDGE_ONLY, ENDED_ON_LESION, with_lesions_seen_partly
from sonovan.clinical.track import link
from sonovan.contracts.frames import FrameSegmented
from sonovan.contracts.results import Adequacy, Finding
from tests.clinical.records import SWEEP, SWEEP_2, adequacy, region, segmented


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
    assert judged(frames, adequacy(level="adequate", region="upper_outer")).reasons == ()
    assert judged(frames, adequacy(level="adequate", laterality=None)).reasons == (ENDED_ON_LESION,)


def test_the_van_is_told_to_scan_again() -> None:
    row = judged(sweep(range(6, 12)), adequacy(level="adequate"))
    advice = [each for each in derive_advice("preliminary", [row], []) if each.rule == SCAN_AGAIN]
    assert [because.code for each in advice for because in each.because] == ["not_fully_assessed", ENDED_ON_LESION]
