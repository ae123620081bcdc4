"""What a van is told of where findings lie, and that it is to forget them."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from sonovan.contracts.answers import Pointed, VanAnswered
from sonovan.contracts.erasures import ScreeningErased
from sonovan.contracts.limits import MAX_POINTED, MAX_POINTED_CORNERS
from sonovan.contracts.results import ScreeningAssessed
from sonovan.contracts.topics import Topic
from sonovan.stream_apps.assess.pointing import pointed, thinned
from sonovan.stream_apps.assess.revise import Revision
from sonovan.stream_apps.stage import Outgoing
from tests.stream_apps.assess.scene import Desk, Scene
from tests.stream_apps.assess.test_amended import amended, wrong_side


def complete(scene: Scene) -> tuple[Desk, Revision, Pointed]:
    desk = Desk(scene)
    decided = [desk.take(said) for said in scene.everything()][-1]
    assert decided.revision is not None
    (answer,) = answers(decided.sequences)
    assert answer.pointed is not None
    return desk, decided.revision, answer.pointed


def answers(sent: Iterable[Outgoing]) -> list[VanAnswered]:
    """The answers among these that are no receipts."""
    found = [each.record for each in sent]
    return [each for each in found if isinstance(each, VanAnswered) and each.kind == "report"]


def test_a_complete_revision_tells_where_its_findings_lie_and_nothing_of_what_they_are() -> None:
    _, revision, told = complete(Scene(20, lesion=range(4, 12)))
    (finding,) = revision.assessed.findings
    (place,) = told.places
    assert (place.finding_id, place.organ, place.laterality) == (finding.finding_id, "breast", "left")
    assert place.key_frame_id == finding.best.key_frame_id
    assert place.outline is not None
    assert place.outline[0] == (100.0 + 2 * int(place.key_frame_id[-6:]), 100.0), "the outline is the one on that frame"
    for word in ("score", "malignant", "categor", "BI-RADS", "risk", "descriptor", "axis"):
        assert word not in told.model_dump_json()


def test_places_go_before_their_revision_and_the_report_after_it_for_a_crash_between_loses_no_outline() -> None:
    scene = Scene(6, lesion=range(6))
    desk = Desk(scene)
    decided = [desk.take(said) for said in scene.everything()][-1]
    (places,), (report,) = answers(decided.sequences), answers(decided.records)
    assert (places.status, report.status) == (None, "complete")
    assert (places.revision_number, report.pointed) == (report.revision_number, None)
    assert places.item_id != report.item_id


def test_a_preliminary_revision_tells_no_places() -> None:
    scene = Scene(20, lesion=range(4, 12))
    desk = Desk(scene)
    taken = [desk.take(said) for said in (scene.opened(), scene.sequence_closed(), *map(scene.frame, (0, 16)))]
    assert [answer.status for each in taken for answer in answers(each.records)] == ["preliminary"]
    assert [answer for each in taken for answer in answers(each.sequences)] == []


def test_a_van_is_told_how_many_amendments_the_places_rest_on_and_none_beyond_a_gap() -> None:
    desk, _, told = complete(scene := Scene(20, lesion=range(4, 12)))
    assert told.amended is None
    counted = []
    for number in (1, 3, 2):
        (answer,) = answers(desk.take(wrong_side(scene, number, "left" if number == 3 else "right")).sequences)
        assert answer.pointed is not None
        counted.append(answer.pointed.amended)
    assert counted == [1, 1, 3]


def test_a_screening_that_is_void_tells_none_and_says_that_nothing_is_said() -> None:
    desk, _, _ = complete(scene := Scene(20, lesion=range(4, 12)))
    decided = desk.take(amended(scene, 1, "void"))
    assert answers(decided.sequences) == []
    assert [each.findings for each in answers(decided.records)] == [None]


def test_an_erasure_is_told_to_the_van_that_scanned_her_also_when_the_rows_are_gone() -> None:
    scene = Scene(6, lesion=range(6))
    desk, _, _ = complete(scene)
    asked = ScreeningErased(screening_id=scene.screening_id, because="she_asked", by="op-7", erased_at=desk.now)
    for said in (asked, asked.model_copy(update={"van_id": "van-9"})):
        (answer,) = answers(desk.take((Topic.SCREENING_ERASED, said)).records)
        assert (answer.van_id, answer.screening_id) == (said.van_id or scene.van_id, scene.screening_id)
        assert (answer.findings, answer.status, answer.pointed) == (None, None, None)
    nobodys = Desk(Scene(1))
    assert answers(nobodys.take((Topic.SCREENING_ERASED, asked)).records) == [], "nobody knows which van"


def test_a_screening_whose_time_is_over_here_is_not_forgotten_on_the_van() -> None:
    scene = Scene(6, lesion=range(6))
    desk, _, _ = complete(scene)
    assert answers(desk.tick(desk.now + timedelta(days=20)).records) == []


def many(assessed: ScreeningAssessed, count: int) -> ScreeningAssessed:
    """The revision with so many findings, each with a place further around the clock than the one before."""
    (finding,) = assessed.findings
    found = [
        finding.model_copy(update={"finding_id": f"{number:064x}", "laterality": "right" if number % 2 else "left"})
        for number in range(count)
    ]
    return assessed.model_copy(update={"findings": tuple(found)})


def test_the_order_of_places_tells_nothing_of_suspicion_and_what_is_left_out_is_counted() -> None:
    _, revision, _ = complete(Scene(6, lesion=range(6)))
    told = pointed(replace(revision, assessed=many(revision.assessed, MAX_POINTED + 5)))
    assert isinstance(told, Pointed)
    assert (len(told.places), told.more) == (MAX_POINTED, 5)
    assert [each.laterality for each in told.places] == ["left"] * 8 + ["right"] * 8


def test_an_outline_of_thousands_of_corners_is_thinned_and_a_small_one_left() -> None:
    corners = tuple((float(number), 1.0) for number in range(5000))
    assert MAX_POINTED_CORNERS / 2 < len(thinned(corners)) <= MAX_POINTED_CORNERS
    assert thinned(corners)[0] == corners[0]
    assert thinned(corners[:MAX_POINTED_CORNERS]) == corners[:MAX_POINTED_CORNERS]
