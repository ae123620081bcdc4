"""Which frames of a sweep were blurred by motion: those far less sharp than their sweep usually is."""

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median
from typing import Final

from contracts.results import FrameSegmented


@dataclass(frozen=True, slots=True)
class MotionRules:
    """The project's own numbers, for a site to confirm.

    sharp: of the sweep's median sharpness, across and down; a frame that has less on either is blurred. Over two breast
    cines and eight clips (491 frames) none had less than .79; a smear over 2 % of the width left .52 at most.
    frames: from so many assessable frames on, a sweep has a usual sharpness.
    """

    sharp: float = 0.7
    frames: int = 8


MOTION_RULES: Final = MotionRules()


def blurred(results: Iterable[FrameSegmented], rules: MotionRules = MOTION_RULES) -> frozenset[str]:
    """Ids of the assessable frames that motion blurred; results may be of several sweeps, in any order.

    A sweep that is blurred for more than half of its frames has no sharp median and shows nothing.
    """
    sweeps: dict[str, list[tuple[str, tuple[float, float]]]] = {}
    for result in results:
        if result.assessable and result.sharpness is not None:
            sweeps.setdefault(result.sequence_id, []).append((result.frame_id, result.sharpness))
    found: set[str] = set()
    for frames in sweeps.values():
        if len(frames) < rules.frames:
            continue
        across, down = (rules.sharp * median(sharp[axis] for _, sharp in frames) for axis in (0, 1))
        found.update(name for name, sharp in frames if sharp[0] < across or sharp[1] < down)
    return frozenset(found)
