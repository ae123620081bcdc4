"""Panels of one frame cut so that no two overlap: the centre looks at no pixel again and again."""

from collections.abc import Iterable

from sonovan.contracts.van import Panel
from sonovan.producers.sources.source import MIN_SIDE


def apart(panels: Iterable[Panel]) -> tuple[Panel, ...]:
    """The panels, numbered anew, each cut to the largest rectangle that none before it has.

    Scanners declare neighbours that share a column or two. What is left with fewer than MIN_SIDE rows or columns is
    left out.
    """
    kept: list[Panel] = []
    for panel in panels:
        rest: Panel | None = panel
        for other in kept:
            if rest is not None and rest.meets(other):
                rest = _beside(rest, other)
        if rest is not None:
            kept.append(rest.model_copy(update={"ordinal": len(kept)}))
    return tuple(kept)


def _beside(panel: Panel, other: Panel) -> Panel | None:
    """The largest rectangle of `panel` that `other` does not reach; None where none is large enough."""
    right, bottom = panel.left + panel.width, panel.top + panel.height
    other_right, other_bottom = other.left + other.width, other.top + other.height
    rests = (
        (panel.left, panel.top, other.left - panel.left, panel.height),
        (other_right, panel.top, right - other_right, panel.height),
        (panel.left, panel.top, panel.width, other.top - panel.top),
        (panel.left, other_bottom, panel.width, bottom - other_bottom),
    )
    usable = [rest for rest in rests if rest[2] >= MIN_SIDE and rest[3] >= MIN_SIDE]
    if not usable:
        return None
    left, top, width, height = max(usable, key=lambda rest: rest[2] * rest[3])
    return panel.model_copy(update={"left": left, "top": top, "width": width, "height": height})
