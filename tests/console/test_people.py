"""What a person owes before anything is shown: their own password, a second factor; and how guessing is slowed."""

import os
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pyotp
import pytest
from sqlalchemy import select

from sonovan.console import passwords
from sonovan.contracts.errors import Fatal
from sonovan.storage.console.sealing import Seal
from sonovan.storage.console.tables import ACCOUNT, RECOVERY
from tests.console.world import PASSWORD, Browser, Running, running
from tests.waiting import until

NEW = "three brown mares in may"


def key_on(page: str) -> str:
    """The secret as a person would type it into the app."""
    found = re.search(r"<code>([A-Z2-7 ]+)</code>", page)
    assert found
    return found[1].replace(" ", "")


def enrolled(here: Running, browser: Browser) -> tuple[str, list[str]]:
    """Set a second factor up; its key and the recovery codes."""
    page = browser.get("/enrol").text
    key, sealed = key_on(page), re.search(r'name="sealed" value="([^"]+)"', page)
    assert sealed
    shown = post(browser, "/enrol", page, sealed=sealed[1], code=pyotp.TOTP(key).at(here.clock() // 1000))
    assert shown.status == 200
    return key, re.findall(r"<li><code>([a-z2-9-]+)</code></li>", shown.text)


def post(browser: Browser, path: str, page: str, **fields: str):
    """Send a form of a page, with the token that stands in it."""
    token = re.search(r'name="token" value="([0-9a-f]+)"', page)
    assert token
    return browser.post(path, fields, token[1])


@pytest.fixture
def strict(tmp_path: Path):
    """A console in which readers must show a second factor."""
    with running(tmp_path, second_factor="readers") as made:
        yield made


def test_a_reader_sets_a_second_factor_up_before_anything_else_and_shows_it_from_then_on(strict: Running) -> None:
    browser = strict.browser("r1", "reader")
    assert browser.get("/").headers["location"] == "/enrol"
    before = browser.cookies["console"]
    key, codes = enrolled(strict, browser)
    assert len(set(codes)) == 10
    assert browser.cookies["console"] != before, "a session begins anew"
    assert browser.get("/").status == 200

    again = strict.browser("r1", "reader")
    assert again.get("/").headers["location"] == "/code"
    form = again.get("/code").text
    strict.clock.forward(seconds=30)
    digits = pyotp.TOTP(key).at(strict.clock() // 1000)
    before = again.cookies["console"]
    assert post(again, "/code", form, code=digits).headers["location"] == "/"
    assert again.get("/").status == 200
    assert again.cookies["console"] != before
    third = strict.browser("r1", "reader")
    assert post(third, "/code", third.get("/code").text, code=digits).status == 403, "no code works twice"


def test_a_recovery_code_works_once(strict: Running) -> None:
    _, codes = enrolled(strict, strict.browser("r1", "reader"))
    for expected in (303, 403):
        browser = strict.browser("r1", "reader")
        assert post(browser, "/code", browser.get("/code").text, code=codes[3].upper()).status == expected
    assert [each["what"] for each in strict.acts()] == ["account.second_factor_set", "account.recovery_code_used"]


@pytest.mark.parametrize("path", ["/", "/account", "/password", "/enrol", "/people"])
def test_who_owes_the_second_factor_gets_nowhere_else(strict: Running, path: str) -> None:
    enrolled(strict, strict.browser("r1", "reader", "lead"))
    browser = strict.browser("r1", "reader", "lead")
    assert browser.get(path).headers["location"] == "/code"


@pytest.mark.parametrize("path", ["/enrol", "/password"])
def test_a_password_alone_replaces_no_second_factor(strict: Running, path: str) -> None:
    enrolled(strict, strict.browser("r1", "reader"))
    browser = strict.browser("r1", "reader")
    page = browser.get("/code").text
    assert post(browser, path, page, password=PASSWORD, new=NEW, again=NEW, code="000000").status == 403
    assert strict.browser("r1", "reader").get("/").headers["location"] == "/code"


def test_secrets_of_second_factors_and_recovery_codes_cannot_be_read_in_the_database(strict: Running) -> None:
    key, codes = enrolled(strict, strict.browser("r1", "reader"))
    with strict.console.database.begun() as connection:
        kept = [*connection.execute(select(ACCOUNT.c.totp_secret)).scalars(),
                *connection.execute(select(RECOVERY.c.code_hash)).scalars()]  # fmt: skip
    assert len(kept) == 11
    assert not any(key in str(each) or codes[0] in str(each) for each in kept)
    with pytest.raises(Fatal):
        Seal(strict.state / "other.key").open(kept[0], "r1")
    with pytest.raises(Fatal):
        strict.console.seal.open(kept[0], "r2")


def test_the_picture_is_what_an_app_reads_and_no_style_stands_in_it(strict: Running) -> None:
    page = strict.browser("r1", "reader").get("/enrol").text
    picture = page[page.index("<svg") : page.index("</svg>")]
    assert "style" not in picture
    assert "<path" in picture


def test_roles_that_owe_no_second_factor_come_in_without(strict: Running) -> None:
    assert strict.browser("o1", "operator").get("/").status == 200


def test_a_password_that_somebody_else_gave_is_replaced_first(console: Running) -> None:
    given = passwords.generated()
    account = replace(
        console.person("p1", "reader"), code="p2", password_hash=passwords.hashed(given), must_change=True
    )
    console.console.accounts.add(account)
    browser, other = console.browser(), console.browser()
    for each in (browser, other):
        each.log_in("p2", given)
    page = browser.get("/")
    assert page.headers["location"] == "/password"
    page = browser.get("/password")
    for new in ("short", "aaaaaaaaaaaaaaaa", "p2 p2 p2 p2 reader", given):
        assert post(browser, "/password", page.text, password=given, new=new, again=new).status == 400
    assert post(browser, "/password", page.text, password=given, new=NEW, again=NEW + ".").status == 400
    assert post(browser, "/password", page.text, password="wrong", new=NEW, again=NEW).status == 400
    assert post(browser, "/password", page.text, password=given, new=NEW, again=NEW).status == 303
    assert browser.get("/").status == 200
    assert other.get("/password").headers["location"].startswith("/login"), "every other session ended"
    assert console.browser().log_in("p2", given).status == 403
    assert console.browser().log_in("p2", NEW).status == 303


def test_guessing_a_password_costs_a_longer_wait_each_time(tmp_path: Path) -> None:
    with running(tmp_path) as here:
        here.person("r1", "reader")
        here.person("r2", "reader")
        browser = here.browser()
        assert [browser.log_in("r1", "guess").status for _ in range(5)] == [403] * 5
        assert browser.log_in("r1").status == 429, "also the right one waits"
        assert here.browser().log_in("r2").status == 303, "nobody else does"
        here.clock.forward(seconds=31)
        assert browser.log_in("r1", "guess").status == 403
        here.clock.forward(seconds=31)
        assert browser.log_in("r1").status == 429, "the second wait is longer"
        here.clock.forward(seconds=30)
        assert browser.log_in("r1").status == 303
        assert browser.log_in("r1", "guess").status == 403, "a right one forgets the wrong ones"


def test_guessing_many_accounts_from_one_address_is_slowed_too(tmp_path: Path) -> None:
    with running(tmp_path) as here:
        here.person("r1", "reader")
        browser = here.browser()
        assert {browser.log_in(f"no{number}", "guess").status for number in range(30)} == {403}
        assert browser.log_in("r1").status == 429


def test_however_many_try_to_log_in_pages_are_answered(console: Running) -> None:
    reader = console.browser("busy", "reader")
    for _ in range(passwords.AT_ONCE):
        passwords._ROOM.acquire()
    try:
        crowd = min(32, (os.cpu_count() or 1) + 4) + 4  # more than the threads that everything else has
        with ThreadPoolExecutor(crowd) as many:
            tries = [many.submit(console.browser().log_in, f"crowd-{number}") for number in range(crowd)]
            until(lambda: passwords._TURNS._work_queue.qsize() > 2, "a crowd waits")
            try:
                assert reader.get("/").status == 200
                assert not any(each.done() for each in tries)
            finally:
                for _ in range(passwords.AT_ONCE):
                    passwords._ROOM.release()
            assert {each.result().status for each in tries} <= {403, 429}
    finally:
        console.clock.forward(minutes=16)


def test_codes_cannot_be_guessed(strict: Running) -> None:
    enrolled(strict, strict.browser("r1", "reader"))
    browser = strict.browser("r1", "reader")
    page = browser.get("/code").text
    assert [post(browser, "/code", page, code=f"00000{digit}").status for digit in range(6)] == [403] * 5 + [429]


def test_a_form_for_a_second_factor_is_good_for_its_own_account_alone(strict: Running) -> None:
    browser, other = strict.browser("r1", "reader"), strict.browser("r2", "reader")
    page, own = browser.get("/enrol").text, other.get("/enrol").text
    sealed = re.search(r'name="sealed" value="([^"]+)"', page)
    assert sealed
    code = pyotp.TOTP(key_on(page)).at(strict.clock() // 1000)
    assert post(other, "/enrol", own, sealed=sealed[1], code=code).status == 403
