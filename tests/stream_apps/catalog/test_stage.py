"""The stage's step: whose signature counts, how long an unknown van is waited for, what masks of a review come to."""

import hashlib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import imagecodecs
import numpy as np
import pytest

from sonovan.contracts.errors import InvalidRecord, Transient
from sonovan.contracts.reviews import Compared
from sonovan.contracts.signatures import generate_key, public_key
from sonovan.contracts.van import VanEnrolled
from sonovan.storage.catalogue.database import Database, open_database
from sonovan.stream_apps.catalog.scoring import UNKNOWN, scores_of
from sonovan.stream_apps.catalog.settings import CatalogSettings
from sonovan.stream_apps.catalog.stage import catalog_stage
from sonovan.stream_apps.stage import Message
from sonovan.stream_apps.vans import VanRegistry
from tests.clinical.records import NOON, SCREENING, VAN, sha
from tests.storage.catalogue.dump import asked
from tests.stream_apps.catalog.scene import FIRST_REVIEW, KEY, NoMasks, messages, opened, reviewed, said


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened_one = open_database(f"sqlite:///{tmp_path / 'catalog.sqlite'}")
    opened_one.prepare()
    yield opened_one
    opened_one.close()


def store(database: Database, message: Message, vans: VanRegistry, age_s: float) -> None:
    """Do what the stage does with a message of this age."""
    now = (message.at.appended_at + timedelta(seconds=age_s)).timestamp
    outcome = catalog_stage(database, vans.verify, NoMasks(), CatalogSettings(), now).process(message)
    assert outcome.records == ()
    assert outcome.store is not None
    outcome.store()


def screenings(database: Database) -> list[str]:
    return [row["screening_id"] for row in asked(database, "SELECT screening_id FROM screenings")]


def test_a_record_of_a_van_that_is_enrolled_a_moment_later_waits_for_the_registry(database: Database) -> None:
    (message,) = messages([opened()])
    vans = VanRegistry()
    with pytest.raises(Transient, match="van_unknown"):
        store(database, message, vans, age_s=1)
    vans.learn(VanEnrolled.first(VAN, public_key(KEY), NOON))
    store(database, message, vans, age_s=2)
    assert screenings(database) == [SCREENING]


def test_what_no_van_signed_is_left_out_without_a_rejection(database: Database) -> None:
    (message,) = messages([opened()])
    vans = VanRegistry()
    vans.learn(VanEnrolled.first(VAN, public_key(generate_key()), NOON))
    store(database, message, vans, age_s=60)
    assert screenings(database) == []
    (row,) = asked(database, "SELECT next_offset FROM read_offset")
    assert row == {"next_offset": 1}


def test_a_record_under_another_screenings_key_is_left_out(database: Database) -> None:
    (message,) = messages([opened()])
    vans = VanRegistry()
    vans.learn(VanEnrolled.first(VAN, public_key(KEY), NOON))
    store(database, Message(message.at, b"another", message.value), vans, age_s=60)
    assert screenings(database) == []


def test_what_the_centre_wrote_and_cannot_be_read_is_rejected(database: Database) -> None:
    (message,) = [each for each in messages(said()) if each.at.topic == "frame.segmented.v1"][:1]
    stage = catalog_stage(database, lambda *_: None, NoMasks(), CatalogSettings())
    with pytest.raises(InvalidRecord):
        stage.process(Message(message.at, message.key, b"{}"))


def mask(*columns: int) -> bytes:
    """A label mask of ten by ten in which these columns are outlined."""
    labels = np.zeros((10, 10), np.uint8)
    labels[:, list(columns)] = 1
    return bytes(imagecodecs.png_encode(labels))


class Masks(NoMasks):
    """A store with these masks, each under the sha256 of its bytes."""

    def __init__(self, *kept: bytes) -> None:
        self._kept = {hashlib.sha256(each).hexdigest(): each for each in kept}

    def get(self, bucket: str, key: str) -> bytes:
        return self._kept[key]


def scored(drawn: bytes | None, outlined: bytes | None, *kept: bytes) -> tuple[float | None, float | None]:
    """The scores of a review with these masks, where those of `kept` lie in the store."""
    one, other = (None if each is None else hashlib.sha256(each).hexdigest() for each in (drawn, outlined))
    beside = Compared(
        model_id="lesion-1", weights_sha256=sha("w"), fingerprint=sha("f"), mask_key=other, mask_sha256=other,
        assessable=True,
    )  # fmt: skip
    return scores_of(reviewed(FIRST_REVIEW, mask_key=one, mask_sha256=one, compared=beside), Masks(*kept))


def test_dice_and_iou_of_a_review_are_those_of_both_stored_masks() -> None:
    drawn, outlined = mask(0, 1, 2, 3), mask(2, 3, 4, 5)
    assert scored(drawn, outlined, drawn, outlined) == (0.5, pytest.approx(1 / 3, abs=1e-4))
    assert scored(drawn, None, drawn) == (0.0, 0.0)
    assert scored(None, outlined, outlined) == UNKNOWN, "what a reader finds empty is counted apart, as by `quality`"


def test_a_review_without_two_masks_that_can_be_compared_has_no_score() -> None:
    drawn, outlined = mask(0), mask(1)
    assert scored(None, None) == UNKNOWN
    assert scored(drawn, outlined, drawn) == UNKNOWN
    assert scores_of(reviewed(FIRST_REVIEW, compared=None), Masks()) == UNKNOWN
