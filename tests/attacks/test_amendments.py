"""Who may amend a screening, how often, and what an amendment cannot carry."""

import pytest
from pydantic import ValidationError

from sonovan.contracts.amendments import ScreeningAmended
from sonovan.contracts.answers import VanAnswered
from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.limits import MAX_AMENDMENTS
from sonovan.contracts.signatures import generate_key, public_key
from sonovan.contracts.topics import Topic
from sonovan.contracts.van import Consent, VanEnrolled
from tests.stream_apps.assess.scene import EPOCH, Desk, Scene
from tests.stream_apps.assess.test_amended import amended, last, with_fields


def test_another_vans_amendment_is_refused_and_changes_nothing() -> None:
    scene = Scene(4, lesion=(1, 2))
    desk, other = Desk(scene), generate_key()
    desk.registry.learn(VanEnrolled.first("van-2", public_key(other), EPOCH))
    last(desk, scene.everything())
    rows = dict(desk.rows)
    with pytest.raises(InvalidRecord) as caught:
        desk.take(with_fields(amended(scene, 1, "void"), van_id="van-2"), private=other)
    assert caught.value.reason == "van_not_opener"
    assert desk.rows == rows


def test_another_vans_amendment_that_comes_before_the_opening_counts_for_nothing() -> None:
    scene = Scene(4, lesion=(1, 2))
    desk, other = Desk(scene), generate_key()
    desk.registry.learn(VanEnrolled.first("van-2", public_key(other), EPOCH))
    desk.take(with_fields(amended(scene, 1, "void"), van_id="van-2"), private=other)
    assert last(desk, scene.everything()).amendments == ()
    assert b'"kind":"void"' not in desk.rows["screenings", scene.screening_id]


def test_the_same_number_with_other_content_is_rejected_and_again_is_harmless() -> None:
    scene = Scene(4, lesion=(1, 2))
    desk = Desk(scene)
    last(desk, scene.everything())
    first = desk.take(amended(scene, 1, "consent", withdrawn=("research",)))
    again = desk.take(amended(scene, 1, "consent", withdrawn=("research",)))
    assert first.revision is not None
    assert again.revision is None
    for decided in (first, again):
        (receipt,) = (
            each.record for each in decided.records if isinstance(each.record, VanAnswered) and not each.record.status
        )
        assert (receipt.kind, receipt.item_id) == ("stored", f"{scene.screening_id}/amended/1")
    with pytest.raises(InvalidRecord) as caught:
        desk.take(amended(scene, 1, "void"))
    assert caught.value.reason == "record_contradicts_stored"


def test_an_amendment_of_a_newer_schema_is_rejected_under_its_own_name() -> None:
    scene = Scene(2)
    desk = Desk(scene)
    with pytest.raises(InvalidRecord) as caught:
        desk.arrive(desk.message_of(amended(scene, 3, "void"), major=2))
    assert caught.value.reason == "schema_from_future"
    assert caught.value.subject.item_id == f"{scene.screening_id}/amended/3"  # type: ignore[attr-defined]


def test_a_screening_that_was_refused_from_the_start_is_not_amended() -> None:
    scene = Scene(2)
    desk = Desk(scene)
    desk.take(scene.opened(consent=Consent(screening=True, ai=False)))
    with pytest.raises(InvalidRecord) as caught:
        desk.take(amended(scene, 1, "void"))
    assert caught.value.reason == "consent_refused"


@pytest.mark.parametrize(
    ("number", "kind", "fields"),
    [
        (MAX_AMENDMENTS + 1, "void", {}),
        (2, "taken_back", {"amendment_number": 2}),
        (1, "consent", {"withdrawn": ()}),
        (1, "consent", {"withdrawn": ("dancing",)}),
        (1, "side", {"sequence_ids": (), "laterality": "left"}),
        (1, "woman", {"subject_key": "Wang Xiaomei"}),
        (1, "void", {"remark": "Wang Xiaomei"}),
    ],
)
def test_what_no_amendment_may_be(number: int, kind: str, fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        amended(Scene(1), number, kind, **fields)


def test_a_reason_is_one_of_its_kinds_and_never_a_sentence() -> None:
    _, record = amended(Scene(1), 1, "void")
    for reason in ("two_slips", "Wang Xiaomei came twice"):
        with pytest.raises(ValidationError):
            ScreeningAmended.model_validate(record.model_dump() | {"because": reason})
    assert Topic.SCREENING_AMENDED == "screening.amended.v1"
