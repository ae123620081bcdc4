"""What a van is told of where findings lie, and that it is to forget them."""

from datetime import timedelta

from sonovan.contracts.answers import Pointed, VanAnswered
from sonovan.contracts.erasures import ScreeningErased
from sonovan.contracts.limits import MAX_POINTED, MAX_POINTED_CORNERS
from sonovan.contracts.results import ScreeningAssessed
from sonovan.contracts.topics import Topic
from sonovan.stream_apps.assess.pointing import pointed, thinned
from sonovan.stream_apps.assess.revise import Revision
from sonovan.stream_apps.assess.step import Decided, report_receipt
from tests.stream_apps.assess.scene import Desk, Scene
from tests.stream_apps.assess.test_amended import amended


def complete(scene: Scene) -> tuple[Desk, Revision, VanAnswered]:
    desk = Desk(scene)
    decided = [desk.take(said) for said in scene.everything()][-1]
    assert decided.revision is not None
    (answer,) = reports(decided)
    return desk, decided.revision, answer


def reports(decided: Decided) -> list[VanAnswered]:
    found = [each.record for each in decided.records]
    return [each for each in found if isinstance(each, VanAnswered) and each.kind == "report"]


def test_a_complete_revision_tells_where_its_findings_lie_and_nothing_of_what_they_are() -> None:
    scene = Scene(20, lesion=range(4, 12))
    _, revision, answer = complete(scene)
    (finding,) = revision.assessed.findings
    assert answer.pointed is not None
    (place,) = answer.pointed.places
    assert (place.finding_id, place.organ, place.laterality) == (finding.finding_id, "breast", "left")
    assert place.key_frame_id == finding.best.key_frame_id
    index = int(place.key_frame_id[-6:])
    assert place.outline is not None
    assert place.outline[0] == (100.0 + 2 * index, 100.0), "the outline is the one on that frame"
    told = answer.pointed.model_dump_json()
    for word in ("score", "malignant", "categor", "BI-RADS", "risk", "descriptor", "axis"):
        assert word not in told


def test_a_preliminary_revision_tells_no_places() -> None:
    scene = Scene(20, lesion=range(4, 12))
    desk = Desk(scene)
    taken = [desk.take(said) for said in (scene.opened(), scene.sequence_closed(), *map(scene.frame, (0, 16)))]
    first = [answer for each in taken for answer in reports(each)]
    assert [each.status for each in first] == ["preliminary"]
    assert first[0].pointed is None


def test_a_screening_that_is_void_tells_none_and_says_that_nothing_is_said() -> None:
    desk, _, _ = complete(scene := Scene(20, lesion=range(4, 12)))
    (answer,) = reports(desk.take(amended(scene, 1, "void")))
    assert (answer.findings, answer.pointed) == (None, None)


def test_an_erasure_is_told_to_the_van_that_scanned_her_also_when_the_rows_are_gone() -> None:
    scene = Scene(6, lesion=range(6))
    desk, _, _ = complete(scene)
    asked = ScreeningErased(screening_id=scene.screening_id, because="she_asked", by="op-7", erased_at=desk.now)
    for said in (asked, asked.model_copy(update={"van_id": "van-9"})):
        (answer,) = reports(desk.take((Topic.SCREENING_ERASED, said)))
        assert (answer.van_id, answer.screening_id) == (said.van_id or scene.van_id, scene.screening_id)
        assert (answer.findings, answer.status, answer.pointed) == (None, None, None)
    nobodys = Desk(Scene(1))
    assert reports(nobodys.take((Topic.SCREENING_ERASED, asked))) == [], "nobody knows which van"


def test_a_screening_whose_time_is_over_here_is_not_forgotten_on_the_van() -> None:
    scene = Scene(6, lesion=range(6))
    desk, _, _ = complete(scene)
    assert reports(desk.tick(desk.now + timedelta(days=20))) == []


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
    told = pointed(many(revision.assessed, MAX_POINTED + 5), revision.results)
    assert isinstance(told, Pointed)
    assert (len(told.places), told.more) == (MAX_POINTED, 5)
    assert [each.laterality for each in told.places] == ["left"] * 8 + ["right"] * 8


def test_whoever_tells_of_a_revision_again_tells_places_without_outlines() -> None:
    _, revision, answer = complete(Scene(6, lesion=range(6)))
    again = report_receipt(revision.assessed).record
    assert isinstance(again, VanAnswered)
    assert again.pointed is not None
    assert answer.pointed is not None
    assert again.pointed.places == tuple(each.model_copy(update={"outline": None}) for each in answer.pointed.places)


def test_an_outline_of_thousands_of_corners_is_thinned_and_a_small_one_left() -> None:
    corners = tuple((float(number), 1.0) for number in range(5000))
    assert MAX_POINTED_CORNERS / 2 < len(thinned(corners)) <= MAX_POINTED_CORNERS
    assert thinned(corners)[0] == corners[0]
    assert thinned(corners[:MAX_POINTED_CORNERS]) == corners[:MAX_POINTED_CORNERS]
