"""Simulated scans through the whole path, with what the network said remembered from run to run."""

from pathlib import Path
from typing import Final

from benchmarks.shared import say
from benchmarks.sweeps.folder import write_scans
from benchmarks.sweeps.remembered import Remembered
from sonovan.models import load
from sonovan.models.evaluation.index import Split
from sonovan.sweeps_with_truth import Found, look, read_scans

TOLD_EVERY: Final = 25


def looked_at(data: Path, split: Split, scans: int, folder: Path) -> tuple[list[Found], Remembered]:
    """So many scans of a split, made where they are not there yet, with what is found in each; and the network.

    data: folder of the public sets. folder: of the sweeps and the network's answers, which are used again.
    """
    sweeps = folder / f"scans-{split}"
    made = {path.name for path in write_scans(data, split, scans, sweeps, say)}
    network = Remembered(load(provider="openvino", precision="fp32"), folder / "cache")
    found: list[Found] = []
    for scan in (each for each in read_scans(sweeps) if each.name in made):
        found.append(look(scan, network))
        if len(found) % TOLD_EVERY == 0:
            say(f"{len(found)} of {scans} scans looked at")
    return found, network
