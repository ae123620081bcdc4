"""Login by another provider: what a provider that lies, or somebody in between, brings back is not believed.

The provider here is a server on loopback with real keys, which signs whatever a test asks for. A provider as people
use it stands in the next module (`tests/console/test_oidc_provider.py`).
"""

import base64
import hmac
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, quote_plus, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pydantic import SecretStr

from sonovan.console.oidc import Provider
from sonovan.contracts.errors import Fatal
from sonovan.deploy.ports import find_free
from sonovan.storage.console.accounts import Account
from tests.console.world import Browser, Running, running

CLIENT, SECRET = "console", "the console's secret at the provider"
KEY, OTHER = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2))


@dataclass
class Lying:
    """A provider that gives the claims and signs as it is told. asked: forms that came to its token endpoint. more:
    what it publishes beside its usual endpoints."""

    port: int = 0
    claims: dict[str, Any] = field(default_factory=dict)
    sign: dict[str, Any] = field(default_factory=dict)
    asked: list[dict[str, list[str]]] = field(default_factory=list)
    sent: list[str | None] = field(default_factory=list)
    status: int = 200
    more: dict[str, str] = field(default_factory=dict)

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answer(self, path: str) -> dict[str, Any]:
        if path == "/.well-known/openid-configuration":
            return {
                "issuer": self.issuer, "authorization_endpoint": f"{self.issuer}/auth",
                "token_endpoint": f"{self.issuer}/token", "jwks_uri": f"{self.issuer}/keys", **self.more,
            }  # fmt: skip
        if path == "/keys":
            return {"keys": [{**jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key(), as_dict=True), "kid": "one"}]}
        now = int(time.time())
        told = {"iss": self.issuer, "aud": CLIENT, "sub": "1", "iat": now, "exp": now + 60} | self.claims
        told = {name: value for name, value in told.items() if value is not None}
        if "forged" in self.sign:
            return {"id_token": self.sign["forged"](told), "token_type": "Bearer"}
        how = {"key": KEY, "algorithm": "RS256", "headers": {"kid": "one"}} | self.sign
        return {"id_token": jwt.encode(told, **how), "token_type": "Bearer", "access_token": "x"}


@contextmanager
def lying() -> Iterator[Lying]:
    """A provider until the block ends."""
    made = Lying()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            text = json.dumps(made.answer(self.path)).encode()
            self.send_response(made.status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def do_POST(self) -> None:
            made.asked.append(parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode()))
            made.sent.append(self.headers["Authorization"])
            self.do_GET()

        def log_message(self, *_words: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        made.port = server.server_port
        Thread(target=server.serve_forever, daemon=True).start()
        yield made
        server.shutdown()


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, Lying]]:
    """A console that trusts this provider, with an account without a password, one with one, and a disabled one."""
    port = find_free(avoid=frozenset())
    with (
        lying() as provider,
        running(
            tmp_path_factory.mktemp("oidc"), port=port, origin=f"http://127.0.0.1:{port}", second_factor="everybody",
            oidc_issuer=provider.issuer, oidc_client=CLIENT, oidc_secret=SecretStr(SECRET), oidc_claim="name",
        ) as made,
    ):  # fmt: skip
        made.console.accounts.add(Account("r1", frozenset({"reader"}), None, must_change=False))
        made.console.accounts.add(Account("r2", frozenset({"reader"}), None, must_change=False))
        made.console.accounts.disable("r2", 1)
        made.person("local", "reader")
        yield made, provider


def begun(browser: Browser, to: str = "/") -> dict[str, str]:
    """Go to the provider; what the browser asks there."""
    answer = browser.get(f"/oidc/start?to={to}")
    assert answer.status == 303
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}


def came_back(here: tuple[Running, Lying], claims: dict[str, Any] | None = None, **sign: Any) -> tuple[int, Browser]:
    """A whole login at which the provider says this; the status, and the browser."""
    console, provider = here
    browser = console.browser()
    asked = begun(browser)
    provider.claims = {"nonce": asked["nonce"], "name": "r1", **(claims or {})}
    provider.sign, provider.status = sign, 200
    return browser.get(f"/oidc/back?code=c&state={asked['state']}", Sec_Fetch_Site="cross-site",
                       Sec_Fetch_Mode="navigate", Sec_Fetch_Dest="document").status, browser  # fmt: skip


def test_whom_the_provider_vouches_for_comes_in_without_a_second_factor_here(here: tuple[Running, Lying]) -> None:
    console, provider = here
    status, browser = came_back(here)
    assert status == 303
    assert "r1" in browser.get("/").text
    assert "oidc" not in browser.cookies
    assert provider.sent[-1] == "Basic " + base64.b64encode(f"{CLIENT}:{quote_plus(SECRET)}".encode()).decode()
    assert "oidc/start" in console.browser().get("/login").text


def test_the_code_is_bound_to_the_browser_that_asked_for_it(here: tuple[Running, Lying]) -> None:
    console, provider = here
    browser, thief = console.browser(), console.browser()
    asked = begun(browser, "/account")
    provider.claims, provider.sign = {"nonce": asked["nonce"], "name": "r1"}, {}
    assert asked["code_challenge_method"] == "S256"
    for other in ("", "state=x", f"state={asked['state']}"):
        assert thief.get(f"/oidc/back?code=c&{other}").status == 403, "a browser that asked for nothing"
    begun(thief)
    assert thief.get(f"/oidc/back?code=c&state={asked['state']}").status == 403, "a browser that asked for another one"
    assert browser.get("/oidc/back?code=c&state=x").status == 403
    assert browser.get(f"/oidc/back?error=access_denied&state={asked['state']}").status == 403
    answer = browser.get(f"/oidc/back?code=c&state={asked['state']}")
    assert (answer.status, answer.headers["location"]) == (303, "/account")
    verifier = provider.asked[-1]["code_verifier"][0]
    challenge = base64.urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    assert challenge == asked["code_challenge"]


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"}, {"nonce": None}, {"aud": "somebody else"}, {"aud": [CLIENT, "other"]},
        {"iss": "http://127.0.0.1:1"}, {"exp": 1}, {"exp": None}, {"iat": 4_000_000_000}, {"sub": None},
        {"name": None}, {"name": ["r1"]}, {"name": ""}, {"name": "nobody"}, {"name": "r2"}, {"name": "local"},
    ],
    ids=str,
)  # fmt: skip
def test_what_the_provider_says_wrong_opens_nothing(here: tuple[Running, Lying], claims: dict[str, Any]) -> None:
    status, browser = came_back(here, claims)
    assert status == 403
    assert "console" not in browser.cookies


PUBLIC = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def with_a_shared_secret(claims: dict[str, Any]) -> str:
    """A token whose "shared secret" is the provider's public key, which everybody has (CVE-2015-9235)."""
    parts = [json.dumps(each).encode() for each in ({"alg": "HS256", "typ": "JWT", "kid": "one"}, claims)]
    head = b".".join(base64.urlsafe_b64encode(each).rstrip(b"=") for each in parts)
    signed = base64.urlsafe_b64encode(hmac.digest(PUBLIC, head, "sha256")).rstrip(b"=")
    return (head + b"." + signed).decode()


@pytest.mark.parametrize(
    "sign",
    [
        {"key": OTHER}, {"key": OTHER, "headers": {"kid": "two"}}, {"key": OTHER, "headers": {}},
        {"forged": with_a_shared_secret}, {"key": "", "algorithm": "none"},
    ],
    ids=["another key", "an unknown key", "no name of a key", "the public key as a shared secret", "no signature"],
)  # fmt: skip
def test_what_the_provider_did_not_sign_opens_nothing(here: tuple[Running, Lying], sign: dict[str, Any]) -> None:
    status, browser = came_back(here, None, **sign)
    assert status == 403
    assert "console" not in browser.cookies


def test_who_takes_too_long_at_the_provider_begins_again(here: tuple[Running, Lying]) -> None:
    console, provider = here
    browser = console.browser()
    asked = begun(browser)
    provider.claims, provider.sign = {"nonce": asked["nonce"], "name": "r1"}, {}
    console.clock.forward(minutes=11)
    assert browser.get(f"/oidc/back?code=c&state={asked['state']}").status == 403


def test_a_provider_that_is_away_or_redirects_is_told_as_such(here: tuple[Running, Lying]) -> None:
    console, provider = here
    for status, expected in ((500, 503), (302, 503), (400, 403)):
        browser = console.browser()
        asked = begun(browser)
        provider.status = status
        try:
            assert browser.get(f"/oidc/back?code=c&state={asked['state']}").status == expected
        finally:
            provider.status = 200


def test_a_provider_in_the_clear_on_another_machine_is_refused(here: tuple[Running, Lying]) -> None:
    settings = here[0].console.settings
    with pytest.raises(Fatal, match="https"):
        Provider(settings.model_copy(update={"oidc_issuer": "http://login.example"}))
    with pytest.raises(Fatal, match="all three"):
        Provider(settings.model_copy(update={"origin": None}))


def test_without_a_provider_there_is_no_such_login(console: Running, tmp_path: Path) -> None:
    assert console.browser().get("/oidc/start").status == 404
    assert "oidc/start" not in console.browser().get("/login").text


def test_where_the_provider_offers_no_logging_out_the_page_says_so(here: tuple[Running, Lying]) -> None:
    console, _ = here
    assert "/oidc/end" in console.browser().get("/login?out=1").text
    assert "/oidc/end" not in console.browser().get("/login").text
    assert console.browser().get("/oidc/end").status == 404


@pytest.fixture
def telling(tmp_path: Path) -> Iterator[tuple[Running, Lying]]:
    """A console that takes roles from its provider, at which people can log out as well."""
    port = find_free(avoid=frozenset())
    with (
        lying() as provider,
        running(
            tmp_path, port=port, origin=f"http://127.0.0.1:{port}", oidc_issuer=provider.issuer, oidc_client=CLIENT,
            oidc_claim="name", oidc_roles_claim="groups",
        ) as made,
    ):  # fmt: skip
        provider.more = {"end_session_endpoint": f"{provider.issuer}/leave"}
        made.console.accounts.add(Account("r1", frozenset({"reader"}), frozenset({"north"}), must_change=False))
        yield made, provider


def test_who_logs_out_is_sent_to_log_out_at_the_provider_and_back_here(telling: tuple[Running, Lying]) -> None:
    console, provider = telling
    answer = console.browser().get("/oidc/end")
    assert answer.status == 303
    place, _, query = answer.headers["location"].partition("?")
    assert place == f"{provider.issuer}/leave"
    assert parse_qs(query) == {"client_id": [CLIENT], "post_logout_redirect_uri": [f"{console.url}/login?out=1"]}


def test_roles_that_the_provider_lists_count_from_each_login_on(telling: tuple[Running, Lying]) -> None:
    console, _ = telling
    status, browser = came_back(telling, {"groups": ["lead", "staff", "engineer", 7]})
    assert status == 303
    account = console.console.accounts.get("r1")
    assert account is not None
    assert (account.roles, account.sites) == ({"lead", "engineer"}, {"north"}), "sites stand here"
    assert browser.get("/fleet").status == 200
    came_back(telling, {"groups": "lead engineer"})
    told = [(each["what"], each["about"]["roles"]) for each in console.acts() if each["by"] == "r1"]
    assert told == [("account.roles_told", "engineer lead")], "what stays is not noted again"
    for groups in (None, [], ["staff"], {"lead": 1}):
        assert came_back(telling, {"groups": groups})[0] == 403


def test_without_the_setting_no_claim_gives_a_role(here: tuple[Running, Lying]) -> None:
    console, _ = here
    assert came_back(here, {"groups": ["administrator"]})[0] == 303
    account = console.console.accounts.get("r1")
    assert account is not None
    assert account.roles == {"reader"}
