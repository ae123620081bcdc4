"""Draw screens around real pictures, clean them on several processes, and count: `make bench-text` and `bench-van`."""

import multiprocessing
import random
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, Final

from benchmarks.text.counting import Tally, count
from benchmarks.text.screens import Layout
from sonovan.models.evaluation.index import Row, Split, read_rows

SETS: Final = ("breast", "ddti")
"""Sets with outlines of lesions; `breast` holds no text of its own, `ddti` small marks at its rim."""
REPORTED_SPLITS: Final[tuple[Split, ...]] = ("validation", "test")
_ORDER: Final = 20
"""The seed of the order in which pictures are taken, so that a part of the screens has some of each set."""


def rows_of(data: Path, splits: Sequence[Split]) -> list[Row]:
    """Every picture of the sets below this folder that has an outline, in an order that is the same on every run."""
    rows = [row for name in SETS for split in splits for row in read_rows(data, name, split) if row.mask]
    random.Random(_ORDER).shuffle(rows)
    return rows


def planted(rows: Sequence[Row], layouts: Sequence[Layout], screens: int, jobs: int) -> dict[str, Any]:
    """So many screens, drawn, cleaned and counted on so many processes: what `Tally.result` tells.

    One job is done in this process.
    """
    if jobs == 1:
        return count(range(screens), layouts, rows).result([layout.name for layout in layouts])
    tally = Tally()
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        parts = [range(start, screens, jobs) for start in range(jobs)]
        for part in pool.map(count, parts, [layouts] * jobs, [rows] * jobs):
            tally.take(part)
    return tally.result([layout.name for layout in layouts])
