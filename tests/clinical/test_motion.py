"""A frame that is far less sharp than its sweep usually is counts as blurred, and nothing else does."""

import random

import pytest

from clinical.motion import blurred
from contracts.results import FrameSegmented
from tests.clinical.records import SWEEP_2, segmented


def sweep(*across: float, down: float = 0.6) -> list[FrameSegmented]:
    return [segmented(index, sharpness=(value, down)) for index, value in enumerate(across)]


def test_a_frame_that_lost_its_detail_in_one_direction_is_blurred() -> None:
    frames = [*sweep(*[0.3] * 10), segmented(10, sharpness=(0.1, 0.6)), segmented(11, sharpness=(0.3, 0.2))]
    assert blurred(frames) == {frames[10].frame_id, frames[11].frame_id}


def test_any_order_gives_the_same() -> None:
    frames = sweep(*[0.3] * 10, 0.1, 0.28, 0.15)
    shuffled = random.Random(0).sample(frames, len(frames))
    assert blurred(shuffled) == blurred(frames) != frozenset()


def test_each_sweep_is_held_against_itself() -> None:
    coarse = [segmented(index, sequence_id=SWEEP_2, sharpness=(0.05, 0.1)) for index in range(10)]
    assert blurred([*sweep(*[0.3] * 10), *coarse]) == frozenset()


@pytest.mark.parametrize("count", [1, 7])
def test_a_few_frames_have_no_usual_sharpness(count: int) -> None:
    assert blurred(sweep(*[0.3] * (count - 1), 0.01)) == frozenset()


def test_frames_that_cannot_be_assessed_or_say_nothing_are_left_out() -> None:
    refused = segmented(20, assessable=False, not_assessable_reason="no_contact", sharpness=(0.0, 0.0))
    assert blurred([*sweep(*[0.3] * 10), refused, segmented(21)]) == frozenset()
