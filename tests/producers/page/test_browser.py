"""The page in a real browser, by keyboard: entering, registering, what arrives, ticking off, closing."""

import socket
from dataclasses import replace
from pathlib import Path

from sonovan.producers.gateway.recording import Recorder
from sonovan.producers.page.doors import Doors
from sonovan.producers.page.server import serving
from tests.chromium import chromium, found_program
from tests.conftest import skip_unless_ci
from tests.producers.clips import shades
from tests.producers.gateway.test_recording import ENTRY
from tests.producers.page.pages import OTHER_SLIP, desk
from tests.producers.page.scene import closings, registered, scan
from tests.producers.page.screenshots import enter
from tests.producers.page.test_earlier import again, examined
from tests.producers.page.test_live import tick
from tests.producers.sources.test_capture import Screen
from tests.producers.visits import SIGNER

PROGRAM = found_program()


def test_a_woman_is_registered_scanned_and_let_go_by_keyboard(tmp_path: Path) -> None:
    if PROGRAM is None:
        skip_unless_ci("no Chromium on this machine (Debian: chromium)")
    doors, told = Doors(), list[str]()
    with desk(tmp_path) as here, serving(here.page, doors, told.append) as port, chromium(str(PROGRAM)) as tab:
        enter(tab, port, doors)
        assert tab.run("location.hash") == "", "the code is gone from the address"
        assert tab.run("document.activeElement.name") == "slip"
        tab.type(OTHER_SLIP)
        for key in ("Tab", "Tab", "Tab", "Tab", " ", "Tab", " "):
            tab.press(key)
        tab.press("Enter")
        tab.until("location.pathname.startsWith('/slip/')")
        assert tab.run("document.querySelector('.slip svg').getBoundingClientRect().width") > 200
        (entry,) = here.page.desk.register.expected()
        assert (entry.slip, entry.visit.consent.to_analysis) == (OTHER_SLIP, True)

        scan(here, entry, "left", frames=2)
        tab.press("s")
        tab.until("location.pathname.startsWith('/live/')")
        tab.until("document.querySelector('#frames').textContent === '2'")
        scan(here, entry, "right", frames=3, seed=9)
        tab.until("document.querySelector('#frames').textContent === '5'")
        tab.until("document.querySelector('#latest').tBodies[0].rows.length === 2")
        for key in ("1", "2"):
            tab.press(key)
            tab.until(f"document.querySelectorAll('tr.done').length === {key}")
        tab.until("document.querySelector('#lamp').className === 'lamp green'")
        tab.press("c")
        tab.until("location.pathname === '/lights'")
        assert [len(each.covered or ()) for each in closings(here)] == [2]
        assert here.page.desk.checklists.of(entry.screening_id).left_at is None
        tab.press("1")
        tab.until("location.pathname === '/lights' && document.querySelector('main form.plain') === null")
        assert [each.stays for each in closings(here)] == [True, False]
        tab.press("o")
        tab.until("location.pathname === '/operator' && document.activeElement.name === 'operator'")
        tab.type("op-7")
        tab.press("Enter")
        tab.until("document.querySelector('a[data-key=o]').innerText.includes('op-7')")

        tab.press("l")
        tab.until("document.documentElement.lang === 'zh-Hans'")
        refused = tab.run(
            "fetch('/register', {method: 'POST', body: new URLSearchParams({token: '0'})}).then((r) => r.status)"
        )
        assert refused == 403
        assert [each for each in tab.errors if "403" not in each] == []
    assert told == []
    with socket.socket() as free:
        assert free.connect_ex(("127.0.0.1", port)) != 0, "it is served no longer"


def test_a_sweep_is_recorded_by_a_key_once_its_place_is_chosen_and_its_end_is_told(tmp_path: Path) -> None:
    if PROGRAM is None:
        skip_unless_ci("no Chromium on this machine (Debian: chromium)")
    doors, screen, state = (
        Doors(),
        Screen(shades(6), dark=False),
        "document.querySelector('#capture').dataset.recording",
    )
    with desk(tmp_path) as here, chromium(str(PROGRAM)) as tab:
        page = here.page
        recorder = Recorder(page.spool, SIGNER, page.clean, page.watch, (ENTRY,), lambda _: None, lambda _: screen)
        here.page, entry = replace(page, recorder=recorder), registered(here)
        with serving(here.page, doors, lambda _line: None) as port:
            enter(tab, port, doors)
            tab.go(f"http://127.0.0.1:{port}/live/{entry.screening_id}")
            tab.until(f"{state} === 'no'")
            tab.press("v")
            assert not recorder.recording, "no place was chosen"
            choose = "c.value = 'breast.right'; c.dispatchEvent(new Event('change'))"
            tab.run(f"{{ const c = document.querySelector('#capture select'); c.focus(); {choose} }}")
            tab.press("v")
            tab.until(f"{state} === 'here'")
            assert screen.shown_all.wait(60)
            screen.go_on.set()
            tab.until(f"{state} === 'broke_off'")
            assert tab.run("document.querySelector('#capture [role=alert]').innerText").startswith("Her newest sweep")
            assert [each.side for each in page.spool.sweeps(entry.screening_id)] == ["right"]
    assert tab.errors == []


def test_places_of_earlier_examinations_stand_beside_the_picture_and_a_key_turns_them(tmp_path: Path) -> None:
    if PROGRAM is None:
        skip_unless_ci("no Chromium on this machine (Debian: chromium)")
    doors, told = Doors(), list[str]()
    with desk(tmp_path) as here, chromium(str(PROGRAM)) as tab:
        examined(here, {"laterality": "right", "finding_id": "f" * 64, "location": None})
        entry = again(here)
        with serving(here.page, doors, told.append) as port:
            enter(tab, port, doors)
            tab.go(f"http://127.0.0.1:{port}/live/{entry.screening_id}")
            seen = "[...document.querySelectorAll('#earlier figure')].find((each) => !each.hidden)"
            tab.until(f"{seen}?.querySelector('img')?.naturalWidth > 100")
            assert "Left breast, 10 o'clock" in tab.run(f"{seen}.innerText")
            tab.press("n")
            tab.until(f"{seen}.innerText.includes('Right breast')")
            tab.until(f"{seen}.querySelector('img').naturalWidth > 100")
            tab.press("n")
            tab.until(f"{seen}.innerText.includes('Left breast')")
            assert tab.run("document.querySelectorAll('#earlier figure:not([hidden])').length") == 1
            here.page.spool.silenced.add(entry.screening_id)
            tab.until("document.querySelector('#earlier').hidden")
    assert (tab.errors, told) == ([], [])


def test_a_light_goes_out_when_nobody_renews_it(tmp_path: Path) -> None:
    if PROGRAM is None:
        skip_unless_ci("no Chromium on this machine (Debian: chromium)")
    doors, lamp = Doors(), "document.querySelector('#lamp')"
    with desk(tmp_path) as here, chromium(str(PROGRAM)) as tab:
        entry = registered(here)
        with serving(here.page, doors, lambda _line: None) as port:
            enter(tab, port, doors)
            for side in ("left", "right"):
                scan(here, entry, side)
                tick(here, entry, f"breast.{side}")
            tab.go(f"http://127.0.0.1:{port}/live/{entry.screening_id}")
            tab.until(f"{lamp}?.className === 'lamp green'")
        tab.until(f"{lamp}.className === 'lamp red'")
        assert tab.run(f"{lamp}.innerText.startsWith('?')")
