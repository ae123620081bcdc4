"""What a day of a van is made of: `van serve`, DCMTK as scanners, and files with all that a scanner knows."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from sonovan.contracts.results import ScreeningAssessed
from sonovan.contracts.topics import Topic
from tests.journeys.van import COLUMNS, ROWS, Sweep
from tests.journeys.world import World
from tests.producers.files import write_dicom

TITLES: Final = ("-aet", "LOGIQ", "-aec", "SONOVAN")
TEXT_ROWS: Final = 28
"""How much of a picture from its top the text that is burned in takes."""


@dataclass
class Serving:
    """`sonovan van serve` of this van."""

    process: "subprocess.Popen[str]"
    port: int


def study(path: Path, pixels: Sweep, side: str, slip: str, **tags: Any) -> Path:
    """A sweep of a breast as a scanner sends it; tags: what else the scanner knows."""
    return write_dicom(
        path, pixels, shape=(ROWS, COLUMNS), PatientID=slip, Laterality=side, BodyPartExamined="BREAST",
        AccessionNumber="", **tags,
    )  # fmt: skip


def burned_in(pixels: Sweep, line: str = "LI GUIHUA 1969-02-14") -> Sweep:
    """The sweep under a line of text, as a scanner burns it in."""
    drawn = []
    for each in pixels:
        picture = np.zeros_like(each)
        picture[TEXT_ROWS:] = each[TEXT_ROWS:]
        cv2.putText(picture, line, (8, 19), cv2.FONT_HERSHEY_SIMPLEX, 0.5, 255, 1, cv2.LINE_AA)
        drawn.append(picture)
    return tuple(drawn)


@contextmanager
def serving(world: World, van_id: str, log: Any, *options: str) -> Iterator[Serving]:
    """`van serve`, which also uploads; asked to stop at the end, if it still runs. log: takes what it says."""
    words = ("van", "serve", "--van", van_id, "--port", "0", "--page-port", "0", "--state", str(world.centre.path))
    argv = [sys.executable, "-m", "sonovan", *words, *options]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=log, text=True) as process:
        assert process.stdout is not None
        try:
            yield Serving(process, int(process.stdout.readline().rpartition(" ")[2]))
        finally:
            process.terminate()
            process.wait(60)


def start(program: str, port: int, *words: str | Path, titles: Sequence[str] = TITLES) -> "subprocess.Popen[str]":
    """Start one of DCMTK's programs against the van."""
    argv = [program, "-v", *titles, "127.0.0.1", str(port), *map(str, words)]
    return subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")


def dcmtk(program: str, port: int, *words: str | Path, titles: Sequence[str] = TITLES) -> tuple[int, str]:
    """Run one of DCMTK's programs to its end: its exit status and what it said."""
    with start(program, port, *words, titles=titles) as process:
        out, _ = process.communicate(timeout=60)
    return process.returncode, out


def frames_of(world: World, van_id: str) -> int:
    """The frames in all screenings of the van."""
    found = world.sonovan("van", "screenings", "--van", van_id, "--json")
    return sum(int(each["frames"]) for each in found)


def complete(world: World, screening_id: str, frames: int) -> ScreeningAssessed:
    """The newest revision, once it is complete and has so many frames."""

    def there() -> ScreeningAssessed | None:
        revisions = world.records(Topic.SCREENING_ASSESSED, ScreeningAssessed, screening_id)
        found = max(revisions, key=lambda each: each.revision_number, default=None)
        return found if found is not None and (found.status, found.frames) == ("complete", frames) else None

    found = world.until(there, f"screening {screening_id} is complete with {frames} frames")
    assert found is not None
    return found
