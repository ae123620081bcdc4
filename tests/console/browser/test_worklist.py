"""The worklist in a real browser, with two readers: by keyboard, live, and nothing moves under the cursor."""

from collections.abc import Iterator

import pytest

from tests.chromium import Tab
from tests.console import worklist_scene as scene
from tests.console.conftest import log_in
from tests.console.test_worklist import add, change
from tests.console.world import Running, running

IDS = scene.ids()


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("worklist"), rows=scene.rows) as made:
        yield made


def cursor(tab: Tab) -> str | None:
    found = tab.run("document.activeElement?.closest('tr')?.dataset.id ?? null")
    return None if found is None else str(found)


def shown(tab: Tab) -> list[str]:
    return list(tab.run("[...document.querySelectorAll('#rows tr')].map((each) => each.dataset.id)"))


def test_two_readers_work_through_the_list_by_keyboard_and_see_each_other(
    console: Running, tab: Tab, other: Tab
) -> None:
    log_in(tab, console, "x1", "reader")
    log_in(other, console, "x2", "reader")
    for each in (tab, other):
        each.press("g")
        each.press("w")
        each.until("document.querySelector('#live')?.textContent === 'live'")
    assert (cursor(tab), shown(tab)) == (IDS[3], [IDS[each] for each in (3, 1, 4, 2)])
    tab.press("j")
    assert cursor(tab) == IDS[1]
    for key in ("j", "j", "j", "k"):
        tab.press(key)
    assert cursor(tab) == IDS[4], "the list ends at its last row"

    # What comes is announced, and comes in on a key, with the cursor where it was.
    new = add(console, number=31, rank=-0.95)
    tab.until("!document.querySelector('#fresh').hidden")
    assert tab.run("document.querySelector('#fresh').textContent") == "1 new"
    assert shown(tab) == [IDS[each] for each in (3, 1, 4, 2)]
    assert cursor(tab) == IDS[4]
    tab.press("n")
    tab.until(f"document.querySelector('tr[data-id=\"{new}\"]') !== null")
    assert shown(tab) == [IDS[3], new, IDS[1], IDS[4], IDS[2]]
    assert cursor(tab) == IDS[4]

    # What the other reader claims is marked in its place; what is signed stays where it was.
    other.run(f"import('/static/console.js').then((page) => page.post('/worklist/{IDS[4]}/claim'))")
    tab.until(f"document.querySelector('tr[data-id=\"{IDS[4]}\"]').classList.contains('changed')")
    assert "x2 reads it" in tab.run(f"document.querySelector('tr[data-id=\"{IDS[4]}\"]').textContent")
    assert cursor(tab) == IDS[4]
    change(console, "UPDATE listed SET waiting = 0, signed_by = 'x2', signed_at = '2026-09-21T09:00:00.000Z',"
           " changed_ms = changed_ms + 100 WHERE screening_id = :id", id=new)  # fmt: skip
    tab.until(f"document.querySelector('tr[data-id=\"{new}\"]').classList.contains('left')")
    assert shown(tab)[1] == new

    # Number keys change the queue, / goes to the filters, Enter opens.
    tab.press("6")
    tab.until("location.search.includes('queue=mine') && document.readyState === 'complete'")
    other.press("6")
    other.until("location.search.includes('queue=mine') && document.querySelector('#rows tr') !== null")
    assert shown(other) == [IDS[4]]
    other.press("/")
    other.until("document.activeElement.name === 'site'")
    other.run("document.activeElement.blur()")
    other.press("j")
    other.press("Enter")
    other.until(f"location.pathname === '/reading/{IDS[4]}'")
    assert tab.errors == [], tab.errors
    assert console.told == []
