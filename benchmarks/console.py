"""How fast the console is, each part by itself: results/console.json.

    python -m benchmarks.console --only worklist,events

A part is a module with `measure()`, which gives figures by the names under which the file holds them. Figures of parts
that are not asked for stay as they are.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Final

from benchmarks.shared import say

RESULTS: Final = Path(__file__).parent / "results" / "console.json"

PARTS: Final[Mapping[str, str]] = {
    "worklist": "benchmarks.console_worklist",
    "events": "benchmarks.console_events",
    "cine": "benchmarks.console_cine",
    "long": "benchmarks.console_long",
}
"""Name → the module that measures it."""
USUAL: Final = ("worklist", "events", "cine")
"""What is measured where nobody asks for parts."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and write the results."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.console", description=__doc__)
    parser.add_argument("--only", default=",".join(USUAL), help=f"of {', '.join(PARTS)}, with commas")
    parser.add_argument("--out", type=Path, default=RESULTS)
    given = parser.parse_args(arguments)
    names = given.only.split(",")
    unknown = sorted(set(names) - set(PARTS))
    if unknown:
        raise SystemExit(f"there is no part {unknown[0]}: {', '.join(PARTS)}")
    document = json.loads(given.out.read_text()) if given.out.exists() else {}
    for name in names:
        say(f"measuring {name}")
        document |= import_module(PARTS[name]).measure()
        given.out.write_text(json.dumps(dict(sorted(document.items())), indent=2) + "\n")
    say(json.dumps(dict(sorted(document.items())), indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
