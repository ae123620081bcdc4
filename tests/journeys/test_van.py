"""A day of a van: two scanners and the operator's commands on one side, the centre on the other, a kill in between."""

import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import pytest

from sonovan.contracts.answers import RecordRejected
from sonovan.contracts.frames import FrameSegmented
from sonovan.contracts.ids import mint_id
from sonovan.contracts.results import ScreeningAssessed
from sonovan.contracts.topics import Topic
from sonovan.contracts.words import slip_number
from sonovan.producers import site
from sonovan.producers.enrol import van_folder
from sonovan.producers.spool import Spool
from sonovan.storage.frames import stored_frame
from tests.conftest import skip_unless_ci
from tests.journeys.hunt import hits, kept_in
from tests.journeys.van import COLUMNS, ROWS, Sweep, sweep
from tests.journeys.world import World
from tests.producers.files import write_dicom
from tests.producers.visits import vault_of

pytestmark = [pytest.mark.journeys, pytest.mark.timeout(900)]

FRAMES: Final = 8
SLIP: Final = slip_number("V", 2711)
PERSON: Final = "person-2711-li"
NAMES: Final = (PERSON, "Guihua", "Zhangjiacun", "19690214", "Wanglei", "M0042711")
"""What the scanner knows of her and of whoever scans; it must stand nowhere but in the scanner's own files."""
TITLES: Final = ("-aet", "LOGIQ", "-aec", "SONOVAN")
TEXT_ROWS: Final = 28
"""How much of a picture from its top the text that is burned in takes."""


@dataclass
class Serving:
    """`sonovan van serve` of this van."""

    process: "subprocess.Popen[str]"
    port: int


@dataclass
class Day:
    """What was seen of the day."""

    world: World
    van_id: str
    screening_id: str
    found: str
    refused: str
    first: ScreeningAssessed
    tray: list[dict[str, Any]]
    last: ScreeningAssessed
    lights: dict[str, Any]
    said: str


@pytest.fixture(scope="module")
def day(world: World, tmp_path_factory: pytest.TempPathFactory) -> Day:
    """The whole day, once."""
    if shutil.which("storescu") is None:
        skip_unless_ci("no DCMTK here (Debian: dcmtk)")
    folder = tmp_path_factory.mktemp("scanner")
    world.work()
    van_id = f"van-{mint_id()[-12:]}"
    world.sonovan("van", "enrol", van_id)
    if site.check(vault_of(world.centre.path, van_id)) is None:  # another van of this centre was the first of its site
        world.sonovan("van", "site", "new", "--van", van_id)
    entry = world.sonovan(
        "van", "register", "--van", van_id, "--slip", SLIP, "--organ", "breast", "--person", PERSON,
        "--consent", "screening,ai", "--json",
    )  # fmt: skip
    screening_id = str(entry["screening_id"])
    left = study(folder / "left.dcm", sweep(FRAMES), "L")
    right = study(folder / "right.dcm", burned_in(sweep(FRAMES)), "R")
    late = study(folder / "late.dcm", tuple(reversed(sweep(FRAMES))), "L", slip="")
    log = (folder / "said").open("w+")
    with serving(world, van_id, log) as van:
        assert dcmtk("echoscu", van.port)[0] == 0
        refused = dcmtk("echoscu", van.port, titles=("-aet", "LOGIQ", "-aec", "WRONG"))[1]
        found = dcmtk("findscu", van.port, "-W", "-k", "PatientID", "-k", "PatientName")[1]
        scanners = [start("storescu", van.port, each) for each in (left, right)]
        van.process.kill()  # whatever was acknowledged by now is kept, and whatever was not is sent again
        for each in scanners:
            each.communicate(timeout=60)
    with serving(world, van_id, log) as van:
        scanners = [start("storescu", van.port, each, late) for each in (left, right)]
        for each in scanners:
            out, _ = each.communicate(timeout=60)
            assert (each.returncode, out.count("Success")) == (0, 2), out
        world.until(lambda: frames_of(world, van_id) == 2 * FRAMES, "both sides are in her screening")
        world.sonovan("van", "close", screening_id, "--van", van_id)
        first = complete(world, screening_id, 2 * FRAMES)
        tray = world.sonovan("van", "tray", "list", "--van", van_id, "--json")
        numbers = [str(each["number"]) for each in tray]
        world.sonovan(
            "van", "tray", "assign", numbers[0], "--slip", SLIP, "--because", "numbers_missing", "--van", van_id
        )
        world.until(lambda: frames_of(world, van_id) == 3 * FRAMES, "what waited is in her screening")
        world.sonovan("van", "close", screening_id, "--van", van_id)
        last = complete(world, screening_id, 3 * FRAMES)
        lights = world.sonovan("van", "lights", "--van", van_id, "--json")
    log.seek(0)
    with log:
        return Day(world, van_id, screening_id, found, refused, first, tray, last, lights, log.read())


def test_the_scanner_finds_her_by_her_slip_and_a_wrong_title_is_refused(day: Day) -> None:
    assert SLIP in day.found
    assert not any(name in day.found for name in NAMES)
    assert "Called AE Title Not Recognized" in day.refused


def test_a_kill_while_two_scanners_send_loses_and_doubles_no_frame(day: Day) -> None:
    results = day.world.records(Topic.FRAME_SEGMENTED, FrameSegmented, day.screening_id)
    assert len({each.frame_id for each in results}) == 3 * FRAMES
    assert day.last.frames == 3 * FRAMES
    assert not day.world.records(Topic.RECORD_REJECTED, RecordRejected, day.screening_id)


def test_what_had_no_number_waited_for_the_operator_and_came_into_a_new_revision(day: Day) -> None:
    assert [(each["state"], each["reason"]) for each in day.tray] == [("tray", "unmatched")]
    assert (day.first.status, day.first.frames) == ("complete", 2 * FRAMES)
    assert day.last.revision_number > day.first.revision_number


def test_text_that_is_burned_in_is_black_at_the_centre(day: Day) -> None:
    right = [
        each
        for each in day.world.records(Topic.FRAME_SEGMENTED, FrameSegmented, day.screening_id)
        if each.laterality == "right"
    ]
    assert len(right) == FRAMES
    for each in right:
        assert stored_frame(day.world.store, each).pixels()[:TEXT_ROWS].max() < 255


def test_both_lights_are_green_in_the_evening(day: Day) -> None:
    assert day.lights["van"]["green"], day.lights


def test_nothing_that_names_her_left_the_scanner(day: Day) -> None:
    state = day.world.centre.state
    found = {name: hits(folder, NAMES) for name, folder in kept_in(state)}
    found["van"] = hits(van_folder(day.world.centre.path, day.van_id), [*NAMES, SLIP])
    assert not any(places for each in found.values() for places in each.values()), found
    assert not any(name in day.said for name in (*NAMES, SLIP)), day.said


def test_what_the_centre_pointed_at_is_kept_sealed_for_her_next_visit(day: Day) -> None:
    """The frame is the one that left the van, and what is kept names nobody (the hunt above saw its files)."""
    vault = vault_of(day.world.centre.path, day.van_id)
    with Spool(vault.folder / "spool", vault, earlier_bytes=2**30) as spool:
        found = spool.earlier.of(site.visit_key(vault, PERSON), mint_id())
        assert found, "a lesion was outlined on the left side"
        assert {each.screening_id for each in found} == {day.screening_id}
        findings = (*day.first.findings, *day.last.findings)
        frames = {each.key_frame_id for finding in findings for each in finding.sightings}
        assert {each.place.key_frame_id for each in found} <= frames
        assert all(each.has_picture and each.place.outline for each in found)


def study(path: Path, pixels: Sweep, side: str, slip: str = SLIP) -> Path:
    """A sweep as a scanner sends it, with all that it knows of her."""
    return write_dicom(
        path, pixels, shape=(ROWS, COLUMNS), PatientID=slip, Laterality=side, BodyPartExamined="BREAST",
        AccessionNumber="", PatientName="Li^Guihua", PatientBirthDate="19690214", InstitutionName="Zhangjiacun",
        OperatorsName="Wanglei", OtherPatientIDs="M0042711", PatientComments="daughter of Wanglei",
    )  # fmt: skip


def burned_in(pixels: Sweep) -> Sweep:
    """The sweep under a line of text, as a scanner burns it in."""
    drawn = []
    for each in pixels:
        picture = np.zeros_like(each)
        picture[TEXT_ROWS:] = each[TEXT_ROWS:]
        cv2.putText(picture, "LI GUIHUA 1969-02-14", (8, 19), cv2.FONT_HERSHEY_SIMPLEX, 0.5, 255, 1, cv2.LINE_AA)
        drawn.append(picture)
    return tuple(drawn)


@contextmanager
def serving(world: World, van_id: str, log: Any) -> Iterator[Serving]:
    """`van serve`, which also uploads; asked to stop at the end, if it still runs."""
    words = ("van", "serve", "--van", van_id, "--port", "0", "--page-port", "0", "--state", str(world.centre.path))
    argv = [sys.executable, "-m", "sonovan", *words]
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
    """The frames in the van's only screening."""
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
