"""A screening that goes on after its report was whole, and one of which nothing came but how much there is."""

from datetime import timedelta

from sonovan.contracts.results import ScreeningAssessed
from sonovan.stream_apps.assess.ending import RowLife
from sonovan.stream_apps.assess.rows import EndingRow
from tests.stream_apps.assess.scene import EPOCH, Desk, Scene
from tests.stream_apps.assess.test_step import run, ticked

LATER = EPOCH + timedelta(hours=1)


def waits(desk: Desk) -> bool:
    return any(table == "waiting" for table, _ in desk.rows)


def whole(scene: Scene) -> tuple[Desk, ScreeningAssessed]:
    """A desk that has heard all of the scene, and its complete report."""
    desk = Desk(scene)
    last = run(desk, *scene.everything())[-1]
    assert last.status == "complete"
    assert not waits(desk)
    return desk, last


def test_a_sweep_that_goes_on_is_waited_for_and_incomplete_where_the_rest_never_comes():
    scene = Scene(5)
    desk, _ = whole(scene)
    (begun,) = run(desk, scene.sequence_closed(2, count=200))
    assert (begun.status, begun.frames) == ("preliminary", 5)
    run(desk, scene.screening_closed(2), *(scene.frame(index) for index in (16, 32, 48, 5, 6, 7)))
    assert waits(desk)
    (late,) = ticked(desk, LATER)
    assert (late.status, late.frames) == ("incomplete", 11)
    assert len(late.missing[0].indices or ()) == 189


def test_a_lesion_that_was_told_of_stays_while_its_sweep_goes_on():
    scene = Scene(5, lesion=range(5))
    desk, told = whole(scene)
    (begun,) = run(desk, scene.sequence_closed(2, count=200))
    assert [each.finding_id for each in begun.findings] == [each.finding_id for each in told.findings]
    assert begun.withdrawn == ()


def test_frames_beyond_what_the_closing_counts_are_told_of_whenever_they_come():
    scene = Scene(5, lesion=(7, 8, 9))
    beyond = [scene.frame(index) for index in range(5, 12)]
    after, _ = whole(scene)
    assert run(after, *beyond)[0].status == "preliminary"
    assert waits(after)
    before = Desk(scene)
    run(before, scene.opened(), *beyond, *scene.everything()[1:])
    ends = [ticked(desk, LATER)[-1] for desk in (after, before)]
    assert [(each.status, each.frames, len(each.findings)) for each in ends] == [("incomplete", 12, 1)] * 2
    assert ends[0].revision_id == ends[1].revision_id
    assert all("closings_contradict" in row.reasons for each in ends for row in each.adequacy)


def test_a_closed_sweep_of_which_no_frame_comes_is_told_of_after_the_deadline():
    scene = Scene(5)
    desk = Desk(scene)
    assert run(desk, scene.opened(), scene.sequence_closed()) == []
    assert waits(desk)
    (told,) = ticked(desk, LATER)
    assert (told.status, told.frames, told.findings) == ("incomplete", 0, ())
    assert told.missing[0].indices == (0, 1, 2, 3, 4)


def test_an_opening_alone_is_no_report():
    scene = Scene(5)
    desk = Desk(scene)
    run(desk, scene.opened())
    assert ticked(desk, LATER) == []


def test_rows_of_a_screening_that_goes_on_are_not_kept_as_short_as_those_of_a_settled_one():
    scene = Scene(5)
    desk, _ = whole(scene)
    settled = EndingRow.model_validate_json(desk.rows["ending", scene.screening_id])
    run(desk, scene.sequence_closed(2, count=200))
    assert (
        EndingRow.model_validate_json(desk.rows["ending", scene.screening_id]).ends_at
        > settled.ends_at + RowLife().settled
    )
