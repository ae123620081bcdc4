"""Which frames of a sweep were blurred by motion: those far less sharp than others like them are."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from sonovan.contracts.frames import FrameSegmented

Sharpness = tuple[float, float]


@dataclass(frozen=True, slots=True)
class MotionRules:
    """The project's own numbers, for a site to confirm.

    sharp: a frame that has less than this share of the usual sharpness, across or down, is blurred. A depth or zoom
    that magnifies by 1.1 to 1.3 left .33 at least over two breast cines and four simulated sweeps; a smear over 2 % of
    the width left .17 at most on its worse axis, in any direction, and single frames of the cines had .81 at least.
    near: usual is what so many frames before it have, and what so many after it have, the lower of both medians: a
    depth that is kept for as long is no blur, whatever it takes away.
    directed: where the rest of the sweep is sharp, blur may last longer if it spares the other axis: what the axis has
    left is below this share of what the other has. That smear left .17 at most along the axes, such a zoom .53 at
    least.
    frames: from so many assessable frames alike on, a sweep has a usual sharpness.
    """

    sharp: float = 0.3
    near: int = 8
    directed: float = 0.25
    frames: int = 8


MOTION_RULES: Final = MotionRules()


def blurred(results: Iterable[FrameSegmented], rules: MotionRules = MOTION_RULES) -> frozenset[str]:
    """Ids of the assessable frames that motion blurred; results may be of several sweeps, in any order.

    Frames are held against those of their sweep that have the same size, panels, scale and refused panels. A sweep
    that is blurred for more than half of its frames has no sharp median and shows nothing.
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
