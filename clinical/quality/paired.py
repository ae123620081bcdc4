"""How two networks differ on the same frames: means, and the interval of their difference."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from sonovan.clinical.quality.agreement import mean_ci95

Pairs = Sequence[tuple[float, float]]
"""Of the frames of one screening: the figure of the network that runs, and of the candidate."""


@dataclass(frozen=True, slots=True)
class Paired:
    """A figure of two networks over the same frames. difference: the candidate's minus that of the one that runs.

    low, high: its 95 % interval, drawing whole screenings; None with fewer than two.
    """

    screenings: int
    frames: int
    running: float
    candidate: float
    difference: float
    low: float | None
    high: float | None

    @property
    def differs(self) -> bool:
        """Whether the interval leaves 0 out."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)


def paired(screenings: Sequence[Pairs]) -> Paired | None:
    """The figure over the frames of these screenings; None where there is no frame.

    Source: Field & Welsh, J R Stat Soc B 69:369 (2007), the cluster bootstrap.
    """
    held = [pairs for pairs in screenings if pairs]
    if not held:
        return None
    frames = sum(map(len, held))
    running = math.fsum(one for pairs in held for one, _ in pairs) / frames
    candidate = math.fsum(other for pairs in held for _, other in pairs) / frames
    interval = mean_ci95([[other - one for one, other in pairs] for pairs in held])
    low, high = interval or (None, None)
    difference = round(candidate - running, 4)
    return Paired(len(held), frames, round(running, 4), round(candidate, 4), difference, low, high)
