"""Accounts that an administrator makes, changes and ends in the browser, and the link by which a person begins."""

import html
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyotp
import pytest
from sqlalchemy import insert, select
from typer.testing import CliRunner

from sonovan.cli.console import app
from sonovan.contracts.errors import InvalidRecord
from sonovan.storage.console.accounts import NobodyLeft
from sonovan.storage.console.invitations import LASTS_MS
from sonovan.storage.console.sessions import hidden
from sonovan.storage.console.tables import INVITATION
from sonovan.storage.outbox_engine import sqlite_url
from tests.console.test_people import NEW, enrolled, post
from tests.console.world import PASSWORD, Answer, Browser, Running, running


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Running]:
    with running(tmp_path) as made:
        yield made


@pytest.fixture
def chief(here: Running) -> Browser:
    """An administrator, logged in."""
    return here.browser("chief", "administrator")


def link_on(answer: Answer) -> str:
    """The path of the link that a page shows once."""
    assert answer.status == 200, answer.text
    found = re.search(r"<code>(http[^<]+)</code>", answer.text)
    assert found
    return html.unescape(found[1]).partition("/invited/")[2].join(("/invited/", ""))


def add(chief: Browser, code: str, *roles: str, sites: str = "*") -> Answer:
    return chief.post("/people", [("code", code), ("sites", sites), *(("role", role) for role in roles)])


def test_an_account_is_made_and_its_person_chooses_the_password_by_a_link_that_is_good_once(
    here: Running, chief: Browser
) -> None:
    made = add(chief, "dr-7", "reader", "lead", sites="north, south")
    link = link_on(made)
    account = here.console.accounts.get("dr-7")
    assert account is not None
    assert (account.roles, account.sites) == ({"reader", "lead"}, {"north", "south"})
    assert link not in chief.get("/people/dr-7").text
    person = here.browser()
    assert person.get(link).status == 200
    for new, again in (("short", "short"), ("dr-7 and dr-7 again", "dr-7 and dr-7 again"), (NEW, NEW + ".")):
        assert person.post(link, {"new": new, "again": again}).status == 400
    assert person.post(link, {"new": NEW, "again": NEW}).headers["location"] == "/login"
    assert person.post(link, {"new": NEW + "!", "again": NEW + "!"}).status == 403, "it is good once"
    assert person.log_in("dr-7", NEW).status == 303
    assert person.get("/").status == 200, "the password is the person's own"
    assert [(each["what"], each["by"], each["about"]["account"]) for each in here.acts()] == [
        ("account.added", "chief", "dr-7"), ("account.password_chosen", "dr-7", "dr-7"),
    ]  # fmt: skip
    assert here.acts()[0]["about"]["roles"] == "lead reader"


def test_of_a_link_only_a_hash_is_kept_and_it_ends_after_a_day(here: Running, chief: Browser) -> None:
    link = link_on(add(chief, "en-1", "engineer"))
    with here.console.database.begun() as connection:
        assert link.rpartition("/")[2] not in str(connection.execute(select(INVITATION)).all())
    here.clock.forward(minutes=24 * 60)
    assert here.browser().post(link, {"new": NEW, "again": NEW}).status == 403


def test_a_reset_ends_password_second_factor_sessions_and_the_link_before_it(tmp_path: Path) -> None:
    with running(tmp_path, second_factor="readers") as strict:
        reader = strict.browser("dr-1", "reader")
        enrolled(strict, reader)
        chief = strict.browser("chief", "administrator")
        assert chief.get("/").headers["location"] == "/enrol", "who makes accounts owes a second factor"
        enrolled(strict, chief)
        first, second = (link_on(chief.post("/people/dr-1/reset")) for _ in range(2))
        assert reader.get("/").status == 303
        assert strict.browser().log_in("dr-1", PASSWORD).status == 403
        assert strict.browser().post(first, {"new": NEW, "again": NEW}).status == 403
        assert strict.browser().post(second, {"new": NEW, "again": NEW}).status == 303
        again = strict.browser()
        again.log_in("dr-1", NEW)
        assert again.get("/").headers["location"] == "/enrol"


def test_a_link_ends_with_the_password_that_the_command_resets(
    here: Running, chief: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = link_on(add(chief, "dr-5", "reader"))
    monkeypatch.setenv("SONOVAN_CONSOLE_DATABASE_URL", sqlite_url(here.state / "console.sqlite"))
    told = CliRunner().invoke(app, ["user", "reset", "dr-5", "--lasting", "--state", str(here.state)])
    assert told.exit_code == 0, told.output
    assert here.browser().post(link, {"new": NEW, "again": NEW}).status == 403
    assert here.browser().log_in("dr-5", told.output.strip()).status == 303


def test_a_link_ends_with_a_password_that_the_person_changes(here: Running, chief: Browser) -> None:
    person = here.browser("dr-6", "reader")
    secret = "not-used-yet"
    with here.console.database.begun() as connection:
        kept = {"token_hash": hidden(secret), "account": "dr-6", "until": here.clock() + LASTS_MS}
        connection.execute(insert(INVITATION).values(kept))
    page = person.get("/password").text
    assert post(person, "/password", page, password=PASSWORD, new=NEW, again=NEW).status == 303
    assert here.browser().post(f"/invited/{secret}", {"new": NEW + "!", "again": NEW + "!"}).status == 403
    assert here.browser().log_in("dr-6", NEW).status == 303


def test_a_lost_phone_costs_the_second_factor_and_every_session_but_not_the_password(tmp_path: Path) -> None:
    with running(tmp_path, second_factor="readers") as strict:
        reader, chief = strict.browser("dr-1", "reader"), strict.browser("chief", "administrator")
        key, _ = enrolled(strict, reader)
        enrolled(strict, chief)
        assert chief.post("/people/dr-1/forget-factor").status == 303
        assert reader.get("/").headers["location"] == "/login", "whoever holds an open session enrols no phone by it"
        assert reader.get("/enrol").headers["location"].startswith("/login")
        again = strict.browser()
        assert again.log_in("dr-1", PASSWORD).status == 303
        assert again.get("/").headers["location"] == "/enrol"
        code = pyotp.TOTP(key).at(strict.clock() // 1000)
        assert post(again, "/code", again.get("/enrol").text, code=code).status == 403, "the old phone opens nothing"


def test_other_roles_and_sites_count_from_the_next_request_on(here: Running, chief: Browser) -> None:
    person = here.browser("dr-2", "lead")
    assert person.get("/fleet").status == 200
    changed = chief.post("/people/dr-2", [("role", "reader"), ("sites", "north")])
    assert changed.headers["location"] == "/people/dr-2"
    assert person.get("/fleet").status == 403
    account = here.console.accounts.get("dr-2")
    assert account is not None
    assert (account.roles, account.sites) == ({"reader"}, {"north"})
    assert here.acts()[-1]["about"] == {"account": "dr-2", "roles": "reader", "sites": "north"}


def test_a_disabled_account_is_out_at_once_and_comes_back_as_it_was(here: Running, chief: Browser) -> None:
    person = here.browser("dr-3", "reader")
    link = link_on(chief.post("/people/dr-3/reset"))
    chief.post("/people/dr-3/disable")
    assert person.get("/").status == 303
    chief.post("/people/dr-3/enable")
    assert here.browser().post(link, {"new": NEW, "again": NEW}).status == 403, "its link ended with it"
    assert [each["what"] for each in here.acts()] == ["account.reset", "account.disabled", "account.enabled"]


def test_nobody_changes_their_own_account(here: Running, chief: Browser) -> None:
    here.browser("chief-2", "administrator")
    for path in ("", "/disable", "/reset", "/forget-factor", "/enable"):
        assert chief.post(f"/people/chief{path}", [("role", "reader"), ("sites", "*")]).status == 403, path
    assert here.acts() == []
    assert "own account" in chief.get("/people/chief").text


def test_an_administrator_of_one_site_makes_and_changes_no_account_that_sees_another(here: Running) -> None:
    local = here.browser("chief-n", "administrator", sites=["north"])
    for code, sites in (("dr-1", ["north"]), ("dr-2", ["north", "south"]), ("dr-3", None)):
        here.person(code, "reader", sites=sites)
    for sites in ("*", "south", "north south"):
        assert add(local, "dr-4", "reader", sites=sites).status == 403
        assert local.post("/people/dr-1", [("role", "reader"), ("sites", sites)]).status == 403
    for code in ("dr-2", "dr-3"):
        for path in ("", "/disable", "/reset", "/forget-factor", "/enable"):
            answer = local.post(f"/people/{code}{path}", [("role", "reader"), ("sites", "north")])
            assert answer.status == 403, path
        page = local.get(f"/people/{code}").text
        assert "accounts of its own sites alone: north" in page
        assert "/reset" not in page
    assert here.acts() == [], "what was refused is not noted as done"
    assert [each.code for each in here.console.accounts.all()] == ["chief-n", "dr-1", "dr-2", "dr-3"]
    assert 'name="sites" value="north"' in local.get("/people").text
    link_on(add(local, "dr-4", "reader", sites="north"))
    link_on(local.post("/people/dr-1/reset"))


def test_an_administrator_is_always_left(here: Running, chief: Browser) -> None:
    """Two who end each other's roles in the same moment: one of them is refused."""
    second = here.browser("chief-2", "administrator")
    tokens = chief.token, second.token
    with ThreadPoolExecutor(2) as both:
        tries = [
            both.submit(chief.post, "/people/chief-2", [("role", "reader"), ("sites", "*")], tokens[0]),
            both.submit(second.post, "/people/chief/disable", (), tokens[1]),
        ]
        assert sorted(each.result().status for each in tries) in ([303, 400], [303, 403], [303, 409])
    left = [each for each in here.console.accounts.all() if "administrator" in each.roles and not each.disabled_at]
    assert len(left) == 1
    with pytest.raises(NobodyLeft):
        here.console.accounts.disable(left[0].code, 1, leaving="administrator")
    with pytest.raises(NobodyLeft):
        here.console.accounts.change(left[0].code, {"reader"}, None, leaving="administrator")
    assert here.console.accounts.get(left[0].code) == left[0], "what was refused was not done"


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"code": "x", "sites": "*"}, 400), ({"code": "x", "sites": "*", "role": "queen"}, 400),
        ({"code": "x", "sites": "", "role": "engineer"}, 400), ({"code": "a b", "sites": "*", "role": "engineer"}, 400),
        ({"code": "x", "sites": "<b>", "role": "engineer"}, 400),
        ({"code": "zhang", "sites": "*", "role": "reader"}, 400),
        ({"code": "chief", "sites": "*", "role": "auditor"}, 409),
        ({"code": "x", "sites": "*", "role": "engineer", "vouched": "on"}, 400),
    ],
)  # fmt: skip
def test_what_cannot_be_an_account_is_refused_and_not_noted(
    here: Running, chief: Browser, fields: dict[str, str], status: int
) -> None:
    assert chief.post("/people", fields).status == status
    assert here.acts() == []
    assert [each.code for each in here.console.accounts.all()] == ["chief"]


def test_whom_another_provider_vouches_for_gets_no_link_and_no_password(tmp_path: Path) -> None:
    with running(tmp_path, oidc_issuer="https://login.example", oidc_client="c") as made:
        chief = made.browser("chief", "administrator")
        fields = {"code": "dr-8", "role": "reader", "sites": "*", "vouched": "on"}
        assert chief.post("/people", fields).headers["location"] == "/people/dr-8"
        account = made.console.accounts.get("dr-8")
        assert account is not None
        assert account.password_hash is None
        assert chief.post("/people/dr-8/reset").status == 400


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_pages_are_there_in_each_language_and_others_may_look_but_not_change(here: Running, language: str) -> None:
    chief, lead = here.browser("chief", "administrator"), here.browser("l1", "lead")
    here.person("dr-4", "reader")
    for browser in (chief, lead):
        browser.cookies["language"] = language
    link = link_on(chief.post("/people/dr-4/reset"))
    for path in ("/people", "/people/dr-4", link):
        assert chief.get(path).status == 200
    assert "/people/dr-4" not in lead.get("/people").text
    assert here.browser("r9", "reader").get("/people").status == 403
    with pytest.raises(InvalidRecord):
        here.console.accounts.enable("nobody")
