"""A reader's day at the running centre: a sweep comes through the stages, is found on the worklist, looked at frame by
frame and signed in a browser by keyboard alone, while another reader waits; the catalogue, the report and the audit
know it.
"""

import os
from collections.abc import Iterator

import pytest

from sonovan.console_here import CONSOLE, console_address, launch_console
from sonovan.contracts.conclusions import ScreeningConcluded
from sonovan.contracts.topics import Topic, Writer
from tests.chromium import Tab, chromium, found_program
from tests.conftest import skip_unless_ci
from tests.journeys.account import wait_for
from tests.journeys.van import Van, sweep
from tests.journeys.world import World

pytestmark = [pytest.mark.journeys, pytest.mark.timeout(600)]

STAGES = (Writer.SEGMENT, Writer.ASSESS, Writer.ALERT, Writer.CATALOG)
SOON_INCOMPLETE = {"SONOVAN_ASSESS_INCOMPLETE_AFTER_S": "4", "SONOVAN_ASSESS_TICK_EVERY_S": "1"}
SETTINGS = {"SONOVAN_CONSOLE_SECOND_FACTOR": "nobody", "SONOVAN_INTENDED_USE": "decision_support"}


@pytest.fixture
def address(world: World) -> Iterator[str]:
    """Where the console of the running centre answers."""
    world.work(stages=STAGES, also={"assess": SOON_INCOMPLETE})
    state = world.centre.state
    launch_console(state, os.environ | SETTINGS, world.centre.environment(CONSOLE))
    yield world.until(lambda: console_address(world.centre.path) or "", "the console answers")
    world.stop(CONSOLE)


@pytest.fixture
def tabs() -> Iterator[tuple[Tab, Tab]]:
    """Two browsers that know nothing of each other."""
    program = found_program()
    if program is None:
        skip_unless_ci("no Chromium on this machine (Debian: chromium)")
        return
    with chromium(program) as first, chromium(program) as second:
        yield first, second


def log_in(world: World, tab: Tab, address: str, code: str, *roles: str) -> None:
    """Make an account by the command, of a reader if no roles are given, and log in by keyboard."""
    given = [word for role in roles or ("reader",) for word in ("--role", role)]
    password = world.sonovan("console", "user", "add", code, *given, "--lasting").strip()
    tab.go(f"{address}/login")
    tab.until("document.activeElement?.name === 'account'")
    tab.type(code)
    tab.press("Tab")
    tab.type(password)
    tab.press("Enter")
    tab.until("location.pathname === '/'")


def filled_in(tab: Tab, keys: list[str]) -> None:
    """Choose by keyboard whatever must be chosen: each finding a lesion of 5, its side as well, the others 2."""
    tab.press("q")
    tab.until("document.activeElement.closest('#signing') !== null")
    for number, key in enumerate(keys, start=1):
        choose(tab, f'[data-finding="{key}"]', f"Finding {number}", "l")
        choose(tab, f'[data-finding="{key}"]', "Category BI-RADS", "8")
    sides = tab.run("[...document.querySelectorAll('[data-side]')].map((each) => each.dataset.side)")
    assert "breast.left" in sides
    for side in sides:
        choose(tab, f'[data-side="{side}"]', "Category BI-RADS", "8" if side == "breast.left" else "2")
        choose(tab, f'[data-side="{side}"]', "Recommendation", "e")
    tab.until("document.querySelector('[data-lacking]').hidden")


def sign(tab: Tab) -> None:
    """Say yes to what does not fit together, where something does not, and sign by Ctrl+Enter."""
    tab.until("!document.querySelector('[data-deriving]')")
    if not tab.run("document.querySelector('[data-despite]').hidden"):
        tab.run("document.querySelector('[data-despite] input').click()")
        tab.until("!document.querySelector('[data-deriving]')")
    tab.run("document.querySelector('[data-signing] .line').focus()")
    tab.run(
        "document.activeElement.dispatchEvent("
        "new KeyboardEvent('keydown', {key: 'Enter', ctrlKey: true, bubbles: true}))"
    )


def choose(tab: Tab, within: str, label: str, key: str) -> None:
    """Go to a line of the form and press the key of a choice."""
    tab.run(f"document.querySelector('{within} .line[aria-label=\"{label}\"]').focus()")
    tab.press(key)
    tab.until("!document.querySelector('[data-deriving]')")


def test_a_sweep_is_found_looked_at_and_signed_by_one_reader_while_another_waits(
    world: World, address: str, tabs: tuple[Tab, Tab]
) -> None:
    tab, other = tabs
    van = Van(world)
    hers = van.screening(sweep())
    van.send(hers.items)
    revision = wait_for(world, hers, "complete")
    whole = f"SELECT * FROM revisions WHERE revision_id = '{revision.revision_id}'"
    world.until(lambda: world.sonovan("query", whole, "--json"), "the catalogue has the whole report")
    row = f"a[href='/reading/{hers.screening_id}']"
    log_in(world, tab, address, "dr-1")
    tab.press("g")
    tab.press("w")
    tab.until(f'document.querySelector("{row}") !== null || document.querySelector("#fresh:not([hidden])") !== null')
    if tab.run(f'document.querySelector("{row}") === null'):
        tab.press("n")  # what is new comes in when the reader says so
        tab.until(f'document.querySelector("{row}") !== null')
    tab.run(f'document.querySelector("{row}").focus()')
    tab.press("Enter")
    tab.until("document.querySelector('[data-signing]') !== null")
    assert tab.run("location.pathname") == f"/reading/{hers.screening_id}"
    assert tab.run("document.querySelectorAll('[data-signing] input:checked').length") == 0, "nothing is signed for her"

    log_in(world, other, address, "dr-2")
    other.go(f"{address}/reading/{hers.screening_id}")
    other.until("document.querySelector('[role=alert]')?.textContent.includes('dr-1')")

    filled_in(tab, [each.finding_id[:16] for each in revision.findings])
    sign(tab)
    tab.until("document.querySelector('#just-signed') !== null")
    (made,) = world.records(Topic.SCREENING_CONCLUDED, ScreeningConcluded, hers.screening_id)
    assert (made.by, made.revision_id, made.conclusion_number) == ("dr-1", revision.revision_id, 1)
    assert made.looked_at, "how much of each sweep was on the screen is part of what is signed"

    asked = f"SELECT * FROM signed WHERE screening_id = '{hers.screening_id}'"
    world.until(lambda: world.sonovan("query", asked, "--json"), "the catalogue knows who signed")
    tab.go(f"{address}/signed/{hers.screening_id}/{made.conclusion_id}/page/en")
    tab.until("document.body.textContent.includes('dr-1')")
    assert "not a result" not in tab.run("document.body.textContent")
    noted = world.sonovan("audit", "show", "--json")
    acts = {each["what"] for each in noted if hers.screening_id in str(each)}
    assert acts >= {"reading.opened", "screening.signed"}, acts
    world.sonovan("audit", "verify")
    assert tab.errors == [], tab.errors


def test_a_revision_that_comes_while_somebody_signs_is_shown_before_anything_is_signed(
    world: World, address: str, tabs: tuple[Tab, Tab]
) -> None:
    tab, _ = tabs
    van = Van(world)
    hers = van.screening(sweep())
    late = hers.frames[20]
    van.send([each for each in hers.items if each is not late])
    preliminary = wait_for(world, hers, "incomplete", lambda found: found.frames == len(hers.frames) - 1)
    known = f"SELECT * FROM revisions WHERE revision_id = '{preliminary.revision_id}'"
    world.until(lambda: world.sonovan("query", known, "--json"), "the catalogue has a revision with a report")
    log_in(world, tab, address, "dr-3")
    tab.go(f"{address}/reading/{hers.screening_id}")
    tab.until("document.querySelector('[data-signing]') !== null")
    filled_in(tab, [each.finding_id[:16] for each in preliminary.findings])
    van.send([late])
    whole = wait_for(world, hers, "complete")
    asked = f"SELECT * FROM revisions WHERE revision_id = '{whole.revision_id}'"
    world.until(lambda: world.sonovan("query", asked, "--json"), "the catalogue has the newer revision")
    sign(tab)
    tab.until("document.querySelector('[data-newer]') !== null")
    assert world.records(Topic.SCREENING_CONCLUDED, ScreeningConcluded, hers.screening_id) == []
    assert "breast.left" in tab.run("document.querySelector('[name^=\"s.breast.left\"]:checked')?.name ?? ''"), "kept"
    sign(tab)  # what does not fit with the newer revision stands there to be read first
    tab.until("document.querySelector('#just-signed') !== null")
    (made,) = world.records(Topic.SCREENING_CONCLUDED, ScreeningConcluded, hers.screening_id)
    assert (made.revision_id, made.by) == (whole.revision_id, "dr-3")
