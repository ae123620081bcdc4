"""Run the parts, write the results; the exit code is 1 where anything was lost or doubled.

Each figure is written into `results/scale.json` as soon as it is there, in the place of an earlier one.
"""

import argparse
import json
import os
import signal
import sys
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from benchmarks.scale import happenings, law
from benchmarks.scale.happenings import HAPPENINGS, happens
from benchmarks.scale.scene import Scene, standing
from benchmarks.scale.vans import Van
from benchmarks.shared import say

RESULTS: Final = Path(__file__).parents[1] / "results" / "scale.json"
VANS: Final = 2


Keep = Callable[[str, dict[str, Any]], None]
"""Keeps a figure, or the figures of one happening, under its name."""


def _happenings(scene: Scene, only: list[str], keep: Keep) -> None:
    with ExitStack() as stack:
        vans = [stack.enter_context(Van(scene.centre, number)) for number in range(1, VANS + 1)]
        for name in only or HAPPENINGS:
            keep(name, happens(scene, vans, name, HAPPENINGS[name]))


def _law(scene: Scene, rounds: int, keep: Keep) -> None:
    scene.stub_ms = law.STUB_MS
    scene.environment = {**scene.environment, **law.SETTINGS}
    for name, each in law.law(scene, rounds).items():
        keep(name, each)


def main() -> int:
    """See the module."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("--only", default="happenings,law", help="parts, with commas: happenings, law")
    parser.add_argument("--happening", action="append", default=[], choices=HAPPENINGS, help="not all but this")
    parser.add_argument("--rounds", type=int, default=3, help="of the law")
    parser.add_argument("--out", type=Path, default=RESULTS)
    chosen = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit("ended from outside"))  # what was made is taken away
    parts: dict[str, Callable[[Scene, Keep], None]] = {
        "happenings": lambda scene, keep: _happenings(scene, chosen.happening, keep),
        "law": lambda scene, keep: _law(scene, chosen.rounds, keep),
    }
    only = chosen.only.split(",")
    workers = happenings.WORKERS if "happenings" in only else law.WORKERS
    found: dict[str, Any] = json.loads(chosen.out.read_text()) if chosen.out.is_file() else {}
    with standing(workers, happenings.STUB_MS) as scene:
        for part in only:

            def keep(name: str, figures: Any, part: str = part) -> None:
                load = {"load_average": round(os.getloadavg()[0], 1)}
                if part == "happenings":
                    figures |= load
                found[part] = found.get(part, {}) | {name: figures} | ({} if part == "happenings" else load)
                found["measured_on"] = datetime.now(UTC).date().isoformat()
                chosen.out.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n")

            parts[part](scene, keep)
    say(json.dumps(found, indent=2, ensure_ascii=False))
    sound = not any(each["lost"] or each["doubled"] for each in found.get("happenings", {}).values())
    say("nothing lost, nothing doubled" if sound else "NOT SOUND")
    return 0 if sound else 1


if __name__ == "__main__":
    sys.exit(main())
