"""What a van does under load, on a slow link and when it is killed: benchmarks/results/van.json.

    make bench-van          # python -m benchmarks.van [--only uplink,link,intake,kills,live,identifiers,text]

`uplink`: the first result of a sweep of 300 frames over 4 Mbit/s, sent by levels and first in, first out.
`link`: a link that is cut twenty times while frames flow, and a clock that is off by a day and by ten years.
`intake`: what two scanners send at once, until it is acknowledged and until its frames are in the spool.
`kills`: a hundred kills of gateway and uploader at random moments; nothing may be lost or doubled.
`live`: what it takes to judge a frame while somebody scans, and how often the preview looks at one.
`identifiers`: a day with names, ids and dates in attributes, pixels, reports and file names, hunted for at the centre
and on the van.
`text`: what `make bench-text` measures on 2,000 screens, of which text.json holds more.
What is not measured in a run keeps its figures in the file.
"""

import argparse
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from benchmarks.shared import say
from benchmarks.van_identifiers import identifiers
from benchmarks.van_intake import intake
from benchmarks.van_kills import kills
from benchmarks.van_link import link
from benchmarks.van_live import live
from benchmarks.van_text import short_of_text, text
from benchmarks.van_uplink import uplink

RESULTS: Final = Path(__file__).parent / "results" / "van.json"
BARS: Final[dict[str, float]] = {"preliminary_speedup": 5, "intake_fps": 120, "killed": 100, "link_cut": 20}
NONE: Final = ("uplink_lost", "link_lost", "link_doubled", "link_clock_unnamed", "lost", "doubled", "identifiers_found")


def short_of(figures: dict[str, Any]) -> list[str]:
    """What of these figures misses its bar, a line each; what was not measured misses nothing."""
    low = [f"{name}: {figures[name]}, not {bar:g}" for name, bar in BARS.items() if figures.get(name, bar) < bar]
    return low + [f"{name}: {figures[name]}, not 0" for name in NONE if figures.get(name, 0)] + short_of_text(figures)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, write the results; the exit code is 1 where something was lost or doubled, or a bar is missed."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.van", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--only", default="uplink,link,intake,kills,live,identifiers,text", help="parts, commas between"
    )
    parser.add_argument("--frames", type=int, default=300, help="of a sweep")
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--cuts", type=int, default=20, help="of the link")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder with the public sets")
    parser.add_argument("--screens", type=int, default=2000, help="on which text is planted")
    parser.add_argument("--seed", type=int, default=0, help="decides when is killed and cut")
    parser.add_argument("--out", type=Path, default=RESULTS)
    chosen = parser.parse_args(arguments)
    parts: dict[str, Callable[[], dict[str, Any]]] = {
        "uplink": lambda: uplink(chosen.frames),
        "link": lambda: link(chosen.cuts, chosen.seed),
        "intake": lambda: intake(chosen.frames),
        "kills": lambda: kills(chosen.kills, chosen.seed),
        "live": lambda: live(chosen.frames),
        "identifiers": identifiers,
        "text": lambda: text(chosen.data, chosen.screens, chosen.out.with_name("text.json")),
    }
    figures: dict[str, Any] = json.loads(chosen.out.read_text()) if chosen.out.exists() else {}
    for name in chosen.only.split(","):
        say(f"{name} …")
        figures |= parts[name]() | {f"{name}_measured_on": datetime.now(UTC).date().isoformat()}
        chosen.out.parent.mkdir(parents=True, exist_ok=True)
        chosen.out.write_text(json.dumps(figures, indent=2) + "\n")
    say(json.dumps(figures, indent=2))
    missed = short_of(figures)
    for line in missed:
        say(f"MISSED {line}")
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main())
