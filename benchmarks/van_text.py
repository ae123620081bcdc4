"""What is hidden of text that is planted in pictures, as `make bench-text` measures it; part of `make bench-van`."""

import json
import os
from pathlib import Path
from typing import Any, Final

from benchmarks.text.counting import BARS, bar_of
from benchmarks.text.measuring import REPORTED_SPLITS, planted, rows_of
from benchmarks.text.screens import REPORTED
from benchmarks.text.strings import KINDS

_WORTH_A_PROCESS: Final = 100
"""Screens, of which a process takes half a minute or so: as long as it takes to start several."""
_TAKEN: Final = ("text_recall", "lesion_area_masked", "false_masked")


def text(data: Path, screens: int, out: Path) -> dict[str, Any]:
    """Figures for `van.json`; the whole of what was counted goes to `out`, as `make bench-text` writes it.

    data: the folder with the public sets. Strings count over all screens, and those of a screen that was held count
    by what is black in it alone; `text_leaked` counts strings that were neither hidden nor on a screen that was held.
    """
    jobs = max(1, min(os.cpu_count() or 1, screens // _WORTH_A_PROCESS))
    counted = planted(rows_of(data, REPORTED_SPLITS), REPORTED, screens, jobs)
    out.write_text(json.dumps(counted, indent=1, ensure_ascii=False) + "\n")
    return {name: counted[name] for name in _TAKEN} | {
        "text_screens": counted["screens"],
        "text_strings": counted["strings"],
        "text_leaked": counted["leaked"],
        "text_held_frames": counted["held_frames"],
    }


def short_of_text(figures: dict[str, Any]) -> list[str]:
    """What of the figures of text misses its bar, a line each; what was not measured misses nothing.

    A kind of string that was drawn nowhere has no share, and misses its bar.
    """
    missed = []
    if "text_recall" in figures:
        shares = {kind: figures["text_recall"].get(kind) or 0.0 for kind in KINDS}
        missed = [
            f"text_recall of {kind}: {share}, not {bar_of(kind):g}"
            for kind, share in shares.items()
            if share < bar_of(kind)
        ]
    masked, bar = figures.get("lesion_area_masked", 0.0), BARS["lesion_area_masked"]
    return missed + ([f"lesion_area_masked: {masked}, not below {bar:g}"] if masked >= bar else [])
