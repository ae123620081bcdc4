"""Which frames a clip seems to lack by its own times."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np

from sonovan.producers.sources.clip import Clip, decoding_error

_AT_LEAST: Final = 8
"""So few frames tell no rate."""
_STEADY: Final = 0.75
"""A clip has a constant rate if this share of its frames follow each other at one step, to within a quarter of it."""
_GAP: Final = 1.5


def packet_times(clip: Clip) -> list[int]:
    """The times in ticks of the packets that give a frame, in order; the clip is read to its end."""
    found: list[int] = []
    try:
        for packet in clip.container.demux(clip.stream):
            time = packet.pts if packet.pts is not None else packet.dts
            if packet.size and not packet.is_discard and time is not None:
                found.append(time)
    except (decoding_error(), OSError):
        pass  # the reader of its frames says what is wrong with it
    return sorted(found)


def time_gaps(times: Sequence[int]) -> list[tuple[int, int, int]]:
    """(frames before it, its start from the first frame, its length) of every gap in a clip of constant rate.

    times: of the frames, in order and in ticks. A gap is longer than 1.5 steps. Empty for a clip of varying rate.
    """
    if len(times) < _AT_LEAST:
        return []
    steps = np.diff(np.asarray(times, np.float64))
    step = float(np.median(steps))
    if step <= 0 or np.mean(np.abs(steps - step) <= step / 4) < _STEADY:
        return []
    return [
        (number, before - times[0], after - before)
        for number, (before, after) in enumerate(pairwise(times), start=1)
        if after - before > _GAP * step
    ]
