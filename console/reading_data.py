"""What the script of the reading page is given of a screening: sweeps, sizes, scales; nothing a machine outlined."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from statistics import median
from typing import Any, Final

from sonovan.console.phrases import ConsoleWords
from sonovan.contracts.van import Panel
from sonovan.storage.catalogue.cine import Cine, ListedFrame, Sweep

USUAL_RATE: Final = 30.0
SLOWEST_RATE: Final = 5.0
FASTEST_RATE: Final = 60.0
"""Frames in a second: of sweeps without times, and the bounds within which a sweep's own rate is taken."""


def page_data(cine: Cine, words: ConsoleWords, marks: Sequence[str], to_draw: Sequence[str]) -> dict[str, Any]:
    """The data of the page. marks: frames that the operator marked. to_draw: those that must be drawn blind first."""
    return {
        "screening": cine.screening_id,
        "base": f"/reading/{cine.screening_id}",
        "sweeps": [sweep_data(sweep, words) for sweep in cine.sweeps],
        "marks": list(marks),
        "blind": list(to_draw),
    }


def sweep_data(sweep: Sweep, words: ConsoleWords) -> dict[str, Any]:
    """One sweep, its frames as parallel lists, for there may be a hundred thousand of them.

    quality is a whole number of hundredths; `reason` is empty where a frame could be assessed. A frame's layout (its
    size and panels) stands once in `layouts`.
    """
    layouts: dict[tuple[Any, ...], int] = {}
    for frame in sweep.frames:
        layouts.setdefault(_layout(frame), len(layouts))
    reasons = {frame.reason for frame in sweep.frames if frame.reason} | set(sweep.rejected.values())
    return {
        "id": sweep.sequence_id,
        "organ": sweep.organ,
        "laterality": sweep.laterality,
        "title": sweep_title(sweep, words),
        "still": sweep.still,
        "rate": rate_of(sweep),
        "expected": sweep.expected,
        "frames": {
            "index": [frame.frame_index for frame in sweep.frames],
            "quality": [round(100 * frame.quality) for frame in sweep.frames],
            "reason": [frame.reason or "" for frame in sweep.frames],
            "grey": [frame.mode == "grey" for frame in sweep.frames],
            "layout": [layouts[_layout(frame)] for frame in sweep.frames],
        },
        "layouts": [
            {"rows": rows, "columns": columns, "panels": [_panel(panel) for panel in panels]}
            for rows, columns, panels in layouts
        ],
        "rejected": {str(index): reason for index, reason in sorted(sweep.rejected.items())},
        "reasons": {code: words.reason(code) for code in sorted(reasons)},
    }


def sweep_title(sweep: Sweep, words: ConsoleWords) -> str:
    """Where and how a sweep was taken: "Left breast, upper outer, transverse"."""
    place = words.place(sweep.organ, sweep.laterality, sweep.position)
    view = words.lexicon(f"view.{sweep.view}") if sweep.view else ""
    return words.text("comma").join(each for each in (place, view) if each)


def rate_of(sweep: Sweep) -> float:
    """Frames in a second, by the times that the sweep carries; USUAL_RATE where it carries none."""
    timed = [(frame.frame_index, frame.time_ms) for frame in sweep.frames if frame.time_ms is not None]
    steps = [
        (later - sooner) / (after - before) for (before, sooner), (after, later) in pairwise(timed) if later > sooner
    ]
    return min(FASTEST_RATE, max(SLOWEST_RATE, 1000 / median(steps))) if steps else USUAL_RATE


def _layout(frame: ListedFrame) -> tuple[int, int, tuple[Panel, ...]]:
    return frame.rows, frame.columns, frame.panels


def _panel(panel: Panel) -> Mapping[str, Any]:
    return panel.model_dump(mode="json", include={"ordinal", "left", "top", "width", "height", "column_mm", "row_mm"})
