"""Run the parts, write the results; the exit code is 1 where anything was lost or doubled.

Each part brings up a centre of its own, takes some minutes, and replaces its own figures in `results/scale.json`.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from benchmarks.scale import happenings, law
from benchmarks.scale.happenings import LOSSES, ROLLS, happens
from benchmarks.scale.scene import Scene, standing
from benchmarks.scale.vans import Van
from benchmarks.shared import say

RESULTS: Final = Path(__file__).parents[1] / "results" / "scale.json"
VANS: Final = 2


def _happening(these: dict[str, Callable[[Scene], None]], only: list[str]) -> dict[str, Any]:
    with standing(happenings.WORKERS) as scene, ExitStack() as stack:
        vans = [stack.enter_context(Van(scene.centre, number)) for number in range(1, VANS + 1)]
        chosen = {name: each for name, each in these.items() if not only or name in only}
        return {name: happens(scene, vans, name, each) for name, each in chosen.items()}


def _law(rounds: int) -> dict[str, Any]:
    with standing(law.WORKERS) as scene:
        return law.law(scene, rounds)


def main() -> int:
    """See the module."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("--only", default="losses,rolls,law", help="parts, with commas: losses, rolls, law")
    parser.add_argument("--happening", action="append", default=[], help="one of losses or rolls, by its name")
    parser.add_argument("--rounds", type=int, default=3, help="of the law")
    parser.add_argument("--out", type=Path, default=RESULTS)
    chosen = parser.parse_args()
    parts: dict[str, Callable[[], dict[str, Any]]] = {
        "losses": lambda: _happening(LOSSES, chosen.happening),
        "rolls": lambda: _happening(ROLLS, chosen.happening),
        "law": lambda: _law(chosen.rounds),
    }
    found: dict[str, Any] = json.loads(chosen.out.read_text()) if chosen.out.is_file() else {}
    for name in chosen.only.split(","):
        measured = {**parts[name](), "load_average": round(os.getloadavg()[2], 1)}
        found[name] = {**found.get(name, {}), **measured} if chosen.happening else measured
        found["measured_on"] = datetime.now(UTC).date().isoformat()
        chosen.out.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n")
    say(json.dumps(found, indent=2, ensure_ascii=False))
    told = [each for part in ("losses", "rolls") for each in found.get(part, {}).values() if isinstance(each, dict)]
    sound = not any(each["lost"] or each["doubled"] for each in told)
    say("nothing lost, nothing doubled" if sound else "NOT SOUND")
    return 0 if sound else 1


if __name__ == "__main__":
    sys.exit(main())
