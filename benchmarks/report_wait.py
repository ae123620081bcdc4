"""How long a reader waits for a report after the last frame, by the length of the sweep, through the running centre.

    python -m benchmarks.report_wait --frames 12 100 300

One van sends complete screenings of one sweep each, at a pace that the machine keeps up with, so that nothing waits in
a queue: what is left is the last frame's way and the making of the report. Written to `results/report_wait.json`.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from benchmarks.hostile import Plan, send, waits_of
from benchmarks.shared import say
from benchmarks.van_vault import vault_of
from sonovan.centre import Centre, down, up
from sonovan.contracts.ids import mint_id
from sonovan.producers.enrol import enrol

RESULTS: Final = Path(__file__).resolve().parent / "results" / "report_wait.json"
BAR_S: Final = 2.0
"""At the 95th percentile, from the last frame's capture to the complete report (issue "Findings")."""

REST_S: Final = 6.0
"""Between the last frame of one screening and the first one of the next."""


def measured(centre: Centre, frames: int, fps: float, screenings: int) -> dict[str, Any]:
    """Send so many screenings of so many frames; how long frames and reports waited, in seconds, and what is lost."""
    every_s = frames / fps + REST_S
    plan = Plan(every_s * (screenings - 0.5), 0.0, honest=1, hostile=0, frames=frames, fps=fps, every_s=every_s)
    van = f"honest-{mint_id()[-8:]}"
    enrol(vault_of(centre.path, van), van, centre.enrol_van(van), centre.kafka("registrar"))
    return waits_of(centre, send(centre, plan, [van], [], plan.seconds))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run and write the results; the exit code is 1 where something is lost, whatever the times."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.report_wait",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--frames", nargs="+", type=int, default=[12, 100, 300], help="of each screening's sweep")
    parser.add_argument("--fps", type=float, default=12.0, help="frames per second that the van sends")
    parser.add_argument("--screenings", type=int, default=8, help="of each length")
    parser.add_argument("--out", type=Path, default=RESULTS)
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="sonovan-report-") as folder:
        state = Path(folder) / "state"
        try:
            centre = up(state, supervised=True, progress=say)
            measured(centre, 12, chosen.fps, 2)  # everything is loaded and warm after these
            by_frames = {}
            for frames in chosen.frames:
                by_frames[str(frames)] = measured(centre, frames, chosen.fps, chosen.screenings)
                say(f"{frames} frames: reports after {by_frames[str(frames)]['report_wait_s']} s")
        finally:
            down(state)
    results = {
        "by_frames": by_frames,
        "fps": chosen.fps,
        "bar_p95_s": BAR_S,
        "measured_on": datetime.now(UTC).date().isoformat(),
    }
    chosen.out.write_text(json.dumps(results, indent=2) + "\n")
    say(json.dumps(results, indent=2))
    return int(any(count for each in by_frames.values() for count in each["lost"].values()))


if __name__ == "__main__":
    os.environ.setdefault("SONOVAN_MODELS_PROVIDER", "openvino")
    sys.exit(main())
