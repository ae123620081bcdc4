"""Find the frames of a sweep that motion blurred: those that are far less sharp than comparable frames of the sweep."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from sonovan.contracts.frames import FrameSegmented

Sharpness = tuple[float, float]


@dataclass(frozen=True, slots=True)
class MotionRules:
    """When a frame counts as blurred. The numbers are the project's own, for a site to confirm.

    A frame's sharpness is a pair, across and down the picture, that can be compared within one sweep only.

    sharp: a frame is blurred if on one axis it has less than this share of the usual sharpness. Measured on two breast
    cines and four simulated sweeps: a change of depth or zoom that magnifies by 1.1 to 1.3 left at least .33; a smear
    over 2 % of the width, in any direction, left at most .17 on its worse axis; sharp frames of the cines had at least
    .81.
    near: how many frames before and how many after give the usual sharpness. Each side has its median, and the lower of
    both is the usual one: a depth that is kept for so many frames is then not called blur, whatever detail it costs.
    directed: blur that lasts longer than that is found against the median of the whole sweep. It counts as motion only
    if it has a direction: the blurred axis keeps less than this share of the sharpness that the other axis keeps. The
    smear, along an axis, left at most .17 of it; the zoom at least .53.
    frames: a sweep with fewer comparable assessable frames has no usual sharpness, and none of them counts as blurred.
    """

    sharp: float = 0.3
    near: int = 8
    directed: float = 0.25
    frames: int = 8


MOTION_RULES: Final = MotionRules()


def blurred(results: Iterable[FrameSegmented], rules: MotionRules = MOTION_RULES) -> frozenset[str]:
    """The ids of the assessable frames that motion blurred.

    results: of one or several sweeps, in any order. A frame is compared with those frames of its sweep that have the
    same size, panels, scale and refused panels. A sweep of which more than half of the frames are blurred has a blurred
    median, so that its long blur is not found.
    """
    alike: dict[object, list[FrameSegmented]] = {}
    for result in sorted(results, key=lambda each: each.frame_index):
        if result.assessable and result.sharpness is not None:
            refused = tuple(refusal.panel for refusal in result.refusals)
            kind = (result.sequence_id, result.rows, result.columns, result.panels, refused)
            alike.setdefault(kind, []).append(result)
    found: set[str] = set()
    for frames in alike.values():
        if len(frames) < rules.frames:
            continue
        values = [frame.sharpness for frame in frames if frame.sharpness is not None]
        found.update(frame.frame_id for place, frame in enumerate(frames) if _blurred(values, place, rules))
    return frozenset(found)


def _blurred(values: Sequence[Sharpness], place: int, rules: MotionRules) -> bool:
    own, usual = values[place], _median(values)
    sides = (values[max(0, place - rules.near) : place], values[place + 1 : place + 1 + rules.near])
    medians = [_median(side) for side in sides if side]
    for axis, other in ((0, 1), (1, 0)):
        dips = own[axis] < rules.sharp * min(level[axis] for level in medians)
        lost = own[axis] < rules.sharp * usual[axis]
        if dips or (lost and own[axis] * usual[other] < rules.directed * own[other] * usual[axis]):
            return True
    return False


def _median(values: Sequence[Sharpness]) -> Sharpness:
    return median(value[0] for value in values), median(value[1] for value in values)
