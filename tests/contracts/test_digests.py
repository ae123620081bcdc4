"""The same content has the same name, whatever surrounds it."""

from datetime import timedelta

import pytest

from sonovan.contracts.derivation import USUAL, Programme
from sonovan.contracts.digests import result_digest, revision_id
from sonovan.contracts.frames import Descriptor, FrameSegmented, PanelRefusal
from sonovan.contracts.van import ScreeningClosed, SequenceClosed
from tests.stream_apps.assess.scene import Scene

SCENE = Scene(4, lesion=(1, 2))
RESULT = SCENE.frame(1)[1]
SEQUENCE, SCREENING = SCENE.sequence_closed()[1], SCENE.screening_closed()[1]
assert isinstance(RESULT, FrameSegmented)
assert isinstance(SEQUENCE, SequenceClosed)
assert isinstance(SCREENING, ScreeningClosed)


@pytest.mark.parametrize(
    "outside",
    [{"timings_ms": {"segment": 99.0}}, {"provider": "openvino/bf16"}, {"image_key": "elsewhere"}, {"van_id": "v"}],
)
def test_timings_provider_and_keys_lie_outside_a_results_digest(outside):
    assert result_digest(RESULT.model_copy(update=outside)) == result_digest(RESULT)


@pytest.mark.parametrize(
    "inside",
    [
        {"regions": ()},
        {"quality": 0.1},
        {"assessable": False},
        {"weights_sha256": "cd" * 32},
        {"fingerprint": "cd" * 32},
        {"refusals": (PanelRefusal(panel=1, reason="no_contact"),)},
        {"sharpness": (0.3, 0.4)},
        {"pixels_sha256": "cd" * 32},
    ],
)
def test_what_was_seen_lies_inside_a_results_digest(inside):
    assert result_digest(RESULT.model_copy(update=inside)) != result_digest(RESULT)


def test_what_heads_say_of_a_region_lies_inside_a_results_digest():
    region = RESULT.regions[0]
    look = Descriptor(name="margin", value="circumscribed", probability=0.8)
    for said in ({"unconfirmed": True}, {"predicted_dice": 0.4}, {"malignant": 0.4}, {"descriptors": (look,)}):
        assert result_digest(RESULT.model_copy(update={"regions": (region.model_copy(update=said),)})) != result_digest(
            RESULT
        )


def name(**changed: object) -> str:
    arguments = {
        "results": {"a/000001": "x", "a/000000": "y"}, "rejected": {}, "sequence_closings": [SEQUENCE],
        "screening_closings": [SCREENING], "features": None, "amendments": (), "deadline_passed": False,
        "model_id": "m", "rules_version": "1.0", "programme": USUAL,
    } | changed  # fmt: skip
    return revision_id(**arguments)


def test_order_times_and_van_lie_outside_a_revisions_id():
    later = SEQUENCE.model_copy(update={"closed_at": SEQUENCE.closed_at + timedelta(days=1), "van_id": "other"})
    assert name(results={"a/000000": "y", "a/000001": "x"}, sequence_closings=[later]) == name()


def test_a_screening_whose_closing_tells_of_nobody_leaving_keeps_the_name_that_it_had_before():
    """The name as it was made before closings could tell who scanned and who left."""
    closed = SEQUENCE.model_copy(update={"sequence_id": "a", "screening_id": "b", "frames_digest": "c"})
    over = SCREENING.model_copy(update={"sequence_ids": ("a",), "screening_id": "b"})
    made = name(results={"a/000000": "x"}, sequence_closings=[closed], screening_closings=[over])
    assert made == "9e4c556ca6f5dd035ca8af1421b88443038e45c8c539e4ccba8bcc963b5e447b"


def test_who_scanned_lies_outside_a_revisions_id():
    assert name(sequence_closings=[SEQUENCE.model_copy(update={"operator": "op-7"})]) == name()


@pytest.mark.parametrize(
    "inside",
    [{"results": {"a/000001": "x"}}, {"rejected": {"a/000002": "pixels_corrupt"}}, {"screening_closings": []},
     {"deadline_passed": True}, {"model_id": "other"}, {"rules_version": "1.1"},
     {"sequence_closings": [SEQUENCE.model_copy(update={"frame_count": 5})]},
     {"screening_closings": [SCREENING.model_copy(update={"stays": True})]},
     {"screening_closings": [SCREENING.model_copy(update={"left_at": SCREENING.closed_at})]}],
)  # fmt: skip
def test_all_that_a_revision_says_lies_inside_its_id(inside):
    assert name(**inside) != name()


def test_another_choice_of_the_programme_is_another_revision():
    for chosen in (Programme(bi_rads_edition="v2025"), Programme(calibration_shift=-1.5)):
        assert name(programme=chosen) != name()
