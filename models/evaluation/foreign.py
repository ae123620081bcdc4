"""What a network makes of other anatomy under the same probe: refused, left empty, or with a region where none can be.

Nerves, vessels and muscle are what a probe meets at the edge of a breast or beside a thyroid; each picture is declared
once as either organ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sonovan.models.evaluation.index import Row
from sonovan.models.evaluation.intervals import ratio_ci95
from sonovan.models.evaluation.score import Score, evaluate
from sonovan.models.segmenter import Segmenter

Figures = dict[str, Any]


def foreign(segmenter: Segmenter, rows: Sequence[Row], organ: str) -> dict[str, Figures]:
    """Figures of `all` and of each `anatomy` that the rows name, every picture declared as `organ`."""
    scores = evaluate(segmenter, [replace(row, organ=organ) for row in rows])
    parts = {"all": scores}
    for one in scores:
        if anatomy := one.row.about.get("anatomy", ""):
            parts.setdefault(anatomy, []).append(one)
    return {name: _figures(part) for name, part in parts.items()}


def _figures(scores: Sequence[Score]) -> Figures:
    """Shares of pictures: `refused`; `with_region`, assessed with a region; `kept_from`, either refused or empty."""
    shares = {
        "refused": [float(one.refused) for one in scores],
        "with_region": [float(not one.refused and not one.empty) for one in scores],
        "kept_from": [float(one.refused or one.empty) for one in scores],
    }
    groups = [one.row.group for one in scores]
    found: Figures = {"n": len(scores), "groups": len(set(groups))}
    for name, values in shares.items():
        found[name] = round(sum(values) / len(values), 4)
        found[f"{name}_ci95"] = ratio_ci95(values, [1.0] * len(values), groups)
    return found
