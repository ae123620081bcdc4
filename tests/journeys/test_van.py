"""A day of a van: two scanners and the operator's commands on one side, the centre on the other, a kill in between."""

import shutil
from dataclasses import dataclass
from typing import Any, Final

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
from tests.journeys.van import sweep
from tests.journeys.van_day import TEXT_ROWS, burned_in, complete, dcmtk, frames_of, serving, start, study
from tests.journeys.world import World
from tests.producers.visits import vault_of

pytestmark = [pytest.mark.journeys, pytest.mark.timeout(900)]

FRAMES: Final = 8
SLIP: Final = slip_number("V", 2711)
PERSON: Final = "person-2711-li"
NAMES: Final = (PERSON, "Guihua", "Zhangjiacun", "19690214", "Wanglei", "M0042711")
"""What the scanner knows of her and of whoever scans; it must stand nowhere but in the scanner's own files."""
KNOWN: Final = {
    "PatientName": "Li^Guihua", "PatientBirthDate": "19690214", "InstitutionName": "Zhangjiacun",
    "OperatorsName": "Wanglei", "OtherPatientIDs": "M0042711", "PatientComments": "daughter of Wanglei",
}  # fmt: skip
"""What the scanner puts into every object of hers."""


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
    left = study(folder / "left.dcm", sweep(FRAMES), "L", SLIP, **KNOWN)
    right = study(folder / "right.dcm", burned_in(sweep(FRAMES)), "R", SLIP, **KNOWN)
    late = study(folder / "late.dcm", tuple(reversed(sweep(FRAMES))), "L", "", **KNOWN)
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
