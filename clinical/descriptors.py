"""Sum up what a network says about a lesion on single frames, over all frames that show it."""

import math
from collections.abc import Sequence
from typing import Final

from sonovan.contracts.frames import Descriptor, Region

MAJORITY: Final = 0.5
"""A value is given where frames that carry at least this share of all weight agree on it; else it is not determined."""


def suspicion(regions: Sequence[Region]) -> float | None:
    """The mean of the regions' `malignant`, each weighing as much as its `score_mean`; None where none has one."""
    scored = [(region.score_mean, region.malignant) for region in regions if region.malignant is not None]
    return _mean(scored)


def over_frames(regions: Sequence[Region]) -> tuple[Descriptor, ...]:
    """One descriptor per name that any region carries, in the order in which they first come.

    Each frame votes with its `score_mean` times the value's probability; frames on which it is not determined vote
    for nothing, yet count. The value with most votes is given where the frames that say it carry `MAJORITY` of the
    weight; its probability is the weighted mean over those frames. Without such a value it is not determined, and the
    probability is the weighted mean over all frames that looked.
    """
    looked: dict[str, list[tuple[float, Descriptor]]] = {}
    for region in regions:
        for each in region.descriptors:
            looked.setdefault(each.name, []).append((region.score_mean, each))
    return tuple(_voted(name, votes) for name, votes in looked.items())


def _voted(name: str, votes: Sequence[tuple[float, Descriptor]]) -> Descriptor:
    values = sorted({each.value for _, each in votes if each.value is not None})
    said = {value: [(weight, each.probability) for weight, each in votes if each.value == value] for value in values}
    total = math.fsum(weight for weight, _ in votes)
    if values:
        best = max(values, key=lambda value: math.fsum(weight * share for weight, share in said[value]))
        if math.fsum(weight for weight, _ in said[best]) >= MAJORITY * total:
            return Descriptor(name=name, value=best, probability=_mean(said[best]) or 0.0)
    everywhere = _mean([(weight, each.probability) for weight, each in votes])
    return Descriptor(name=name, value=None, probability=everywhere or 0.0)


def _mean(weighted: Sequence[tuple[float, float]]) -> float | None:
    """The weighted mean, to three places; the plain one where nothing has weight, None where there is nothing."""
    if not weighted:
        return None
    total = math.fsum(weight for weight, _ in weighted)
    if total == 0:
        return round(math.fsum(value for _, value in weighted) / len(weighted), 3)
    return round(min(math.fsum(weight * value for weight, value in weighted) / total, 1.0), 3)
