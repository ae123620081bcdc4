"""How unevenly sweeps fall on workers, by the number of partitions: `python -m benchmarks.scale.partitions`.

A van that scans sends one sweep after the other, each to the partition that its id falls on by chance; the partitions
are shared out evenly to the workers. A worker must carry the sweeps that fall on it, so what counts is the busiest one
against the mean. Nothing is started: chance with a seed, the median over many draws.
"""

import json
import random
import statistics
import sys
from collections import Counter
from typing import Any, Final

DRAWS: Final = 400
SEED: Final = 0
SCANNING: Final = 6
"""One of so many vans scans at a moment: 5 frames a second in the mean, 30 while it scans (docs/scale.md)."""


def busiest(vans: int, partitions: int, workers: int, draws: int = DRAWS) -> float:
    """How many times the mean the busiest of the workers has to do, the median over the draws.

    partitions: at least as many as workers; worker w holds those that are w modulo the workers.
    Raises ValueError where fewer partitions than workers would leave some without work.
    """
    if partitions < workers:
        raise ValueError(f"{partitions} partitions cannot be shared by {workers} workers")
    chance = random.Random(SEED)
    sweeps = max(1, vans // SCANNING)
    found = []
    for _ in range(draws):
        load = Counter(chance.randrange(partitions) % workers for _ in range(sweeps))
        found.append(max(load.values()) * workers / sweeps)
    return round(statistics.median(found), 2)


def table() -> dict[str, Any]:
    """The busiest worker for cells of 190 and 1,000 vans, by partitions and workers."""
    return {
        f"{vans} vans": {
            f"{partitions} partitions, {workers} workers": busiest(vans, partitions, workers)
            for partitions in (96, 192, 384, 768)
            for workers in (38, 96, 200, 400)
            if workers <= partitions
        }
        for vans in (190, 1000)
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(table(), indent=2) + "\n")
