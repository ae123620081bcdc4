"""Every role against every door, generated from the table: what is not granted is refused, and what has no row is not
answered. Pages of other areas come under these tests by standing in the table."""

import http.client
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.responses import PlainTextResponse, Response

from sonovan.console.asked import Asked
from sonovan.console.doors import HER, Door, checked, door, open_door
from sonovan.console.pages.table import DOORS
from sonovan.console.roles import CLINICAL, EVERYBODY, Role
from sonovan.console.world import Console
from tests.console.world import HER as HERSELF
from tests.console.world import HERS, Browser, Running, running

FREE = {
    ("GET", "/login"), ("POST", "/login"), ("POST", "/look"), ("GET", "/oidc/start"), ("GET", "/oidc/back"),
    ("GET", "/oidc/end"),
    ("GET", "/invited/{secret}"), ("POST", "/invited/{secret}"),
}  # fmt: skip
"""Doors that are open to all. Whoever adds one here says why in decision 0106."""


async def seen(console: Console, asked: Asked) -> Response:
    """Says who looked at whom."""
    return PlainTextResponse(f"{asked.person.code} looked at {asked.path.get(HER)}")


async def fails(console: Console, asked: Asked) -> Response:
    """Has a defect that knows somebody's name."""
    raise RuntimeError("Zhang Wei")


MORE = (
    door("GET", "/test/{screening_id}", seen, roles=CLINICAL, audited="screening.viewed"),
    door("GET", "/test/{screening_id}/picture", seen, roles=CLINICAL, audited="picture.viewed", once=True),
    door("POST", "/test/{screening_id}", seen, roles={Role.READER}, audited="screening.changed", longest=2000),
    door("GET", "/fails", fails, roles=EVERYBODY),
    door("GET", "/quiet", seen, roles=EVERYBODY, background=True),
)


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A console with a few doors more."""
    with running(tmp_path_factory.mktemp("doors"), more=MORE) as made:
        yield made


@pytest.fixture(scope="module")
def people(here: Running) -> dict[Role, Browser]:
    """A browser for each role, logged in."""
    return {role: here.browser(f"only-{role}", role) for role in Role}


def address(each: Door) -> str:
    return each.path.replace("{screening_id}", HERSELF).replace("{", "").replace("}", "")


def ask(browser: Browser, each: Door, token: str) -> int:
    if each.method == "GET":
        # What streams would not end: its status is there with its first line.
        return browser.first(address(each))
    return browser.post(address(each), {}, token).status


@pytest.mark.parametrize("each", [*DOORS, *MORE], ids=lambda each: f"{each.method} {each.path}")
def test_every_role_is_refused_at_every_door_that_does_not_name_it(
    here: Running, people: dict[Role, Browser], each: Door
) -> None:
    if not each.roles:
        assert (each.method, each.path) in FREE
        return
    for role, browser in people.items():
        if role in each.roles:
            continue
        noted = len(here.acts())
        assert ask(browser, each, token_of(browser)) == 403, f"{role} came through {each.method} {each.path}"
        assert len(here.acts()) == noted, "who is refused has seen nothing"


@pytest.mark.parametrize("each", [*DOORS, *MORE], ids=lambda each: f"{each.method} {each.path}")
def test_without_a_session_no_door_opens_but_the_free_ones(here: Running, each: Door) -> None:
    if (each.method, each.path) in FREE:
        return
    stranger = here.browser()
    stranger.cookies["console"] = "x" * 43
    if each.method == "POST":
        assert stranger.post(address(each), {}, "0" * 64).status == 401
        return
    answer = stranger.get(address(each))
    assert (answer.status, answer.headers["location"].partition("?")[0]) == (303, "/login")
    assert stranger.get(address(each), Sec_Fetch_Dest="image").status == 401


@pytest.mark.parametrize("each", [each for each in (*DOORS, *MORE) if each.method == "POST" and each.roles],
                         ids=lambda each: each.path)  # fmt: skip
def test_no_form_is_taken_without_its_own_token_or_from_another_site(here: Running, each: Door) -> None:
    browser, other = (here.browser(code, *map(str, Role)) for code in ("csrf-1", "csrf-2"))
    for token in ("", "0" * 64, token_of(other)):
        assert browser.post(address(each), {}, token or "-").status == 403
    form, token = {"Content-Type": "application/x-www-form-urlencoded"}, f"token={token_of(browser)}".encode()
    for origin in ("https://evil.example", "null", "http://127.0.0.1:1", ""):
        assert browser.ask("POST", address(each), token, {**form, "Origin": origin}).status == 403
    assert browser.ask("POST", address(each), token, {**form, "Sec-Fetch-Site": "cross-site"}).status == 403


def token_of(browser: Browser) -> str:
    from sonovan.console.passing import token_of as made_of

    return made_of(browser.cookies["console"])


@pytest.mark.parametrize("path", ["/nowhere", "/static/../app.py", "/static/..%2fapp.py", "/static/%2e%2e/app.py",
                                  "/static/console.css/", "/static/", "/docs", "/openapi.json", "/redoc",
                                  "/static/....//settings.py", "//evil.example", "/.env", "/static/\x00"])  # fmt: skip
def test_what_has_no_row_is_not_answered(here: Running, path: str) -> None:
    answer = here.browser("nowhere", "reader").get(path.replace("\x00", "%00"))
    assert answer.status == 404
    assert "evil" not in answer.headers.get("location", "")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "OPTIONS", "CONNECT"])
def test_no_other_method_is_answered(here: Running, method: str) -> None:
    browser = here.browser("methods", "reader")
    assert browser.ask(method, "/").status in (400, 404, 405)


def test_a_woman_of_another_site_is_as_one_that_is_not_there(here: Running) -> None:
    browser = here.browser("north-1", "reader", sites=["north"])
    assert browser.get(f"/test/{HERSELF}").status == 200
    noted = len(here.acts())
    nobody = HERSELF.replace("0001", "0009")
    other, missing = (browser.get(f"/test/{each}") for each in (HERS, nobody))
    assert (other.status, missing.status) == (404, 404)
    assert other.text.replace(HERS, "") == missing.text.replace(nobody, "")
    assert browser.post(f"/test/{HERS}", {}, token_of(browser)).status == 404
    assert len(here.acts()) == noted
    assert here.browser("all-1", "reader").get(f"/test/{HERS}").status == 200


@pytest.mark.parametrize("her", ["1", "../1", HERSELF.upper() + "x", "%27%20OR%201=1", HERSELF + "'--", "0" * 36])
def test_what_is_no_id_reaches_neither_the_catalogue_nor_the_audit(here: Running, her: str) -> None:
    noted = len(here.acts())
    assert here.browser("ids", "reader").get(f"/test/{her}").status == 404
    assert len(here.acts()) == noted


def test_every_look_at_a_woman_is_noted_in_the_chain_before_it_is_answered(here: Running) -> None:
    browser = here.browser("looker", "reader")
    for _ in range(2):
        assert browser.get(f"/test/{HERSELF}").status == 200
    for _ in range(3):
        assert browser.get(f"/test/{HERSELF}/picture").status == 200
    mine = [each for each in here.acts() if each["by"] == "looker"]
    assert [each["what"] for each in mine] == ["screening.viewed"] * 2 + ["picture.viewed"]
    assert mine[0]["about"] == {"screening_id": HERSELF}
    assert here.console.audit.verify().broken is None


def test_what_cannot_be_noted_is_not_shown(tmp_path: Path) -> None:
    with running(tmp_path, more=MORE) as made:
        browser = made.browser("r1", "reader")
        assert browser.get(f"/test/{HERSELF}").status == 200
        lines = made.console.audit.path.read_bytes()
        made.console.audit.path.write_bytes(lines.replace(b"r1", b"r2"))
        answer = browser.get(f"/test/{HERSELF}")
        assert answer.status == 503
        assert "looked at" not in answer.text


def test_a_form_that_is_too_large_is_refused_while_it_comes(here: Running) -> None:
    browser = here.browser("large", "reader")
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert browser.ask("POST", f"/test/{HERSELF}", b"a=" + b"x" * 2000, form).status == 413
    token = f"token={token_of(browser)}&".encode()
    assert browser.ask("POST", f"/test/{HERSELF}", token + b"&".join([b"a=1"] * 400), form).status == 200
    assert browser.ask("POST", f"/test/{HERSELF}", token + b"&".join([b"a="] * 600), form).status == 400
    assert browser.ask("POST", f"/test/{HERSELF}", token + b"a=\xff", form).status == 400


def test_headers_that_are_too_long_are_refused(here: Running) -> None:
    try:
        status = here.browser().get("/login", X_Long="x" * 400_000).status
    except (ConnectionError, http.client.HTTPException):
        status = 400  # it hung up while they came
    assert status in (400, 431)


def test_a_defect_says_nothing_of_what_it_knew_and_is_told_to_the_log(here: Running) -> None:
    answer = here.browser("defect", "reader").get("/fails")
    assert answer.status == 500
    assert "Zhang" not in answer.text
    assert here.told == ["the console failed at GET /fails: RuntimeError"]


def test_what_renews_itself_does_not_keep_a_session_alive(tmp_path: Path) -> None:
    with running(tmp_path, more=MORE, idle_min=30) as made:
        browser = made.browser("r1", "reader")
        made.clock.forward(minutes=20)
        assert browser.get("/quiet").status == 200
        made.clock.forward(minutes=11)
        assert browser.get("/quiet").status == 303


def test_a_door_is_not_made_by_accident() -> None:
    with pytest.raises(ValueError, match="needs roles"):
        door("GET", "/x", seen, roles=())
    with pytest.raises(ValueError, match="is noted"):
        door("GET", "/x/{screening_id}", seen, roles=CLINICAL)
    with pytest.raises(ValueError, match="twice"):
        checked((open_door("GET", "/x/{a}", seen), door("GET", "/x/{b}", seen, roles=CLINICAL)))


def test_doors_that_name_a_woman_are_for_people_who_may_see_her() -> None:
    assert {each.path for each in DOORS if HER in each.parameters and not each.audited} == set()
