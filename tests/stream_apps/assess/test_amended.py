"""A screening that is amended gets another revision; nothing that was received is changed, and any order ends alike."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sonovan.contracts.amendments import REASONS_OF, ScreeningAmended
from sonovan.contracts.answers import VanAnswered
from sonovan.contracts.clinical_record import FeaturesRecorded
from sonovan.contracts.ids import frame_id
from sonovan.contracts.record import Record
from sonovan.contracts.results import ScreeningAssessed
from sonovan.contracts.topics import Topic
from sonovan.contracts.van import PlannedRegion, ScreeningClosed, ScreeningOpened
from sonovan.stream_apps.assess.assessment import sequence_records
from tests.stream_apps.assess.scene import EPOCH, Desk, Scene

Said = tuple[Topic, Record]

SLIP, OTHER_SLIP = "A1W", "A2U"
LEFT, RIGHT = (PlannedRegion(organ="breast", side="left"), PlannedRegion(organ="breast", side="right"))


def amended(scene: Scene, number: int, kind: str, **fields: Any) -> Said:
    """Amendment `number` of the scene's screening, with the first reason that its kind may have."""
    record = ScreeningAmended.model_validate(
        {
            "screening_id": scene.screening_id,
            "van_id": scene.van_id,
            "amendment_number": number,
            "amendment": {"kind": kind, **fields},
            "because": REASONS_OF[kind][0],  # type: ignore[index]
            "amended_at": EPOCH,
        }
    )
    return Topic.SCREENING_AMENDED, record


def wrong_side(scene: Scene, number: int = 1, side: str = "right", **fields: Any) -> Said:
    return amended(scene, number, "side", sequence_ids=(scene.sequence_id,), laterality=side, **fields)


def saw(scene: Scene, number: int = 1, index: int = 3, **place: Any) -> Said:
    return amended(scene, number, "seen", frame_id=frame_id(scene.sequence_id, index), **place)


def with_fields(said: Said, **fields: Any) -> Said:
    return said[0], said[1].model_copy(update=fields)


def felt(scene: Scene) -> Said:
    record = FeaturesRecorded(
        screening_id=scene.screening_id, van_id=scene.van_id, features_number=1, recorded_at=EPOCH, palpable_lump="left"
    )
    return Topic.FEATURES_RECORDED, record


def whole(scene: Scene) -> list[Said]:
    """Both sides planned, the left one swept and ticked off; she has a slip, and feels a lump on the left."""
    opened, *others, closed = scene.everything()
    return [
        with_fields(opened, planned=(LEFT, RIGHT), slip_number=SLIP),
        felt(scene),
        *others,
        with_fields(closed, covered=(LEFT,)),
    ]


def last(desk: Desk, said: Sequence[Said]) -> ScreeningAssessed:
    found = [made.revision.assessed for each in said if (made := desk.take(each)).revision]
    return found[-1]


def levels(revision: ScreeningAssessed) -> dict[str | None, str]:
    return {row.laterality: row.level for row in revision.adequacy}


def test_a_wrong_side_is_put_right_in_findings_places_and_coverage_and_names_stay() -> None:
    scene = Scene(20, lesion=range(4, 12))
    desk = Desk(scene)
    before = last(desk, [*[with_fields(each, position="10h") if each[0] is Topic.FRAME_SEGMENTED else each
                           for each in whole(scene)]])  # fmt: skip
    after = last(desk, [wrong_side(scene)])
    assert after.revision_number == before.revision_number + 1
    assert [each.finding_id for each in after.findings] == [each.finding_id for each in before.findings]
    assert [each.laterality for each in (*before.findings, *after.findings)] == ["left", "right"]
    regions = [each.location and each.location.region for each in (*before.findings, *after.findings)]
    assert regions == ["upper_inner", "upper_outer"], "10 o'clock is inner on the left, outer on the right"
    assert levels(before) == {"left": "adequate", "right": "not_examined"}
    assert levels(after) == {"left": "not_examined", "right": "adequate"}, "the tick was for this sweep"
    assert [(each.kind, each.because, each.laterality, each.sequence_ids) for each in after.amendments] == [
        ("side", "side_entered_wrong", "right", (scene.sequence_id,))
    ]


def test_a_checklist_stays_with_a_wrong_side_unless_it_was_mistaken_as_well() -> None:
    for too, planned in ((False, {"left": "not_examined", "right": "usable"}), (True, {"right": "usable"})):
        scene = Scene(20)
        after = last(Desk(scene), [*scene.everything(), wrong_side(scene, planned_too=too)])
        assert levels(after) == planned


def test_the_newest_of_two_sides_counts_and_one_taken_back_is_as_if_it_never_was() -> None:
    scene = Scene(6, lesion=range(6))
    desk = Desk(scene)
    straight = last(desk, scene.everything())
    assert last(desk, [wrong_side(scene, 1)]).findings[0].laterality == "right"
    back = last(desk, [amended(scene, 2, "taken_back", amendment_number=1)])
    assert back.amendments == ()
    assert (back.findings, back.adequacy) == (straight.findings, straight.adequacy)
    assert back.revision_id != straight.revision_id, "one name never has two contents, nor two numbers"
    last(desk, [wrong_side(scene, 4, "left")])
    newest = last(desk, [wrong_side(scene, 5, "right")])
    assert newest.findings[0].laterality == "right"
    assert [each.amendment_number for each in newest.amendments] == [5], "what was replaced does not stand on the page"
    assert desk.take(wrong_side(scene, 4, "left")).revision is None, "an older one that comes again changes nothing"


def test_a_side_that_the_organ_does_not_have_changes_nothing_and_says_so() -> None:
    scene = Scene(6, lesion=range(6))
    after = last(Desk(scene), [*scene.everything(), wrong_side(scene, side="isthmus")])
    assert after.findings[0].laterality == "left"
    assert after.amendments[0].sequence_ids == ()


def test_a_void_screening_says_nothing_of_her_and_all_that_was_found_is_withdrawn() -> None:
    scene = Scene(20, lesion=range(4, 12))
    desk = Desk(scene)
    before = last(desk, whole(scene))
    taken = desk.take(amended(scene, 1, "void"))
    assert taken.revision is not None
    after = taken.revision.assessed
    assert after.status == "complete"
    assert (after.findings, after.adequacy, after.advice, after.categories, after.frames) == ((), (), (), (), 0)
    assert {each.finding_id for each in after.withdrawn} == {each.finding_id for each in before.findings}
    assert taken.revision.recorded is None
    assert [each.frames for each in sequence_records(after, taken.revision.results)] == [0]
    report = next(each.record for each in taken.records if isinstance(each.record, VanAnswered) and each.record.status)
    assert report.findings is None, "no number of findings looks like a negative result"
    back = last(desk, [amended(scene, 2, "taken_back", amendment_number=1)])
    assert [each.finding_id for each in back.findings] == [each.finding_id for each in before.findings]


def test_without_consent_to_a_machine_its_output_goes_and_the_referral_for_what_she_feels_stays() -> None:
    scene = Scene(20, lesion=range(4, 12))
    after = last(Desk(scene), [*whole(scene), amended(scene, 1, "consent", withdrawn=("ai",))])
    assert (after.findings, after.adequacy, after.categories, after.frames) == ((), (), (), 0)
    assert [each.rule for each in after.advice] == ["diagnostic_referral"]


def test_consent_to_the_screening_that_is_withdrawn_says_nothing_of_her_at_all() -> None:
    scene = Scene(20, lesion=range(4, 12))
    desk = Desk(scene)
    last(desk, whole(scene))
    made = desk.take(amended(scene, 1, "consent", withdrawn=("screening",))).revision
    assert made is not None
    assert (made.assessed.findings, made.assessed.advice, made.recorded) == ((), (), None)


def test_research_and_sharing_that_are_withdrawn_are_carried_and_the_result_stays() -> None:
    scene = Scene(20, lesion=range(4, 12))
    desk = Desk(scene)
    before = last(desk, whole(scene))
    after = last(desk, [amended(scene, 1, "consent", withdrawn=("research", "sharing"))])
    assert after.findings == before.findings
    assert [each.withdrawn for each in after.amendments] == [("research", "sharing")]


def test_the_report_names_the_slip_that_the_screening_was_joined_to_and_no_record_does() -> None:
    scene = Scene(4)
    desk = Desk(scene)
    last(desk, whole(scene))
    made = desk.take(amended(scene, 1, "woman", subject_key="ef" * 32, slip_number=OTHER_SLIP)).revision
    assert made is not None
    assert made.slip_number == OTHER_SLIP
    assert [(each.kind, each.because) for each in made.assessed.amendments] == [("woman", "two_slips")]
    written = made.assessed.encode().decode()
    assert OTHER_SLIP not in written
    assert "ef" * 32 not in written


def test_an_amendment_before_anything_else_counts_when_the_rest_is_here() -> None:
    scene = Scene(6, lesion=range(6))
    first = last(Desk(scene), [wrong_side(scene), *whole(scene)])
    assert first.findings[0].laterality == "right"
    assert first.status == "complete"


def test_a_mark_is_shown_to_the_reader_and_takes_nothing_away() -> None:
    scene = Scene(20, lesion=range(4, 12))
    desk = Desk(scene)
    before = last(desk, whole(scene))
    after = last(desk, [saw(scene)])
    (told,) = [each.mark for each in after.amendments if each.mark is not None]
    assert (told.frame_id, told.sweep, told.organ, told.laterality) == (
        frame_id(scene.sequence_id, 3), 1, "breast", "left",
    )  # fmt: skip
    assert (after.findings, after.categories, after.status) == (before.findings, before.categories, before.status)
    assert levels(after) == levels(before)
    reasons = {row.laterality: row.reasons for row in after.adequacy}
    assert reasons["left"][-1] == "operator_marked"
    assert "operator_marked" not in reasons["right"]
    gone = [each for each in before.advice if each not in after.advice]
    new = [each for each in after.advice if each not in before.advice]
    assert (gone, [(each.rule, each.laterality) for each in new]) == ([], [("look_at_marked", "left")])


def test_a_mark_goes_with_its_sweep_to_another_side_and_away_when_it_was_a_mistake() -> None:
    scene = Scene(20)
    desk = Desk(scene)
    last(desk, whole(scene))
    after = last(desk, [saw(scene, 1)])
    moved = last(desk, [wrong_side(scene, 2)])
    marked = [[each.mark.laterality for each in made.amendments if each.mark] for made in (after, moved)]
    assert marked == [["left"], ["right"]]
    said = last(desk, [saw(scene, 3, organ="breast", laterality="left")])
    assert [each.mark.laterality for each in said.amendments if each.mark] == ["right", "left"], "as she said it"
    back = last(desk, [amended(scene, number, "taken_back", amendment_number=number - 3) for number in (4, 6)])
    assert [each.mark for each in back.amendments if each.mark] == []


@pytest.mark.parametrize("withdrawn", ["ai", "screening"])
def test_a_mark_outlives_consent_to_a_machine_and_not_consent_to_the_screening(withdrawn: str) -> None:
    scene = Scene(20)
    after = last(Desk(scene), [*whole(scene), saw(scene), amended(scene, 2, "consent", withdrawn=(withdrawn,))])
    rules = {each.rule for each in after.advice}
    assert ("look_at_marked" in rules) == (withdrawn == "ai")


def test_an_amendment_moves_no_deadline() -> None:
    scene = Scene(6, lesion=range(6))
    desk = Desk(scene)
    for each in whole(scene)[:-2]:
        desk.take(each)
    row = desk.rows["screenings", scene.screening_id]
    desk.take(wrong_side(scene))
    assert row.split(b'"last_control_at":')[1][:30] in desk.rows["screenings", scene.screening_id]


AMENDMENTS = 6
FRAMES = 6
MESSAGES = FRAMES + 4 + AMENDMENTS


def amended_screening(scene: Scene) -> list[Said]:
    made = [
        wrong_side(scene, 1),
        amended(scene, 2, "void"),
        amended(scene, 3, "taken_back", amendment_number=2),
        amended(scene, 4, "woman", subject_key="ef" * 32, slip_number=OTHER_SLIP),
        saw(scene, 5),
        amended(scene, 6, "seen"),
    ]
    said = [*whole(scene), *made]
    assert len(said) == MESSAGES
    return said


@given(order=st.permutations(range(MESSAGES)), again=st.lists(st.integers(0, MESSAGES - 1), max_size=10))
@settings(max_examples=40, deadline=None)
def test_any_order_and_repetition_of_amendments_ends_in_the_same_revision(order: list[int], again: list[int]) -> None:
    scene = Scene(FRAMES, lesion=range(2, 5))
    said = amended_screening(scene)
    straight, mixed = Desk(scene), Desk(scene)
    expected = last(straight, said)
    made = [kept for index in [*order, *again] if (kept := mixed.take(said[index]).revision)]
    revisions = [each.assessed for each in made]
    assert revisions[-1].revision_id == expected.revision_id
    assert revisions[-1].findings[0].laterality == "right"
    assert made[-1].slip_number == OTHER_SLIP
    assert (revisions[-1].amendments, revisions[-1].adequacy) == (expected.amendments, expected.adequacy)
    assert revisions[-1].advice == expected.advice
    assert [each.revision_number for each in revisions] == list(range(1, len(revisions) + 1))
    assert len({each.revision_id for each in revisions}) == len(revisions)


@pytest.mark.parametrize("kind", ["opened", "closed"])
def test_what_was_received_stays_as_it_was(kind: str) -> None:
    """An amendment is read beside the records: the rows keep these as the van sent them."""
    scene = Scene(2, lesion=(0, 1))
    desk = Desk(scene)
    last(desk, whole(scene))
    before = desk.rows["screenings", scene.screening_id]
    last(desk, [wrong_side(scene, planned_too=True)])
    after = desk.rows["screenings", scene.screening_id]
    said = next(
        each for _, each in whole(scene) if isinstance(each, ScreeningOpened if kind == "opened" else ScreeningClosed)
    )
    assert said.model_dump_json().encode() in before
    assert said.model_dump_json().encode() in after
