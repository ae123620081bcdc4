"""What a trust head refuses and what it lets through, on pictures that it did not learn from."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sonovan.models.evaluation.intervals import ratio_ci95
from sonovan.models.heads.trust import CLASSES
from training.heads import Array
from training.trust.gather import Evidence

Figures = dict[str, Any]
ORGANS = CLASSES[:2]
REFUSED_AT_MOST = 0.025
"""Share of an organ's validation pictures that may be refused: half of the bar, for scanners that nobody has seen."""
BOUNDS = (0.15, 0.3)
"""Where a threshold may lie: below, foreign pictures pass; above, a doubtful frame of a new scanner does not."""


def thresholds(evidence: Evidence, shares: Array) -> dict[str, float]:
    """`least_ORGAN` for each organ, from the validation pictures of the sets and of the simulator."""
    found = {}
    for number, organ in enumerate(ORGANS):
        own = shares[(evidence.part == "validation") & (evidence.truth == organ), number]
        found[f"least_{organ}"] = round(float(np.clip(np.quantile(own, REFUSED_AT_MOST), *BOUNDS)), 3)
    return found


def figures(evidence: Evidence, shares: Array, least: dict[str, float]) -> Figures:
    """shares: (N, 3) probabilities of `evidence`'s exhibits. All shares with 95 % intervals over groups or families.

    `good`: share of a set's validation pictures, cine frames and held simulated frames that are refused. `foreign`:
    share of foreign pictures not learnt from that are refused, declared as either organ; `learnt_kinds` are kinds of
    which other families were learnt from. `other_organ`: share of validation pictures refused when declared as the
    other organ.
    """
    accepted = np.stack([shares[:, number] >= least[f"least_{organ}"] for number, organ in enumerate(ORGANS)], 1)
    learnt = set(evidence.kind[(evidence.part == "train") & (evidence.truth == "foreign")])
    held = _not_learnt(evidence)
    familiar = np.array([kind in learnt for kind in evidence.kind])
    fresh = np.where(evidence.kind == "simulated", evidence.part == "held", evidence.part != "train")
    found: Figures = {"thresholds": least, "good": {}, "other_organ": {}, "foreign": {}}
    for number, organ in enumerate(ORGANS):
        own = fresh & (evidence.truth == organ)
        for kind in sorted(set(evidence.kind[own])):
            name = f"simulated {organ}" if kind == "simulated" else str(kind)
            found["good"][name] = _refused(evidence, own & (evidence.kind == kind), accepted[:, number])
        real = own & (evidence.kind != "simulated")
        found["good"][f"all real {organ}"] = _refused(evidence, real, accepted[:, number])
        validation = (evidence.part == "validation") & (evidence.kind != "simulated")
        found["other_organ"][organ] = _refused(
            evidence, validation & (evidence.truth == organ), accepted[:, 1 - number]
        )
        part = {"all": held, "learnt_kinds": held & familiar, "unseen_kinds": held & ~familiar}
        part |= {str(kind): held & (evidence.kind == kind) for kind in sorted(set(evidence.kind[held]))}
        found["foreign"][organ] = {name: _refused(evidence, rows, accepted[:, number]) for name, rows in part.items()}
    return found


def passed(evidence: Evidence, shares: Array, least: dict[str, float]) -> dict[str, list[str]]:
    """Families of held foreign pictures of which some pass, by the organ that they were declared as."""
    held = _not_learnt(evidence)
    return {
        organ: sorted({str(one) for one in evidence.family[held & (shares[:, number] >= least[f"least_{organ}"])]})
        for number, organ in enumerate(ORGANS)
    }


def _not_learnt(evidence: Evidence) -> NDArray[np.bool_]:
    """Foreign pictures as they were, of families that no training saw."""
    return (evidence.truth == "foreign") & (evidence.part != "train") & (np.char.find(evidence.name, "#") < 0)


def _refused(evidence: Evidence, rows: NDArray[np.bool_], accepted: NDArray[np.bool_]) -> Figures:
    refused = [float(one) for one in ~accepted[rows]]
    if not refused:
        return {"n": 0, "families": 0, "refused": None, "ci95": None}
    families = [str(one) for one in evidence.family[rows]]
    ci95 = ratio_ci95(refused, [1.0] * len(refused), families)
    share = round(float(np.mean(refused)), 4)
    return {"n": len(refused), "families": len(set(families)), "refused": share, "ci95": ci95}
