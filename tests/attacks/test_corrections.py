"""A clinical record is corrected by its number; a van's clock decides nothing."""

from datetime import datetime, timedelta

import pytest

from sonovan.contracts.answers import VanAnswered
from sonovan.contracts.clinical_record import FeaturesRecorded
from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.record import Record
from sonovan.contracts.topics import Topic
from sonovan.stream_apps.assess.rows import ScreeningRow
from tests.stream_apps.assess.scene import EPOCH, Desk, Scene


def features(scene: Scene, number: int, age: int, at: datetime = EPOCH) -> tuple[Topic, Record]:
    record = FeaturesRecorded(
        screening_id=scene.screening_id, van_id=scene.van_id, features_number=number, recorded_at=at, age_years=age
    )
    return Topic.FEATURES_RECORDED, record


def age_known(desk: Desk) -> int | None:
    row = ScreeningRow.model_validate_json(desk.rows["screenings", desk.scene.screening_id])
    known = row.vans[desk.scene.van_id].features
    return None if known is None else known.age_years


def test_a_van_whose_clock_was_a_year_ahead_corrects_an_age() -> None:
    """The later `recorded_at` won: the correction was answered as stored, and changed nothing."""
    scene = Scene(1)
    desk = Desk(scene)
    desk.take(features(scene, 1, 74, EPOCH + timedelta(days=365)))
    decided = desk.take(features(scene, 2, 47))
    (receipt,) = (each.record for each in decided.records)
    assert isinstance(receipt, VanAnswered)
    assert (receipt.kind, receipt.item_id) == ("stored", f"{scene.screening_id}/features/2")
    assert age_known(desk) == 47


def test_an_older_record_that_comes_late_changes_nothing() -> None:
    scene = Scene(1)
    desk = Desk(scene)
    desk.take(features(scene, 2, 47))
    desk.take(features(scene, 1, 74, EPOCH + timedelta(days=365)))
    assert age_known(desk) == 47


def test_the_same_number_with_other_content_is_rejected_and_again_is_harmless() -> None:
    scene = Scene(1)
    desk = Desk(scene)
    for _ in range(2):
        desk.take(features(scene, 1, 47))
    with pytest.raises(InvalidRecord) as caught:
        desk.take(features(scene, 1, 48))
    assert caught.value.reason == "record_contradicts_stored"
    assert age_known(desk) == 47
