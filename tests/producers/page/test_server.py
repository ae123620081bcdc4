"""The page over HTTP: what is refused before any handler sees it, and the headers of every answer."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode

import pytest

from sonovan.contracts.errors import InvalidRecord
from sonovan.producers.page.doors import Doors
from sonovan.producers.page.page import ROUTES, Page
from sonovan.producers.page.server import LONGEST_FORM, serving
from tests.producers.page.pages import FILLED, desk


@dataclass
class Browser:
    """Sends what a browser would; keeps its cookies."""

    port: int
    doors: Doors
    page: Page
    told: list[str] = field(default_factory=list)
    cookies: dict[str, str] = field(default_factory=dict)

    def ask(
        self, method: str, path: str, fields: tuple[tuple[str, str], ...] = (), **headers: str
    ) -> tuple[int, dict[str, str], str]:
        """Status, headers and text. headers: with underscores; one that is empty is left out."""
        origin = f"http://127.0.0.1:{self.port}"
        sent = {"Origin": origin if method == "POST" else "", "Host": f"127.0.0.1:{self.port}"}
        sent |= {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        sent |= {"Content-Type": "application/x-www-form-urlencoded"} if method == "POST" else {}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.putrequest(method, path, skip_host=True)
            body = urlencode(fields).encode()
            for name, value in {**sent, "Content-Length": str(len(body))}.items():
                if value:
                    connection.putheader(name, value)
            connection.endheaders(body)
            answer = connection.getresponse()
            for cookie in answer.headers.get_all("Set-Cookie") or []:
                name, _, value = cookie.partition(";")[0].partition("=")
                self.cookies[name] = value
            return answer.status, dict(answer.headers), answer.read().decode()
        finally:
            connection.close()

    def enter(self) -> None:
        """Enter by the code that is valid now."""
        assert self.ask("POST", "/enter", (("code", self.doors.code),))[0] == 303

    @property
    def token(self) -> tuple[str, str]:
        """What the forms of this session carry."""
        return "token", re.findall(r'name="token" value="(\w+)"', self.ask("GET", "/register")[2])[0]


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    doors, told = Doors(), list[str]()
    with desk(tmp_path) as found, serving(found.page, doors, told.append) as port:
        yield Browser(port, doors, found.page, told)


def test_nothing_is_told_without_a_session(browser: Browser) -> None:
    for method, path, _ in ROUTES:
        place = re.sub(r"\{\w+\}", "01a21f53-08d1-7ddf-9ad8-cad14571f70d", path)
        status, headers, text = browser.ask(method, place)
        assert (status, headers.get("Location")) in ((303, "/enter"), (403, None)), path
        assert len(text) < 10, path
    assert browser.ask("GET", "/register", Sec_Fetch_Dest="image")[0] == 403


def test_a_code_opens_the_page_and_somebody_is_registered(browser: Browser) -> None:
    assert browser.ask("POST", "/enter", (("code", "WRONG"),))[0] == 403
    browser.enter()
    status, headers, _ = browser.ask("POST", "/register", (*FILLED, browser.token))
    assert status == 303
    assert browser.ask("GET", headers["Location"])[0] == 200
    assert [each.slip for each in browser.page.desk.register.expected()] == ["A17D"]
    browser.ask("POST", "/leave", (browser.token,))
    assert browser.ask("GET", "/register")[0] == 303
    assert browser.told == []


def test_a_form_without_its_token_changes_nothing(browser: Browser) -> None:
    browser.enter()
    for fields in (FILLED, (*FILLED, ("token", "0" * 64)), (*FILLED, ("token", "ü"))):
        assert browser.ask("POST", "/register", fields)[0] == 403
    assert browser.page.desk.register.expected() == []


def test_another_site_gets_nothing_however_its_name_leads_here(browser: Browser) -> None:
    browser.enter()
    token, evil = browser.token, f"evil.example:{browser.port}"
    assert browser.ask("GET", "/register", Host=evil)[0] == 421
    assert browser.ask("GET", "/enter", Host=evil)[0] == 421
    assert browser.ask("GET", "/static/page.css", Host=evil)[0] == 421
    assert browser.ask("POST", "/register", (*FILLED, token), Origin="http://evil.example")[0] == 403
    assert browser.ask("POST", "/register", (*FILLED, token), Origin="")[0] == 403
    assert browser.ask("POST", "/register", (*FILLED, token), Sec_Fetch_Site="same-site")[0] == 403
    assert browser.ask("POST", "/enter", (("code", browser.doors.code),), Origin="http://evil.example")[0] == 403
    assert browser.page.desk.register.expected() == []


def test_every_answer_forbids_script_of_others_frames_and_caches(browser: Browser) -> None:
    browser.enter()
    for path in ("/register", "/enter", "/static/page.js", "/static/none", "/none", "/"):
        headers = browser.ask("GET", path)[1]
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert (headers["Cache-Control"], headers["X-Content-Type-Options"]) == ("no-store", "nosniff")
        assert "Access-Control-Allow-Origin" not in headers
    browser.cookies.clear()
    cookie = browser.ask("POST", "/enter", (("code", browser.doors.code),))[1]["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie


def test_pages_hold_no_script_style_or_address_of_another_machine(browser: Browser) -> None:
    templates = (Path(__file__).parents[3] / "producers/page/templates").glob("*.html")
    for path in templates:
        text = path.read_text(encoding="utf-8")
        assert "http:" not in text, path
        assert "https:" not in text, path
        assert "style=" not in text, path
        assert re.findall(r"<script(?! src=\"/static/page.js\" defer></script>)", text) == [], path
        assert re.findall(r"\son\w+=", text) == [], path


def test_a_large_form_is_refused(browser: Browser) -> None:
    browser.enter()
    assert browser.ask("POST", "/register", (("person", "x" * LONGEST_FORM), browser.token))[0] == 413


def test_a_language_is_chosen_and_kept(browser: Browser) -> None:
    assert '<html lang="zh-Hans">' in browser.ask("GET", "/enter", Accept_Language="zh-CN,en;q=.5")[2]
    assert browser.ask("GET", "/language/xx")[0] == 404
    assert browser.ask("GET", "/language/zh")[0] == 303
    assert '<html lang="zh-Hans">' in browser.ask("GET", "/enter")[2]


def test_a_taken_port_is_told(browser: Browser, tmp_path: Path) -> None:
    with (
        desk(tmp_path / "other", port=browser.port) as found,
        pytest.raises(InvalidRecord, match="cannot be used"),
        serving(found.page, Doors(), browser.told.append),
    ):
        raise AssertionError("it listens")
