"""What `assess` says of a screening, whatever the order in which it hears of it."""

from datetime import datetime, timedelta
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sonovan.contracts.answers import RecordRejected
from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.frames import PanelRefusal
from sonovan.contracts.results import ScreeningAssessed
from sonovan.contracts.signatures import generate_key
from sonovan.contracts.topics import TABLES, Topic, Writer
from sonovan.stream_apps.assess.rows import Table
from sonovan.stream_apps.assess.step import Decided, due_ticks
from sonovan.stream_apps.assess.takeover import reflected, watermark
from sonovan.stream_apps.rejecting import Unusable
from tests.stream_apps.assess.scene import DEADLINE, EPOCH, Desk, Scene


def test_the_tables_are_those_of_the_topic_table():
    assert get_args(Table) == TABLES[Writer.ASSESS]


def revisions(outcomes: list[Decided]) -> list[ScreeningAssessed]:
    return [outcome.revision.assessed for outcome in outcomes if outcome.revision]


def run(desk: Desk, *said: tuple) -> list[ScreeningAssessed]:
    return revisions([desk.take(each) for each in said])


def ticked(desk: Desk, at: datetime) -> list[ScreeningAssessed]:
    """What comes of the timer's record, which the broker appends at `at`."""
    return revisions([desk.tick(at)])


def test_a_whole_screening_ends_in_one_complete_revision_with_its_lesion():
    scene = Scene(20, lesion=range(4, 12))
    last = run(Desk(scene), *scene.everything())[-1]
    assert last.status == "complete"
    assert last.frames == 20
    assert [len(finding.members) for finding in last.findings] == [8]
    assert last.missing == ()


@given(order=st.permutations(range(23)), again=st.lists(st.integers(0, 22), max_size=10))
@settings(max_examples=60, deadline=None)
def test_any_order_and_repetition_ends_in_the_same_revision(order, again):
    scene = Scene(20, lesion=range(4, 12))
    said = scene.everything()
    straight = run(Desk(scene), *said)[-1]
    mixed = run(Desk(scene), *(said[index] for index in [*order, *again]))
    assert mixed[-1].revision_id == straight.revision_id
    assert mixed[-1].status == "complete"
    assert [revision.revision_number for revision in mixed] == list(range(1, len(mixed) + 1))
    assert len({revision.revision_id for revision in mixed}) == len(mixed)


@given(crashes=st.sets(st.integers(0, 22)), written=st.sampled_from(["none", "received"]))
@settings(max_examples=60, deadline=None)
def test_a_crash_between_send_and_rows_sends_the_same_content_again(crashes, written):
    scene = Scene(20, lesion=range(4, 12))
    desk, seen = Desk(scene), {}
    for index, said in enumerate(scene.everything()):
        if index in crashes:
            lost = desk.take(said, write=written)
            desk.now -= timedelta(seconds=1)
            if lost.revision:
                seen[lost.revision.assessed.revision_id] = lost.revision.assessed
        again = desk.take(said)
        if again.revision:
            assessed = again.revision.assessed
            assert seen.setdefault(assessed.revision_id, assessed) == assessed


@given(crash=st.integers(0, 22), order=st.permutations(range(23)))
@settings(max_examples=100, deadline=None)
def test_whoever_comes_after_a_crash_says_nothing_older_again_whatever_comes_first(crash, order):
    scene = Scene(20, lesion=range(4, 12))
    desk, said = Desk(scene), scene.everything()
    published = run(desk, *said[:crash])
    last = desk.take(said[crash], write="received").revision  # it was sent; that it was sent was not written
    published += [last.assessed] if last else []
    desk.keep(reflected(desk.row, published, len(published)))
    published += run(desk, *(said[index] for index in order))
    assert [revision.revision_number for revision in published] == list(range(1, len(published) + 1))
    assert len({revision.revision_id for revision in published}) == len(published)
    assert [revision.status for revision in published].index("complete") == len(published) - 1


def test_each_whole_level_of_a_closed_sequence_makes_a_preliminary_revision():
    scene = Scene(32, lesion=range(32))
    desk = Desk(scene)
    run(desk, scene.opened(), scene.sequence_closed())
    from sonovan.contracts.ids import upload_order

    said = [run(desk, scene.frame(index)) for index in upload_order(32)]
    spoken = [revision for made in said for revision in made]
    assert [revision.frames for revision in spoken] == [2, 4, 8, 16, 32]
    assert {revision.status for revision in spoken} == {"preliminary"}
    assert len({revision.findings[0].finding_id for revision in spoken}) == 1


def test_a_closing_that_says_when_she_left_makes_another_revision_that_says_so():
    scene = Scene(4, lesion=range(4))
    desk, left_at = Desk(scene), EPOCH + timedelta(minutes=9)
    stayed = run(desk, *scene.everything())[-1]
    assert (stayed.status, stayed.left_at) == ("complete", None)
    topic, closing = scene.screening_closed(2)
    (left,) = run(desk, (topic, closing.model_copy(update={"left_at": left_at})))
    assert (left.revision_number, left.status, left.left_at) == (stayed.revision_number + 1, "complete", left_at)
    assert [each.finding_id for each in left.findings] == [each.finding_id for each in stayed.findings]


def test_nothing_is_said_before_the_opening():
    scene = Scene(4)
    desk = Desk(scene)
    assert run(desk, *scene.everything()[1:]) == []
    assert run(desk, scene.opened())[-1].status == "complete"


def test_a_missing_frame_is_incomplete_after_the_deadline_and_its_late_arrival_a_new_revision():
    scene = Scene(20, lesion=range(4, 12))
    desk = Desk(scene)
    said = [each for each in scene.everything() if each != scene.frame(7)]
    before = run(desk, *said)
    assert all(revision.status == "preliminary" for revision in before)
    incomplete = ticked(desk, EPOCH + timedelta(hours=1))[-1]
    assert incomplete.status == "incomplete"
    assert [(gap.sequence_id, gap.indices) for gap in incomplete.missing] == [(scene.sequence_id, (7,))]
    assert ticked(desk, EPOCH + timedelta(hours=2)) == []
    complete = run(desk, scene.frame(7))[-1]
    assert complete.status == "complete"
    assert complete.revision_number == incomplete.revision_number + 1
    assert complete.findings[0].finding_id == incomplete.findings[0].finding_id


def test_the_deadline_does_not_change_the_name_of_a_complete_revision():
    scene = Scene(6, lesion=range(6))
    late = Desk(scene)
    run(late, *scene.everything()[:-1])
    ticked(late, EPOCH + timedelta(hours=1))
    assert run(late, scene.screening_closed())[-1].revision_id == run(Desk(scene), *scene.everything())[-1].revision_id


def test_the_timer_speaks_only_of_screenings_whose_time_has_come():
    scene = Scene(4)
    desk = Desk(scene)
    run(desk, scene.opened(), scene.frame(0))
    waiting = [(key, data) for (table, key), data in desk.rows.items() if table == "waiting"]
    assert due_ticks(waiting, EPOCH + DEADLINE - timedelta(seconds=1)) == []
    assert [tick.screening_id for tick in due_ticks(waiting, EPOCH + DEADLINE * 2)] == [scene.screening_id]
    run(desk, *scene.everything())
    assert not [key for table, key in desk.rows if table == "waiting"]


def test_a_tick_that_the_broker_has_before_the_deadline_makes_nothing_incomplete():
    scene = Scene(4)
    desk = Desk(scene)
    run(desk, scene.opened(), scene.frame(0))
    assert run(desk, scene.ticked()) == []
    assert [key for table, key in desk.rows if table == "waiting"]


def test_an_incomplete_screening_is_ticked_no_more_until_something_arrives():
    scene = Scene(20, lesion=range(4, 12))
    desk = Desk(scene)
    run(desk, *(each for each in scene.everything() if each not in (scene.frame(7), scene.frame(8))))
    waits = lambda: [key for table, key in desk.rows if table == "waiting"]  # noqa: E731
    assert waits()
    assert ticked(desk, EPOCH + timedelta(hours=1))[-1].status == "incomplete"
    assert not waits()
    assert run(desk, scene.frame(7)) == []
    assert waits()
    assert ticked(desk, EPOCH + timedelta(hours=2))[-1].missing[0].indices == (8,)
    assert not waits()


def test_other_frames_than_the_van_signed_are_never_complete():
    scene = Scene(4)
    desk = Desk(scene)
    said = [scene.opened(), *(scene.frame(index) for index in range(3)), scene.frame(3, pixels="ee" * 32)]
    assert not [
        r for r in run(desk, *said, scene.sequence_closed(), scene.screening_closed()) if r.status == "complete"
    ]
    assert ticked(desk, EPOCH + timedelta(hours=1))[-1].status == "incomplete"


def test_contradicting_closings_of_one_number_are_incomplete_until_a_higher_one():
    scene = Scene(4)
    desk = Desk(scene)
    run(desk, *scene.everything(), scene.sequence_closed(count=3))
    incomplete = ticked(desk, EPOCH + timedelta(hours=1))
    assert incomplete[-1].status == "incomplete"
    assert run(desk, scene.sequence_closed(number=2))[-1].status == "complete"


def test_a_sweep_that_the_closing_does_not_name_keeps_the_screening_open():
    scene = Scene(2)
    desk = Desk(scene)
    made = run(
        desk,
        scene.opened(),
        scene.frame(0),
        scene.frame(1),
        scene.sequence_closed(),
        scene.screening_closed(sequences=()),
    )
    assert all(revision.status != "complete" for revision in made)


def test_results_of_other_weights_do_not_mix_in():
    scene = Scene(2, lesion=(0, 1))
    desk = Desk(scene)
    other = scene.frame(1, weights="cd" * 32)
    made = run(desk, scene.opened(), scene.frame(0), other, scene.sequence_closed(), scene.screening_closed())
    assert all(revision.status != "complete" for revision in made)
    assert run(desk, scene.frame(1))[-1].weights_sha256 == "ab" * 32


def test_results_with_other_companions_do_not_mix_in():
    scene = Scene(2, lesion=(0, 1))
    desk = Desk(scene)
    first, other = (scene.frame(number, fingerprint=each * 32) for number, each in enumerate(("11", "22")))
    made = run(desk, scene.opened(), first, other, scene.sequence_closed(), scene.screening_closed())
    assert all(revision.status != "complete" for revision in made)
    last = run(desk, scene.frame(1, fingerprint="11" * 32))[-1]
    assert (last.status, last.weights_sha256, last.fingerprint) == ("complete", "ab" * 32, "11" * 32)


def test_a_panel_refused_beside_an_accepted_one_stands_in_the_revision():
    scene = Scene(2, lesion=(0, 1))
    topic, result = scene.frame(1)
    refusing = result.model_copy(update={"refusals": (PanelRefusal(panel=1, reason="not_breast_ultrasound"),)})
    said = [scene.opened(), scene.frame(0), (topic, refusing), scene.sequence_closed(), scene.screening_closed()]
    (found,) = run(Desk(scene), *said)[-1].refused_panels
    assert (found.sequence_id, found.panel, found.reason, found.indices) == (
        scene.sequence_id, 1, "not_breast_ultrasound", (1,),
    )  # fmt: skip


def test_the_first_result_of_a_frame_stays():
    scene = Scene(2, lesion=(0, 1))
    desk = Desk(scene)
    last = run(desk, scene.opened(), scene.frame(0), scene.frame(0, score=0.5), *scene.everything()[2:])[-1]
    assert last.revision_id == run(Desk(scene), *scene.everything())[-1].revision_id


def test_a_verified_rejection_accounts_for_its_frame_and_a_later_result_supersedes_it():
    scene = Scene(4)
    desk = Desk(scene)
    rejection = RecordRejected(
        rejection_id="aa" * 32, stage="segment", reason="pixels_corrupt", retryable=False, verified=True,
        topic=Topic.FRAME_CAPTURED, partition=0, offset=1, content_sha256="bb" * 32, quarantine_key="bb",
        rejected_at=EPOCH, screening_id=scene.screening_id, frame_id=f"{scene.sequence_id}/000003", van_id="van-1",
    )  # fmt: skip
    said = [each for each in scene.everything() if each != scene.frame(3)]
    assert not [r for r in run(desk, *said) if r.status == "complete"]
    unverified = rejection.model_copy(update={"verified": False})
    assert run(desk, (Topic.RECORD_REJECTED, unverified)) == []
    rejected = run(desk, (Topic.RECORD_REJECTED, rejection))[-1]
    assert rejected.status == "complete"
    assert [(each.frame_id, each.reason) for each in rejected.rejected] == [(rejection.frame_id, "pixels_corrupt")]
    superseded = run(desk, scene.frame(3))[-1]
    assert superseded.rejected == ()
    assert superseded.frames == 4


@pytest.mark.parametrize("reason", ["signature_invalid", "van_unknown", "van_not_opener"])
def test_a_record_of_the_wrong_van_is_refused(reason):
    scene = Scene(2)
    desk = Desk(scene)
    run(desk, scene.opened())
    topic, result = scene.frame(0)
    said, key = {
        "signature_invalid": (scene.sequence_closed(), generate_key()),
        "van_unknown": (scene.opened(van_id="van-9"), None),
        "van_not_opener": ((topic, result.model_copy(update={"van_id": "van-2"})), None),
    }[reason]
    with pytest.raises(InvalidRecord) as caught:
        desk.take(said, private=key)
    assert caught.value.reason == reason


def test_another_opening_of_the_same_screening_is_refused():
    scene = Scene(2)
    desk = Desk(scene)
    run(desk, scene.opened())
    topic, record = scene.opened()
    with pytest.raises(InvalidRecord, match="opened with other content"):
        desk.take((topic, record.model_copy(update={"site_code": "site-2"})))


def test_a_record_that_comes_again_is_written_again_for_a_changelog_that_may_lack_it():
    scene = Scene(2, lesion=(0, 1))
    for said in (scene.frame(0), scene.opened(), scene.sequence_closed(), scene.screening_closed()):
        desk = Desk(scene)
        desk.take(said)
        lost = dict(desk.rows)
        desk.written.clear()
        desk.take(said)
        assert desk.written.keys() >= {place for place in lost if place[0] != "waiting"}


def test_a_frame_that_is_marked_without_its_result_is_not_there_until_it_comes_again():
    scene = Scene(4, lesion=(1, 2))
    desk = Desk(scene)
    *before, last = scene.everything()
    run(desk, *before)
    torn = next(place for place in desk.rows if place[0] == "results" and "/000003" in place[1])
    del desk.rows[torn]
    assert not [revision for revision in run(desk, last) if revision.status == "complete"]
    again = run(desk, scene.frame(3))
    assert [(revision.status, revision.frames) for revision in again] == [("complete", 4)]


def test_a_record_of_a_newer_schema_is_rejected_under_its_own_name():
    scene = Scene(2)
    desk = Desk(scene)
    for said, item in (
        (scene.opened(), f"{scene.screening_id}/opened"),
        (scene.sequence_closed(number=3), f"{scene.sequence_id}/closed/3"),
        (scene.screening_closed(), f"{scene.screening_id}/closed/1"),
    ):
        with pytest.raises(Unusable) as caught:
            desk.arrive(desk.message_of(said, major=2))
        subject = caught.value.subject
        assert caught.value.reason == "schema_from_future"
        assert (subject.van_id, subject.screening_id, subject.item_id) == ("van-1", scene.screening_id, item)
        assert subject.verified


def test_whoever_takes_over_continues_numbers_and_names():
    scene = Scene(20, lesion=range(4, 12))
    first, said = Desk(scene), scene.everything()
    published = run(first, *said)
    second = Desk(scene)
    second.rows = {place: data for place, data in first.rows.items() if place[0] != "published"}
    assert watermark(second.row) == 0
    second.keep(reflected(second.row, published, 7))
    assert watermark(second.row) == 7
    assert run(second, *said) == []
    more = run(second, scene.screening_closed(number=2))
    assert more[-1].revision_number == published[-1].revision_number + 1
    assert more[-1].findings[0].finding_id == published[-1].findings[0].finding_id
