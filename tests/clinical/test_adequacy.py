from collections.abc import Sequence
from dataclasses import replace

import pytest

from sonovan.clinical.adequacy import EXCUSED, judge_adequacy
from sonovan.clinical.advice import derive_advice
from sonovan.clinical.category import derive_categories
from sonovan.clinical.completeness import check_completeness
from sonovan.contracts.frames import FrameSegmented, PanelRefusal
from sonovan.contracts.lexicon import Side
from sonovan.contracts.results import Adequacy, RejectedFrame
from sonovan.contracts.van import EXCUSES, Excuse, ExcusedRegion, Panel, PlannedRegion, ScreeningClosed, SequenceClosed
from tests.clinical.records import SWEEP, SWEEP_2, discarded, held, screening_closed, segmented, sequence_closed, sha

LEFT = PlannedRegion(organ="breast", side="left")
RIGHT = PlannedRegion(organ="breast", side="right")


def judged(
    results: Sequence[FrameSegmented],
    *,
    planned: Sequence[PlannedRegion] = (LEFT,),
    closings: Sequence[SequenceClosed] = (),
    screening: Sequence[ScreeningClosed] = (),
    rejected: Sequence[RejectedFrame] = (),
    final: bool = False,
    covered: Sequence[PlannedRegion] | None = (LEFT, RIGHT),
) -> tuple[Adequacy, ...]:
    there = check_completeness(
        screening,
        closings,
        results=[result.frame_id for result in results],
        rejected=[frame.frame_id for frame in rejected],
    )
    closed = there.screening_closings or (screening_closed(SWEEP),)
    ticked = None if covered is None else tuple(covered)
    there = replace(there, screening_closings=tuple(each.model_copy(update={"covered": ticked}) for each in closed))
    return judge_adequacy(planned, results, rejected, there, final=final)


def good(count: int = 20) -> list[FrameSegmented]:
    return [segmented(index) for index in range(count)]


def bad(first: int, count: int) -> list[FrameSegmented]:
    return [
        segmented(index, assessable=False, not_assessable_reason="no_contact", quality=0.1)
        for index in range(first, first + count)
    ]


def test_a_whole_good_sweep_is_adequate() -> None:
    (row,) = judged(good(), closings=[sequence_closed(20)], screening=[screening_closed(SWEEP)], final=True)
    assert (row.level, row.frames, row.assessable_share, row.reasons) == ("adequate", 20, 1.0, ())


@pytest.mark.parametrize(
    ("frames", "covered", "level", "reason"),
    [
        (20, (LEFT,), "adequate", None),
        (20, (RIGHT,), "limited", "not_ticked_off"),
        (20, (), "limited", "not_ticked_off"),
        (20, None, "usable", "coverage_not_known"),
        (3, (LEFT,), "limited", "few_frames"),
        (3, None, "limited", "coverage_not_known"),
    ],
)
def test_adequate_needs_good_pictures_and_a_ticked_checklist(
    frames: int, covered: Sequence[PlannedRegion] | None, level: str, reason: str | None
) -> None:
    """Complete is not adequate: it follows from checklist, assessable share and quality."""
    (row,) = judged(good(frames), covered=covered)
    assert row.level == level
    assert reason is None or reason in row.reasons
    assert not (reason is None and row.reasons)


def test_planned_and_not_sent_is_not_examined_once_all_is_here() -> None:
    screening, closings = [screening_closed(SWEEP)], [sequence_closed(20)]
    left, right = judged(good(), planned=(LEFT, RIGHT), screening=screening, closings=closings, final=True)
    assert left.level == "adequate"
    assert (right.level, right.reasons, right.frames) == ("not_examined", ("not_seen",), 0)


def test_a_side_of_which_nothing_arrived_yet_is_unknown() -> None:
    _, right = judged(good(), planned=(LEFT, RIGHT))
    assert (right.level, right.reasons) == ("unknown", ("not_arrived",))


def test_a_side_is_unknown_while_a_sweep_that_may_be_of_it_is_not_closed() -> None:
    screening = [screening_closed(SWEEP, SWEEP_2)]
    _, right = judged(good(), planned=(LEFT, RIGHT), screening=screening, closings=[sequence_closed(20)], final=True)
    assert (right.level, right.reasons) == ("unknown", ("not_seen", "sequence_not_closed"))


def test_what_is_refused_as_another_organ_is_not_examined() -> None:
    foreign = [segmented(index, assessable=False, not_assessable_reason="not_breast_ultrasound") for index in range(20)]
    (row,) = judged(foreign, final=True, screening=[screening_closed(SWEEP)], closings=[sequence_closed(20)])
    assert (row.level, row.reasons, row.frames) == ("not_examined", ("not_breast_ultrasound",), 20)
    assert derive_categories([row], "complete") == ()
    assert [each.rule for each in derive_advice("complete", [row], [])] == ["reader_must_review", "examine"]


def test_a_ticked_region_takes_the_frames_of_its_side_where_none_names_it() -> None:
    plan = [PlannedRegion(organ="breast", side="left", region=name) for name in ("upper_outer", "axilla")]
    rows = judged(good(), planned=plan, covered=plan[:1])
    assert [row.level for row in rows] == ["adequate", "unknown"]


def test_what_was_seen_outside_the_plan_has_a_row_too() -> None:
    rows = judged([*good(), segmented(0, sequence_id=SWEEP_2, organ="thyroid", laterality="right")])
    assert [(row.organ, row.laterality) for row in rows] == [("breast", "left"), ("thyroid", "right")]


def test_the_assessable_share_decides() -> None:
    assert judged(good(18) + bad(18, 2))[0].level == "adequate"
    assert judged(good(15) + bad(15, 5))[0].level == "limited"
    assert judged(good(9) + bad(9, 11))[0].level == "inadequate"


def test_one_still_picture_is_limited() -> None:
    (row,) = judged(good(1))
    assert (row.level, row.reasons) == ("limited", ("few_frames",))


def test_a_sweep_of_one_frozen_picture_is_inadequate_and_scanned_again() -> None:
    frozen = [segmented(index, pixels_sha256=sha("the same")) for index in range(20)]
    (row,) = judged(frozen, closings=[sequence_closed(20)], screening=[screening_closed(SWEEP)], final=True)
    assert (row.level, row.reasons, row.frames) == ("inadequate", ("frozen_picture",), 20)
    assert "scan_again" in [each.rule for each in derive_advice("complete", [row], [])]


def test_a_sweep_that_freezes_at_its_end_is_as_good_as_what_came_before() -> None:
    frozen = [segmented(index, pixels_sha256=sha("the same")) for index in range(8, 40)]
    assert judged(good(8) + frozen)[0].level == "adequate"
    few = judged(good(6) + frozen)[0]
    assert (few.level, few.reasons) == ("limited", ("frozen_picture",))


def test_copies_of_a_picture_hide_nothing_that_could_not_be_assessed() -> None:
    frozen = [segmented(index, pixels_sha256=sha("the same")) for index in range(8, 200)]
    before, after = judged(good(8) + bad(200, 20))[0], judged(good(8) + frozen + bad(200, 20))[0]
    assert (before.level, before.assessable_share) == ("inadequate", round(8 / 28, 3))
    assert (after.level, after.assessable_share, after.frames) == ("inadequate", round(9 / 29, 3), 220)
    assert judged([*reversed(good(8) + frozen + bad(200, 20))]) == (after,)


def test_each_picture_twice_as_a_faster_recorder_gives_it_is_adequate() -> None:
    twice = [segmented(index, pixels_sha256=sha(f"{index // 2}")) for index in range(20)]
    assert judged(twice)[0].level == "adequate"


def test_nothing_assessable_is_inadequate() -> None:
    (row,) = judged(bad(0, 30))
    assert (row.level, row.reasons) == ("inadequate", ("nothing_assessable", "no_contact"))


def test_frames_of_something_else_count_against_it_and_are_named() -> None:
    foreign = [
        segmented(index, assessable=False, not_assessable_reason="not_breast_ultrasound") for index in range(12, 20)
    ]
    (row,) = judged(good(12) + foreign)
    assert (row.level, row.reasons) == ("limited", ("low_assessable_share", "not_breast_ultrasound"))


def split(index: int, *sides: Side | None, refused: int, reason: str = "not_breast_ultrasound") -> FrameSegmented:
    """A frame of two panels, one of them refused."""
    panels = tuple(
        Panel(ordinal=place, left=320 * place, top=0, width=320, height=480, laterality=side)
        for place, side in enumerate(sides)
    )
    return segmented(index, panels=panels, refusals=(PanelRefusal(panel=refused, reason=reason),))


def test_a_refused_panel_beside_an_accepted_one_counts_against_it_by_its_share() -> None:
    (row,) = judged([split(index, None, None, refused=1) for index in range(20)])
    assert (row.level, row.frames, row.assessable_share) == ("limited", 20, 0.5)
    assert row.reasons == ("low_assessable_share", "not_breast_ultrasound")


def test_a_side_whose_only_panel_is_refused_was_not_assessed() -> None:
    left, right = judged(
        [split(index, "left", "right", refused=1, reason="no_contact") for index in range(20)], planned=(LEFT, RIGHT)
    )
    assert (left.level, left.assessable_share, left.reasons) == ("adequate", 1.0, ())
    assert (right.level, right.assessable_share) == ("inadequate", 0.0)
    assert right.reasons == ("nothing_assessable", "no_contact")


def test_the_few_frames_that_an_adequate_sweep_loses_are_no_reason() -> None:
    (row,) = judged(good(20) + bad(20, 1))
    assert (row.level, row.reasons) == ("adequate", ())


def test_low_quality_lowers_the_level() -> None:
    frames = [segmented(index, quality=0.3) for index in range(20)]
    assert (judged(frames)[0].level, judged(frames)[0].reasons) == ("limited", ("low_quality",))


def test_many_frames_blurred_by_motion_make_it_limited_and_never_inadequate() -> None:
    sharp = [segmented(index, sharpness=(0.3, 0.6)) for index in range(18)]
    moved = [segmented(index, sharpness=(0.05, 0.6)) for index in range(18, 27)]
    assert judged([*sharp, *moved[:2]])[0].reasons == ()
    (row,) = judged([*sharp, *moved])
    assert (row.level, row.reasons, row.assessable_share) == ("limited", ("motion",), 1.0)


def test_discarded_held_and_rejected_frames_count_against_it() -> None:
    closing = sequence_closed(20, set_aside=(discarded(17), held(18)))
    (row,) = judged(
        good(17), closings=[closing], rejected=[RejectedFrame(frame_id=f"{SWEEP}/000019", reason="pixels_corrupt")]
    )
    assert (row.level, row.frames, row.assessable_share) == ("limited", 20, 0.85)
    assert row.reasons == ("low_assessable_share", "frames_discarded", "frames_held", "frames_rejected")


def test_a_discarded_frame_that_came_after_all_counts_once() -> None:
    (row,) = judged(good(), closings=[sequence_closed(20, set_aside=(discarded(3),))])
    assert (row.frames, row.reasons) == (20, ())


def test_missing_frames_count_only_when_final() -> None:
    closings, screening = [sequence_closed(40)], [screening_closed(SWEEP)]
    assert judged(good(), closings=closings, screening=screening)[0].level == "adequate"
    (row,) = judged(good(), closings=closings, screening=screening, final=True)
    assert (row.level, row.frames, row.assessable_share) == ("limited", 40, 0.5)
    assert "frames_missing" in row.reasons


def test_one_missing_frame_makes_a_final_row_limited_and_says_why() -> None:
    (row,) = judged(good(), closings=[sequence_closed(21)], screening=[screening_closed(SWEEP)], final=True)
    assert (row.level, row.reasons) == ("limited", ("frames_missing",))


def test_a_frame_that_the_van_holds_back_makes_a_final_row_limited_as_a_missing_one_does() -> None:
    closing = sequence_closed(21, set_aside=(held(20),))
    (row,) = judged(good(), closings=[closing], screening=[screening_closed(SWEEP)], final=True)
    assert (row.level, row.reasons) == ("limited", ("frames_held",))


def test_a_sweep_whose_file_ended_early_is_limited_when_final_and_says_why() -> None:
    warned = [screening_closed(SWEEP, quality_warnings=("sequence_cut_short",))]
    (row,) = judged(good(), closings=[sequence_closed(20)], screening=warned, final=True)
    assert (row.level, row.reasons) == ("limited", ("sequence_cut_short",))
    assert derive_advice("complete", [row], [])[1].rule == "scan_again"


def test_an_unclosed_sequence_counts_against_every_row_when_final() -> None:
    rows = judged(
        good(),
        closings=[sequence_closed(20)],
        screening=[screening_closed(SWEEP, SWEEP_2)],
        planned=(LEFT, PlannedRegion(organ="thyroid", side="left")),
        final=True,
    )
    assert all("sequence_not_closed" in row.reasons for row in rows)
    assert [row.level for row in rows] == ["limited", "unknown"]


def test_a_region_of_the_plan_is_found_by_view_or_position() -> None:
    frames = [segmented(index, position="upper_outer") for index in range(20)]
    plan = [PlannedRegion(organ="breast", side="left", region=name) for name in ("upper_outer", "lower_inner")]
    assert [row.level for row in judged(frames, planned=plan, covered=plan[:1])] == ["adequate", "unknown"]


def test_each_half_of_a_split_screen_counts_for_its_own_side() -> None:
    halves = (
        Panel(ordinal=0, left=0, top=0, width=320, height=480, laterality="left"),
        Panel(ordinal=1, left=320, top=0, width=320, height=480, laterality="right"),
    )
    frames = [segmented(index, laterality=None, panels=halves) for index in range(20)]
    assert [row.level for row in judged(frames, planned=(LEFT, RIGHT))] == ["adequate", "adequate"]


def test_frames_of_no_side_do_not_make_a_planned_side_seen() -> None:
    left, unknown = judged([segmented(index, laterality=None) for index in range(20)])
    assert (left.level, left.reasons) == ("unknown", ("frames_without_side",))
    assert (unknown.level, unknown.reasons) == ("limited", ("side_unknown", "not_ticked_off"))


def test_a_frame_that_shows_something_else_is_named_however_few_there_are() -> None:
    foreign = segmented(20, assessable=False, not_assessable_reason="not_breast_ultrasound", quality=0.8)
    (row,) = judged([*good(20), foreign])
    assert (row.level, row.reasons) == ("adequate", ("not_breast_ultrasound",))


def test_a_huge_gap_counts_whole() -> None:
    (row,) = judged(good(2000), closings=[sequence_closed(8000)], screening=[screening_closed(SWEEP)], final=True)
    assert (row.frames, row.assessable_share) == (8000, 0.25)
    assert row.level == "inadequate"


def test_doppler_frames_beside_grey_ones_count_and_lower_nothing() -> None:
    grey = [segmented(index) for index in range(10)]
    doppler = [segmented(index, assessable=False, not_assessable_reason="doppler_frame") for index in range(10, 30)]
    alone, beside = (
        judge_adequacy([], frames, [], check_completeness([], [], results={}, rejected={}), final=False)[0]
        for frames in (grey, grey + doppler)
    )
    assert (beside.level, beside.assessable_share, beside.frames) == (alone.level, 1.0, 30)
    assert "doppler_frame" in beside.reasons
    assert "doppler_frame" not in alone.reasons


def excused(item: PlannedRegion, because: Excuse) -> ExcusedRegion:
    return ExcusedRegion(organ=item.organ, side=item.side, region=item.region, because=because)


@pytest.mark.parametrize("why", EXCUSES)
def test_an_excuse_says_why_a_side_was_not_examined_and_changes_no_level(why: Excuse) -> None:
    plain, said = (
        judged(
            good(), planned=(LEFT, RIGHT), closings=[sequence_closed(20)], covered=(LEFT,), final=True,
            screening=[screening_closed(SWEEP, excused=excuses)],
        )
        for excuses in ((), (excused(LEFT, why), excused(RIGHT, why)))
    )  # fmt: skip
    assert [row.level for row in said] == [row.level for row in plain] == ["adequate", "not_examined"]
    assert [row.reasons for row in said] == [(), ("not_seen", EXCUSED[why])], "what was ticked off needs no excuse"


def test_excuses_of_closings_that_contradict_each_other_are_nobodys_word() -> None:
    closed = [screening_closed(SWEEP, excused=(excused(RIGHT, why),)) for why in ("pain", "declined")]
    rows = judged(good(), planned=(LEFT, RIGHT), closings=[sequence_closed(20)], screening=closed, final=True)
    assert not any(reason.startswith("excused") for row in rows for reason in row.reasons)
