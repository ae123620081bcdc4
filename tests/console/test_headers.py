"""What every response says to a browser, and which names and sites are strangers."""

import re
from pathlib import Path

import pytest

from sonovan.console.guard import HEADERS, stranger
from tests.console.world import Running, running

ROOM = Path(__file__).parents[2] / "console"
ORIGINS = frozenset({"http://127.0.0.1:80", "https://console.example"})
HERE = {"host": "127.0.0.1:80"}


@pytest.mark.parametrize("path", ["/login", "/", "/nowhere", "/static/console.css", "/static/nothing", "/healthz"])
def test_every_response_has_the_same_headers(console: Running, path: str) -> None:
    answer = console.browser().get(path)
    for name, value in HEADERS.items():
        if path.startswith("/static/console") and name == "Cache-Control":
            assert answer.headers["cache-control"] == "no-cache"
        else:
            assert answer.headers[name.lower()] == value, name
    assert "server" not in answer.headers


def test_a_refused_stranger_gets_them_too(console: Running) -> None:
    browser = console.browser()
    browser.host = "evil.example"
    answer = browser.get("/login")
    assert answer.status == 421
    assert answer.headers["x-frame-options"] == "DENY"


def test_no_script_and_no_style_stands_in_a_page() -> None:
    policy = HEADERS["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    for path in (ROOM / "templates").rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        text = re.sub(
            r'<script type="application/json" id="[\w-]+">{{ \w+ \| tojson }}</script>', "", text
        )  # is not run
        assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:|<script(?![^>]*\ssrc=\"/static/)", text), path.name
        assert not re.search(r"(?:src|href)=\"(?:https?:)?//", text), f"{path.name} asks for something elsewhere"
        assert "| safe" not in text, path.name


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("GET", HERE, None),
        ("GET", {"host": "console.example"}, None),
        ("GET", {"host": "evil.example"}, 421),
        ("GET", {}, 421),
        ("GET", {**HERE, "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"}, 403),
        ("GET", {**HERE, "sec-fetch-site": "same-site"}, 403),
        ("GET", {**HERE, "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"},
         None),
        ("GET", {**HERE, "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"},
         403),
        ("POST", {**HERE, "origin": "http://127.0.0.1:80"}, None),
        ("POST", HERE, 403),
        ("POST", {**HERE, "origin": "null"}, 403),
        ("POST", {**HERE, "origin": "https://evil.example"}, 403),
        ("POST", {**HERE, "origin": "http://127.0.0.1:80", "sec-fetch-site": "cross-site",
                  "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}, 403),
    ],
)  # fmt: skip
def test_where_a_request_comes_from_is_looked_at(method: str, headers: dict[str, str], status: int | None) -> None:
    assert stranger(method, headers, ORIGINS) == status


def test_cookies_are_read_by_no_script_and_behind_tls_sent_by_tls_alone(tmp_path: Path) -> None:
    with running(tmp_path / "plain") as here:
        here.person("r1", "reader")
        cookie = here.browser().log_in("r1").headers["set-cookie"]
        assert {"HttpOnly", "SameSite=lax", "Path=/"} <= set(cookie.split("; "))
    with running(tmp_path / "tls", origin="https://console.example") as here:
        here.person("r1", "reader")
        browser = here.browser()
        answer = browser.log_in("r1")
        assert answer.headers["set-cookie"].startswith("__Host-console=")
        assert "Secure" in answer.headers["set-cookie"]
        assert answer.headers["strict-transport-security"].startswith("max-age=")


def test_what_somebody_sends_comes_back_as_text(console: Running) -> None:
    browser = console.browser()
    evil = '"><script>alert(1)</script>'
    page = browser.get("/login?to=/" + evil.replace('"', "%22").replace("<", "%3C").replace(">", "%3E")).text
    assert "<script>alert" not in page
    assert "<script>alert" not in browser.log_in(evil).text
    browser.cookies["theme"] = browser.cookies["language"] = evil
    assert "<script>alert" not in browser.get("/login").text


def test_the_address_of_a_browser_is_believed_of_the_server_in_front_alone(tmp_path: Path) -> None:
    for forwarded, expected in ((False, 429), (True, 403)):
        with running(tmp_path / str(forwarded), forwarded=forwarded) as here:
            browser = here.browser()
            form = {"Content-Type": "application/x-www-form-urlencoded"}
            told = [
                browser.ask("POST", "/login", f"account=a{number}&password=x".encode(),
                            {**form, "X-Forwarded-For": f"10.0.0.9, 10.0.0.{number}"}).status
                for number in range(31)
            ]  # fmt: skip
            assert told[-1] == expected
