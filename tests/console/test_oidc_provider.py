"""Login by a real provider (zitadel/oidc): code flow with PKCE from the console's page and back to it."""

import re
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from pydantic import SecretStr

from sonovan.deploy.ports import find_free
from sonovan.storage.console.accounts import Account
from tests.console.oidc_provider import CLIENT, PASSWORD, SECRET, provider
from tests.console.world import Browser, running


def asked(address: str, body: str | None = None) -> tuple[int, str, str]:
    """Status, location and text of one request to the provider, as a browser sends it; cookies are not needed there."""
    parts = urlsplit(address)
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=30)
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    method, headers = ("GET", {}) if body is None else ("POST", kind)
    connection.request(method, f"{parts.path}?{parts.query}", body, headers)
    answer = connection.getresponse()
    location = answer.headers.get("Location", "")
    full = f"{parts.scheme}://{parts.netloc}{location}" if location.startswith("/") else location
    return answer.status, full, answer.read().decode()


def at_the_provider(start: str, name: str) -> str:
    """Type name and password there; the console's address to which it leads, with the code."""
    status, form, _ = asked(start)
    assert status == 302
    status, _, page = asked(form)
    assert status == 200
    her = re.search(r'name="id" value="([^"]+)"', page)
    assert her
    fields = urlencode({"id": her[1], "username": name, "password": PASSWORD})
    status, location, _ = asked(form, fields)
    assert status == 302
    status, location, _ = asked(location)
    assert status in (302, 303)
    return location


def test_a_person_comes_in_by_a_real_provider_and_a_code_works_once(tmp_path: Path, service_tools: None) -> None:
    port = find_free(avoid=frozenset())
    origin = f"http://127.0.0.1:{port}"
    with (
        provider(tmp_path, f"{origin}/oidc/back", {"wei": "reader-7", "li": "reader-8"}) as issuer,
        running(
            tmp_path, port=port, origin=origin, second_factor="readers", oidc_issuer=issuer, oidc_client=CLIENT,
            oidc_secret=SecretStr(SECRET), oidc_claim="sub",
        ) as here,
    ):  # fmt: skip
        here.console.accounts.add(Account("reader-7", frozenset({"reader"}), None, must_change=False))

        def went_there(browser: Browser) -> str:
            answer = browser.get("/oidc/start?to=/account")
            assert answer.status == 303
            return answer.headers["location"]

        def back(browser: Browser, location: str) -> int:
            assert location.startswith(f"{origin}/oidc/back?")
            return browser.get(location.removeprefix(origin), Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="navigate",
                               Sec_Fetch_Dest="document").status  # fmt: skip

        browser = here.browser()
        location = at_the_provider(went_there(browser), "wei")
        kept = dict(browser.cookies)
        assert back(browser, location) == 303
        assert "reader-7" in browser.get("/account").text

        again = Browser(here.port, kept)
        assert back(again, location) == 403, "the provider gives a token for a code once"
        other = here.browser()
        assert back(other, at_the_provider(went_there(other), "li")) == 403, "no account here"
        third = here.browser()
        there = went_there(third)
        changed = re.sub(r"code_challenge=[^&]+", "code_challenge=" + "A" * 43, there)
        assert back(third, at_the_provider(changed, "wei")) == 403, "PKCE: somebody else began this login"
