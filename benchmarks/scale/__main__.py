"""Run the parts, write the results; the exit code is 1 where anything was lost or doubled.

Each figure is written into `results/scale.json` as soon as it is there, in the place of an earlier one.
"""

import argparse
import json
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from benchmarks.scale import happenings, law
from benchmarks.scale.happenings import HAPPENINGS, UPGRADED, happens, workers_upgraded
from benchmarks.scale.scene import TREE, Scene, standing
from benchmarks.scale.vans import Van
from benchmarks.shared import say
from tests.upgrade.trees import older

RESULTS: Final = Path(__file__).parents[1] / "results" / "scale.json"
VANS: Final = 2


Keep = Callable[[str, dict[str, Any]], None]
"""Keeps a figure, or the figures of one happening, under its name."""


def _happenings(scene: Scene, chosen: Mapping[str, Callable[[Scene], None]], keep: Keep) -> None:
    with ExitStack() as stack:
        vans = [stack.enter_context(Van(scene.centre, number)) for number in range(1, VANS + 1)]
        for name, happening in chosen.items():
            keep(name, happens(scene, vans, name, happening))


def _law(scene: Scene, rounds: int, keep: Keep) -> None:
    scene.stub_ms = law.STUB_MS
    scene.environment = {**scene.environment, **law.SETTINGS}
    for name, each in law.law(scene, rounds).items():
        keep(name, each)


def merged(found: Mapping[str, Any], part: str, name: str, figures: Any, about: Mapping[str, Any]) -> dict[str, Any]:
    """`found` with these figures in the place of earlier ones of that name.

    about: when and beside what they were measured; it stands with each happening, and once with the whole law.
    """
    if part == "happenings":
        figures = figures | about
    told = {**found.get(part, {}), name: figures, **({} if part == "happenings" else about)}
    return {**found, part: told}


def sound(found: Mapping[str, Any]) -> bool:
    """Whether nothing was lost and nothing doubled in any happening of the file."""
    return not any(each["lost"] or each["doubled"] for each in found.get("happenings", {}).values())


def main() -> int:
    """See the module."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("--only", default="happenings,law", help="parts, with commas: happenings, law")
    parser.add_argument("--happening", action="append", default=[], choices=HAPPENINGS, help="not all but this")
    parser.add_argument("--from", dest="before", metavar="COMMIT", help="nothing but a roll of all workers from there")
    parser.add_argument("--rounds", type=int, default=3, help="of the law")
    parser.add_argument("--out", type=Path, default=RESULTS)
    chosen = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit("ended from outside"))  # what was made is taken away
    happening = {name: HAPPENINGS[name] for name in chosen.happening or HAPPENINGS}
    only, tree, before = chosen.only.split(","), TREE, {}
    found: dict[str, Any] = json.loads(chosen.out.read_text()) if chosen.out.is_file() else {}
    with ExitStack() as stack:
        if chosen.before:
            only, happening, before = ["happenings"], {UPGRADED: workers_upgraded}, {"from": chosen.before}
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="sonovan-scale-older-"))
            tree = stack.enter_context(older(chosen.before, Path(folder)))
        parts: dict[str, Callable[[Scene, Keep], None]] = {
            "happenings": lambda scene, keep: _happenings(scene, happening, keep),
            "law": lambda scene, keep: _law(scene, chosen.rounds, keep),
        }
        workers = happenings.WORKERS if "happenings" in only else law.WORKERS
        scene = stack.enter_context(standing(workers, happenings.STUB_MS, tree))
        for part in only:

            def keep(name: str, figures: Any, part: str = part) -> None:
                nonlocal found
                today = datetime.now(UTC).date().isoformat()
                about = {**before, "measured_on": today, "load_average": round(os.getloadavg()[0], 1)}
                found = merged(found, part, name, figures, about)
                chosen.out.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n")

            parts[part](scene, keep)
    say(json.dumps(found, indent=2, ensure_ascii=False))
    say("nothing lost, nothing doubled" if sound(found) else "NOT SOUND")
    return 0 if sound(found) else 1


if __name__ == "__main__":
    sys.exit(main())
