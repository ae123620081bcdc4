"""Whether the browser's memory stays bounded over an hour of one sweep: part `long` of `benchmarks.console`.

The sweep has as many frames as a screening may have (`MAX_FRAMES`, 56 minutes at 30 frames/s), each with its own row of
the catalogue; the rows share the objects of the STORED frames that are really made, so that 100,000 need not be stored.
The reader jumps through all of it, plays a moment at each stop, and looks at the frame that stands still.
"""

import tempfile
import time
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, text

from benchmarks.console_cine import COLUMNS, ROWS, clip_of, pss_mib
from benchmarks.shared import say
from sonovan.contracts.limits import MAX_FRAMES
from sonovan.models.phantom.sweep import simulate_sweep
from sonovan.storage.catalogue.tables_found import FRAME
from sonovan.storage.folder_store import FolderStore
from tests.chromium import Tab, chromium, found_program
from tests.console.cine_scene import lesion, make_screening
from tests.console.conftest import log_in
from tests.console.world import running

SHE: Final = "0192f0c1-2345-7abc-8def-0123456789ab"
STORED: Final = 64
STOPS: Final = 100
PLAYED: Final = 15
"""Frames that are played at each stop."""

_COPIED: Final = """
WITH RECURSIVE i(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE (n + 1) * :stored < :frames)
INSERT INTO frame (%NAMES) SELECT %VALUES FROM frame f JOIN i ON true
WHERE f.sequence_id = :sequence AND %INDEX < :frames
"""

_CINE: Final = "document.querySelector('[data-reading]').cine"
_PANE: Final = "document.querySelector('[data-pane=one]')"


def measure() -> dict[str, Any]:
    """All figures of this part."""
    program = found_program()
    if program is None:
        raise SystemExit("Chromium is not installed (Debian: chromium)")
    clip = clip_of(1, STORED, simulate_sweep("breast", frames=STORED // 4, seed=1))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)

        def rows(connection: Connection) -> None:
            store = FolderStore(folder / "objects")
            make_screening(connection, store, SHE, [clip], findings=[lesion(clip, 10, 40)], age_years=52)
            _prolong(connection, clip.sequence_id)

        with running(folder, rows=rows, blind_share=0.0) as console, chromium(program) as tab:
            say(f"the console runs, with {MAX_FRAMES} frames of {COLUMNS} × {ROWS} pixels")
            tab.sized(1600, 1000)
            log_in(tab, console, "dr-1", "reader")
            return _through(tab, f"{console.url}/reading/{SHE}")


def _prolong(connection: Connection, sequence_id: str) -> None:
    """Rows for all the frames behind the stored ones, each with the objects of the one that it repeats."""
    index = f"i.n * {STORED} + f.frame_index"
    changed = {"frame_index": index, "time_ms": f"({index}) * 1000.0 / 30"}
    names = [column.name for column in FRAME.columns]
    statement = (
        _COPIED.replace("%NAMES", ", ".join(names))
        .replace("%VALUES", ", ".join(changed.get(each, f"f.{each}") for each in names))
        .replace("%INDEX", index)
    )
    given = {"frames": MAX_FRAMES, "stored": STORED, "sequence": sequence_id}
    connection.execute(text(statement), given)
    connection.execute(
        text("UPDATE sequence_closing SET frame_count = :frames WHERE sequence_id = :sequence"),
        {"frames": MAX_FRAMES, "sequence": sequence_id},
    )


def _through(tab: Tab, page: str) -> dict[str, Any]:
    began = time.perf_counter()
    tab.go(page)
    tab.until(f"{_PANE}?.dataset.kind === 'whole'")
    opened_s = time.perf_counter() - began
    assert tab.run(f"{_CINE}.active.frames.count") == MAX_FRAMES
    told: list[float] = []
    for stop in range(STOPS):
        place = stop * (MAX_FRAMES - 2 * PLAYED) // (STOPS - 1)
        tab.run(f"({_CINE}.go({place}), {_CINE}.play(true))")
        tab.until(f"{_CINE}.active.place >= {place + PLAYED}")
        tab.run(f"{_CINE}.play(false)")
        tab.until(f"{_PANE}.dataset.kind === 'whole'")
        told.append(pss_mib())
    some = [round(told[at]) for at in (0, 9, 49, -1)]
    say(f"opened after {opened_s:.1f} s; memory at stops 1, 10, 50 and {STOPS}: {some} MiB")
    return {
        "long_frames": MAX_FRAMES,
        "long_opened_s": round(opened_s, 1),
        "long_memory_first_mib": round(told[0], 1),
        "long_memory_last_mib": round(told[-1], 1),
        "long_memory_most_mib": round(max(told), 1),
    }
