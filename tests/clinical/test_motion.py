"""A frame that is far less sharp than its sweep usually is counts as blurred, and nothing else does."""

import random
from typing import Any, Final

import pytest

from sonovan.clinical.motion import blurred
from sonovan.contracts.frames import FrameSegmented, PanelRefusal
from sonovan.contracts.van import Panel
from tests.clinical.records import SWEEP_2, segmented


def sweep(*across: float, down: float = 0.6) -> list[FrameSegmented]:
    return [segmented(index, sharpness=(value, down)) for index, value in enumerate(across)]


def test_a_frame_that_lost_its_detail_in_one_direction_is_blurred() -> None:
    frames = [*sweep(*[0.3] * 10), segmented(10, sharpness=(0.05, 0.6)), segmented(11, sharpness=(0.3, 0.1))]
    assert blurred(frames) == {frames[10].frame_id, frames[11].frame_id}


def test_any_order_gives_the_same() -> None:
    frames = sweep(*[0.3] * 10, 0.05, 0.28, 0.07)
    shuffled = random.Random(0).sample(frames, len(frames))
    assert blurred(shuffled) == blurred(frames) != frozenset()


def test_each_sweep_is_held_against_itself() -> None:
    coarse = [segmented(index, sequence_id=SWEEP_2, sharpness=(0.05, 0.1)) for index in range(10)]
    assert blurred([*sweep(*[0.3] * 10), *coarse]) == frozenset()


def of(*values: tuple[float, float], **other: Any) -> list[FrameSegmented]:
    return [segmented(index, sharpness=value, **other) for index, value in enumerate(values)]


USUAL: Final = (0.3, 0.6)


@pytest.mark.parametrize("at", [0, 1, 20, 57, 60])
@pytest.mark.parametrize("count", [1, 6, 24])
@pytest.mark.parametrize("closer", [(0.19, 0.42), (0.12, 0.3)])
def test_a_depth_that_changes_within_a_sweep_is_no_blur(closer: tuple[float, float], count: int, at: int) -> None:
    assert blurred(of(*[USUAL] * at, *[closer] * count, *[USUAL] * (60 - at))) == frozenset()


@pytest.mark.parametrize("at", [20, 30, 60])
def test_a_depth_that_is_kept_is_no_blur_however_much_it_magnifies(at: int) -> None:
    assert blurred(of(*[USUAL] * at, *[(0.02, 0.05)] * 12, *[USUAL] * (60 - at))) == frozenset()


def test_a_short_loss_on_both_axes_is_blur_and_so_is_a_long_one_on_one_axis() -> None:
    assert len(blurred(of(*[USUAL] * 20, *[(0.05, 0.1)] * 3, *[USUAL] * 20))) == 3
    assert len(blurred(of(*[USUAL] * 20, *[(0.04, 0.5)] * 15, *[USUAL] * 20))) == 15


@pytest.mark.parametrize(
    "other",
    [
        {"columns": 800},
        {"panels": (Panel(ordinal=0, left=0, top=0, width=600, height=480),)},
        {"refusals": (PanelRefusal(panel=1, reason="no_contact"),)},
    ],
)
def test_frames_of_another_size_panel_or_refusal_are_held_against_their_own_kind(other: dict[str, Any]) -> None:
    frames = [segmented(30 + index, sharpness=(0.02, 0.6), **other) for index in range(10)]
    assert blurred([*sweep(*[0.3] * 30), *frames]) == frozenset()


@pytest.mark.parametrize("count", [1, 7])
def test_a_few_frames_have_no_usual_sharpness(count: int) -> None:
    assert blurred(sweep(*[0.3] * (count - 1), 0.01)) == frozenset()


def test_frames_that_cannot_be_assessed_or_say_nothing_are_left_out() -> None:
    refused = segmented(20, assessable=False, not_assessable_reason="no_contact", sharpness=(0.0, 0.0))
    assert blurred([*sweep(*[0.3] * 10), refused, segmented(21)]) == frozenset()
