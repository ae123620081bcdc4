"""The shell in a real browser: by keyboard, in both languages and themes, without an error of the page."""

from tests.chromium import Tab
from tests.console.conftest import log_in
from tests.console.world import Running


def test_a_reader_comes_in_and_leaves_by_keyboard(console: Running, tab: Tab) -> None:
    log_in(tab, console, "b1", "reader")
    tab.press("?")
    tab.until("document.querySelector('#keys').open")
    assert "g" in tab.run("document.querySelector('#keys dt').textContent")
    tab.press("?")
    tab.until("!document.querySelector('#keys').open")
    tab.press("g")
    tab.press("h")
    tab.until("document.querySelector('[aria-current=page]') !== null")
    tab.run("document.querySelector('button[name=language]').click()")
    tab.until("document.documentElement.lang === 'zh-Hans'")
    tab.run("document.querySelector('button[value=dark]').click()")
    tab.until("getComputedStyle(document.documentElement).colorScheme === 'dark'")
    tab.run("document.querySelector('form.leave button').click()")
    tab.until("location.pathname === '/login'")
    assert tab.errors == [], tab.errors
    assert console.told == []
