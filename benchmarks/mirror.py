"""What looking at the mirror image only where it may matter saves and loses: `make bench-mirror`.

    python -m benchmarks.mirror --data ../shared/data [--scans 200] [--rounds 5]

Writes benchmarks/results/mirror.json and its table in docs/performance.md. Everything is of validation: its pictures as
they are, and sweeps that are simulated from them, every other one without a lesion (`benchmarks.sweeps`). Each picture
is segmented twice: once with one look, once with both. What any `mirror_from` would have given follows from these two
and from the highest probability of the first look. The times of always looking twice and of the registered
`mirror_from` are taken in turns, one caller, whole frames: decoding alone is left out.
The exit code is 1 where the registered value loses a lesion, or more than .001 of any mean Dice.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from benchmarks.outlines import write_part
from benchmarks.shared import say
from benchmarks.sweeps.folder import write_scans
from sonovan import models
from sonovan.models.engine.choose import choose
from sonovan.models.engine.cpu import cpu_name
from sonovan.models.engine.runner import Batch, Outputs, Runner
from sonovan.models.evaluation.measures import overlap
from sonovan.models.evaluation.pictures import read_picture
from sonovan.models.evaluation.precision import Case, read_cases
from sonovan.models.registry import WEIGHTS_DIR, Entry, read_registry, read_variants, read_weights
from sonovan.models.segmenter import assembled
from sonovan.sweeps_with_truth import read_scans

RESULTS: Final = Path(__file__).parent / "results" / "mirror.json"
PAGE: Final = Path(__file__).parents[1] / "docs" / "performance.md"
MARKS: Final = ("<!-- mirror: begin -->", "<!-- mirror: end -->")
TRIED: Final = (0.00005, 0.0001, 0.0002, 0.0005, 0.002, 0.02, 0.05, 0.4)
BAR: Final = 0.001
ALWAYS: Final = 1e-9
"""Every picture's probability reaches this."""
SWEEPS: Final = "sweeps"


class Watched:
    """A runner that remembers the highest probability of each organ in the last picture that it was given first."""

    def __init__(self, runner: Runner, output: str) -> None:
        self._runner, self._output = runner, output
        self.name = runner.name
        self.highest: list[float] = []

    def run(self, batch: Batch) -> Outputs:
        """See `Runner.run`."""
        seen = self._runner.run(batch)
        if not self.highest:
            self.highest = [float(each.max()) for each in seen[self._output][0]]
        return seen


@dataclass(frozen=True, eq=False)
class Looked:
    """One picture. highest: probability of its organ in the first look, 0 where the network was not run.

    Dice with one look and with both, None where there is no lesion; whether any region was outlined by each.
    """

    part: str
    highest: float
    dice: tuple[float, float] | None
    regions: tuple[bool, bool]

    def seen(self, mirror_from: float) -> int:
        """0 where the picture is looked at once, 1 where the mirror image is looked at as well."""
        return int(self.highest >= mirror_from)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and write; the exit code is 1 where the bar is missed."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.mirror", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of the public sets")
    parser.add_argument("--scans", type=int, default=200, help="simulated sweeps, every other one without a lesion")
    parser.add_argument("--rounds", type=int, default=5, help="how often each way is timed, in turns")
    parser.add_argument("--timed", type=int, default=60, help="pictures of either kind that are timed")
    parser.add_argument("--provider", default="auto")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--out", type=Path, default=RESULTS)
    asked = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    entry = read_registry().entry()
    if entry.mirror_from is None:
        parser.error(f"{entry.id} has no mirror_from: nothing to measure")
    runner = choose(read_weights(entry), entry, asked.provider, asked.precision, read_variants(entry))
    stills = read_cases(asked.data)
    with tempfile.TemporaryDirectory(prefix="sonovan-mirror-") as folder:
        write_scans(asked.data, "validation", asked.scans, Path(folder), say)
        frames = frames_of(Path(folder))
    looks = Looks(entry, runner)
    looked = [looks.look(case) for case in (*stills, *frames)]
    say(f"{len(looked)} pictures looked at with {runner.name}")
    registered = consequences(looked, entry.mirror_from)
    document: dict[str, Any] = {
        "model": entry.id,
        "fingerprint": entry.fingerprint,
        "provider": runner.name,
        "cpu": cpu_name(),
        "pictures": len(stills),
        "sweep_frames": len(frames),
        "mirror_from": entry.mirror_from,
        "tried": {str(value): consequences(looked, value) for value in TRIED},
        "registered": registered,
        "ms": {
            name: times(entry, runner, cases[:: max(1, len(cases) // asked.timed)], asked.rounds)
            for name, cases in (("stills", stills), (SWEEPS, frames))
        },
    }
    asked.out.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    if asked.out == RESULTS:
        write_part(PAGE, table(document), MARKS)
    say(table(document))
    missed = misses(registered)
    say("the bar is met" if not missed else f"missed: {'; '.join(missed)}")
    return 1 if missed else 0


def frames_of(folder: Path) -> list[Case]:
    """All frames of the scans of a folder, with their lesions."""
    found = []
    for scan in read_scans(folder):
        for place, path in enumerate(scan.frames):
            image = np.asarray(read_picture(path), np.uint8)
            drawn = scan.masks.get(place)
            truth = np.zeros(image.shape[:2], np.bool_)
            if drawn is not None:
                truth = np.asarray(read_picture(drawn), np.uint8) > 0
            found.append(Case(SWEEPS, scan.organ, image, truth, None))
    return found


class Looks:
    """A network with one look and with both, each made ready once."""

    def __init__(self, entry: Entry, runner: Runner) -> None:
        self._entry, self._watched = entry, Watched(runner, entry.output.name)
        self._once, self._twice = (_segmenter(entry, self._watched, value) for value in (None, ALWAYS))

    def look(self, case: Case) -> Looked:
        """One picture with one look and with both."""
        self._watched.highest = []
        once, twice = (each.segment(case.image, case.organ) for each in (self._once, self._twice))
        highest = self._watched.highest[self._entry.organs[case.organ]] if self._watched.highest else 0.0
        dice = None
        if case.truth.any():
            dice = (overlap(once.labels > 0, case.truth)[0], overlap(twice.labels > 0, case.truth)[0])
        return Looked(case.set, highest, dice, (bool(once.regions), bool(twice.regions)))


def _segmenter(entry: Entry, runner: Runner, mirror_from: float | None) -> models.Segmenter:
    return assembled(entry.model_copy(update={"mirror_from": mirror_from}), runner, WEIGHTS_DIR)


def consequences(looked: Sequence[Looked], mirror_from: float) -> dict[str, Any]:
    """Against always looking twice: Dice lost by set, lesions lost and false regions spared, shares looked at once.

    A lesion is lost where both looks together outline a part of it and the first alone, at which it would be left,
    outlines nothing of it.
    """
    lost: dict[str, list[float]] = defaultdict(list)
    lesions = spared = 0
    once: dict[str, list[bool]] = defaultdict(list)
    for each in looked:
        place = each.seen(mirror_from)
        kind = SWEEPS if each.part == SWEEPS else "stills"
        once[f"{kind}, {'no lesion' if each.dice is None else 'lesion'}"].append(place == 0)
        once[kind].append(place == 0)
        if each.dice is not None:
            lost[each.part].append(each.dice[1] - each.dice[place])
            lesions += each.dice[1] > 0 and each.dice[place] == 0
        else:
            spared += each.regions[1] and not each.regions[place]
    return {
        "dice_lost": {name: round(float(np.mean(values)), 5) for name, values in sorted(lost.items())},
        "lesions_lost": int(lesions),
        "false_regions_spared": int(spared),
        "looked_at_once": {name: round(float(np.mean(values)), 3) for name, values in sorted(once.items())},
    }


def misses(found: Mapping[str, Any]) -> list[str]:
    """In which respect these `consequences` miss the bar."""
    lines = [f"{name} loses {value:.4f} Dice" for name, value in found["dice_lost"].items() if value > BAR]
    return lines + ([f"{found['lesions_lost']} lesions are lost"] if found["lesions_lost"] else [])


def times(entry: Entry, runner: Runner, cases: Sequence[Case], rounds: int) -> dict[str, Any]:
    """What a frame takes one caller, ms, always twice and as registered: medians of the rounds, and the ratio."""
    ways = {"always": _segmenter(entry, runner, ALWAYS), "registered": _segmenter(entry, runner, entry.mirror_from)}
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for name in ways:
        _seconds(ways[name], cases[:4])
    for number in range(rounds):
        for name in sorted(ways, reverse=bool(number % 2)):
            taken[name].append(1e3 * _seconds(ways[name], cases) / len(cases))
    ratios = [always / now for always, now in zip(taken["always"], taken["registered"], strict=True)]
    return {name: round(statistics.median(values), 2) for name, values in taken.items()} | {
        "times_as_fast": round(statistics.median(ratios), 2),
        "range": [round(min(ratios), 2), round(max(ratios), 2)],
        "frames": len(cases),
    }


def _seconds(segmenter: models.Segmenter, cases: Sequence[Case]) -> float:
    started = time.perf_counter()
    for case in cases:
        segmenter.segment(case.image, case.organ)
    return time.perf_counter() - started


def table(document: Mapping[str, Any]) -> str:
    """The page's part between its marks."""
    sets = sorted(document["registered"]["dice_lost"])
    lines = [
        f"`{document['model']}`, {document['provider']} on {document['cpu']}: {document['pictures']} validation "
        f"pictures, {document['sweep_frames']} frames of simulated sweeps. Registered: {document['mirror_from']:g}.",
        "",
        f"| mirror image from | looked at once: stills, sweeps, sweeps without lesion | lesions lost | Dice lost: "
        f"{', '.join(sets)} |",
        "|---|---|---|---|",
    ]
    for value, found in document["tried"].items():
        once = found["looked_at_once"]
        shares = ", ".join(f"{100 * once.get(each, 0):.0f} %" for each in ("stills", SWEEPS, f"{SWEEPS}, no lesion"))
        dice = ", ".join(f"{found['dice_lost'][each] + 0.0:.4f}" for each in sets)
        lines.append(f"| {value} | {shares} | {found['lesions_lost']} | {dice} |")
    lines += ["", "| a frame of | always twice, ms | as registered, ms | times as fast (range) |", "|---|---|---|---|"]
    for name, row in document["ms"].items():
        low, high = row["range"]
        lines.append(
            f"| {name} | {row['always']:.1f} | {row['registered']:.1f} | {row['times_as_fast']:.2f} "
            f"({low:.2f} to {high:.2f}) |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
