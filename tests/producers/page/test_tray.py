"""The tray on the page, with objects that a scanner sent to a gateway; and the lights beside it."""

from dataclasses import replace
from pathlib import Path

import pytest

from sonovan.producers.gateway.intake import COMPOSED, DISCARDED, TRAY
from sonovan.producers.gateway.standing import van_state, woman_state
from sonovan.producers.gateway.steps import COMPLETED, Step
from sonovan.producers.lights import she_may_leave, van_may_leave
from sonovan.producers.sources import CapturedFrame, Source
from tests.producers.gateway.vans import SLIP, TODAY, Running, running, send, study
from tests.producers.page.pages import Desk, desk

HOSTILE = "Wang^<img src=x onerror=alert(1)>"


def held_back(source: Source) -> Source:
    """The same frames, each to be looked at first."""

    def read():
        for shot in source.read():
            yield replace(shot, held="text_uncertain") if isinstance(shot, CapturedFrame) else shot

    return replace(source, read=read)


def page_of(here: Desk, found: Running) -> Desk:
    return Desk(replace(here.page, vault=found.vault, spool=found.spool, desk=found.desk, clock=lambda: TODAY))


def test_an_object_waits_is_shown_assigned_and_the_lights_follow(tmp_path: Path) -> None:
    with running(tmp_path / "van") as found, desk(tmp_path / "page") as plain:
        here, entry = page_of(plain, found), found.expect()
        send(found.port, study(tmp_path / "a.dcm", PatientID="", PatientName=HOSTILE))
        (waiting,) = found.settled()
        assert waiting.state == TRAY
        text = here.text("/tray")
        assert "&lt;img src=x" in text
        assert "<img src=x" not in text
        assert "Its numbers are of nobody" in text
        picture = here.ask("GET", "/tray/{number}/picture", number="1")
        assert (picture.status, picture.body[:4]) == (200, b"\x89PNG")
        red = van_may_leave(van_state(found.vault.folder, found.desk, found.spool, TODAY))
        assert ("objects_waiting", 1) in [(each.code, each.value) for each in red.reasons]

        fields = (("slip", SLIP.lower()), ("because", "numbers_missing"))
        assert here.ask("POST", "/tray/{number}/assign", fields, number="1").location == "/tray"
        assert [each.state for each in found.settled()] == [COMPOSED]
        text = here.text("/lights")
        assert f"{SLIP}: she stays" in text
        assert "Left breast" in text
        for region in entry.visit.planned or ():
            found.desk.checklists.tick(entry.screening_id, region)
        light = she_may_leave(woman_state(found.vault.folder, found.desk, found.spool, entry))
        assert [(each.code, each.value) for each in light.reasons] == [("ticked_without_frames", "breast.right")]
        send(found.port, study(tmp_path / "b.dcm", Laterality="R"))
        found.settled()
        assert f"{SLIP}: she may leave" in here.text("/lights")
        assert "The van stays" in here.text("/lights")


def test_an_object_is_discarded_with_a_reason_alone(tmp_path: Path) -> None:
    with running(tmp_path / "van") as found, desk(tmp_path / "page") as plain:
        here = page_of(plain, found)
        send(found.port, study(tmp_path / "a.dcm", PatientID=""))
        found.settled()
        for fields in ((), (("because", "because"),)):
            assert here.ask("POST", "/tray/{number}/discard", fields, number="1").status == 400
        assert here.ask("POST", "/tray/{number}/discard", (("because", "test"),), number="1").location == "/tray"
        assert [each.state for each in found.desk.intake.objects()] == [DISCARDED]
        assert here.ask("GET", "/tray/{number}/picture", number="1").status == 404
        assert "Nothing waits" in here.text("/tray")


def test_a_picture_that_would_be_held_is_not_shown(tmp_path: Path) -> None:
    with running(tmp_path / "van") as found, desk(tmp_path / "page") as plain:
        send(found.port, study(tmp_path / "a.dcm", PatientID=""))
        found.settled()
        here = page_of(plain, found)
        here.page = replace(here.page, clean=held_back)
        assert here.ask("GET", "/tray/{number}/picture", number="1").status == 404


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ((("slip", "A17E"), ("because", "numbers_missing")), "mistyped"),
        ((("slip", SLIP), ("because", "numbers_missing")), "Nobody is expected"),
        ((("slip", SLIP), ("because", "numbers_missing"), ("side", "up")), "Nobody is expected"),
    ],
)
def test_a_wrong_assignment_is_refused(tmp_path: Path, fields: tuple[tuple[str, str], ...], sentence: str) -> None:
    with desk(tmp_path) as here:
        answer = here.ask("POST", "/tray/{number}/assign", fields, number="1")
        assert answer.status == 400
        assert sentence in answer.body.decode()


def test_a_number_that_is_none_is_refused(tmp_path: Path) -> None:
    with desk(tmp_path) as here:
        for number in ("x", "-1", "1" * 40, "9"):
            assert here.ask("GET", "/tray/{number}/picture", number=number).status in (400, 404)


def test_what_a_scanner_will_not_send_any_more_is_given_up(tmp_path: Path) -> None:
    with desk(tmp_path) as here:
        steps = here.page.desk.steps
        steps.put(Step("1.2.3", "LOGIQ<E9>", COMPLETED, ("1.2.3.4", "1.2.3.5")))
        text = here.text("/tray")
        assert "LOGIQ&lt;E9&gt; made objects that never came: 2" in text
        assert "Made by the scanner, never arrived: 2" in here.text("/lights")
        assert here.ask("POST", "/tray/given-up", (("step", "none"),)).location == "/tray"
        assert "never arrived" in here.text("/lights")
        here.ask("POST", "/tray/given-up", (("step", "1.2.3"),))
        assert "never came" not in here.text("/tray")
        assert "The van may leave" in here.text("/lights")
