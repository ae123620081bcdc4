"""Which panels were refused beside assessable ones: what a reader must know was not looked at."""

from collections.abc import Iterable

from sonovan.contracts.frames import FrameSegmented
from sonovan.contracts.limits import MAX_LISTED
from sonovan.contracts.results import RefusedPanel


def refused_panels(results: Iterable[FrameSegmented]) -> tuple[RefusedPanel, ...]:
    """One row per sequence, panel and reason, over the assessable frames in which such a panel was refused.

    Frames that are not assessable at all are not among them: adequacy counts those and says why.
    """
    found: dict[tuple[str, int, str], set[int]] = {}
    for result in results:
        for refusal in result.refusals if result.assessable else ():
            found.setdefault((result.sequence_id, refusal.panel, refusal.reason), set()).add(result.frame_index)
    return tuple(
        RefusedPanel(
            sequence_id=sequence_id,
            panel=panel,
            reason=reason,
            indices=tuple(sorted(indices)[:MAX_LISTED]),
            more=max(0, len(indices) - MAX_LISTED),
        )
        for (sequence_id, panel, reason), indices in sorted(found.items())
    )
