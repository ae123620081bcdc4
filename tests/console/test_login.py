"""Coming in, leaving, and what a session is."""

import pytest
from sqlalchemy import select

from sonovan.storage.console.tables import SESSION
from tests.console.world import PASSWORD, Running, running


def test_a_person_comes_in_with_account_and_password_and_leaves(console: Running) -> None:
    browser = console.browser()
    console.person("r1", "reader")
    first = browser.get("/")
    assert (first.status, first.headers["location"]) == (303, "/login")
    entered = browser.log_in("r1")
    assert (entered.status, entered.headers["location"]) == (303, "/")
    assert "r1" in browser.get("/").text
    assert browser.post("/leave").status == 303
    assert browser.get("/").headers["location"] == "/login"


@pytest.mark.parametrize(("account", "password"), [("r2", "wrong password"), ("nobody", PASSWORD), ("", "")])
def test_a_wrong_password_and_an_unknown_account_look_alike(console: Running, account: str, password: str) -> None:
    console.person("r2", "reader")
    answer = console.browser().log_in(account, password)
    assert answer.status == 403
    assert "Account or password is not right." in answer.text


def test_a_disabled_account_is_out_at_once(console: Running) -> None:
    browser = console.browser("r3", "reader")
    console.console.accounts.disable("r3", 1)
    assert browser.get("/").status == 303
    assert browser.log_in("r3").status == 403
    browser.cookies["console"] = console.console.sessions.begin("r3", proven=True)
    assert browser.get("/").status == 303, "nor by a session that was begun in the same moment"


def test_a_login_ends_the_session_that_the_browser_brought(console: Running) -> None:
    browser = console.browser("r4", "reader")
    before = browser.cookies["console"]
    browser.log_in("r4")
    assert browser.cookies["console"] != before
    browser.cookies["console"] = before
    assert browser.get("/").status == 303


def test_a_secret_that_somebody_else_chose_is_never_taken(console: Running) -> None:
    browser = console.browser()
    browser.cookies["console"] = "chosen-by-an-attacker"
    console.person("r5", "reader")
    browser.log_in("r5")
    assert browser.cookies["console"] != "chosen-by-an-attacker"


def test_of_a_session_only_a_hash_is_kept(console: Running) -> None:
    browser = console.browser("r6", "reader")
    with console.console.database.begun() as connection:
        kept = [tuple(row) for row in connection.execute(select(SESSION))]
    assert kept
    assert not any(browser.cookies["console"] in map(str, row) for row in kept)


def test_a_session_ends_when_it_idles_and_in_any_case(tmp_path) -> None:
    with running(tmp_path, idle_min=30, session_hours=2) as here:
        browser = here.browser("r1", "reader")
        for _ in range(5):
            here.clock.forward(minutes=20)
            assert browser.get("/").status == 200
        here.clock.forward(minutes=19)
        assert browser.get("/").status == 200
        here.clock.forward(minutes=2)
        assert browser.get("/").status == 303, "two hours are over"
        browser.log_in("r1")
        here.clock.forward(minutes=31)
        assert browser.get("/").status == 303, "nothing was done for half an hour"


def test_who_was_sent_to_log_in_comes_back_to_where_they_were_and_nowhere_else(console: Running) -> None:
    console.person("r7", "reader")
    for to in ("//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)"):
        assert 'name="to" value="/"' in console.browser().get(f"/login?to={to}").text


def test_language_and_theme_are_chosen_before_and_after_coming_in(console: Running) -> None:
    browser = console.browser()
    assert '<html lang="en" data-theme="auto">' in browser.get("/login").text
    browser.post("/look", {"language": "zh", "back": "/login"}, token="-")
    browser.post("/look", {"theme": "dark", "back": "/login"}, token="-")
    page = browser.get("/login").text
    assert '<html lang="zh-Hans" data-theme="dark">' in page
    assert "登录" in page
