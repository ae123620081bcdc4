"""Login by another provider: OpenID Connect's code flow with PKCE. What comes back is believed only where the
provider's signature, the audience, the time and this browser's own nonce all hold.

Sources: OpenID Connect Core 1.0, sections 3.1.2 and 3.1.3.7; RFC 7636 (PKCE, S256); RFC 9700 (security of OAuth).
"""

import base64
import json
import secrets
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any, Final
from urllib.parse import quote_plus, urlencode, urlsplit

import jwt
import urllib3
from jwt.types import Options

from sonovan.console.settings import ConsoleSettings
from sonovan.contracts.errors import Fatal, InvalidRecord, Transient

ALGORITHMS: Final = ("RS256", "ES256", "PS256")
"""Of the provider's signatures; never one with a shared secret."""
WITHIN_MS: Final = 10 * 60_000
"""So long a person may take at the provider."""
LEEWAY_S: Final = 60
BACK: Final = "/oidc/back"
_LONGEST: Final = 256 * 1024
_TIMEOUT: Final = urllib3.Timeout(connect=5.0, read=10.0)


@dataclass(frozen=True, slots=True)
class Vouched:
    """For whom the provider vouches. code: of the account. roles: what its claim lists; None where no setting names
    one."""

    code: str
    roles: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class Begun:
    """What a browser holds, sealed, while its person is at the provider."""

    state: str
    nonce: str
    verifier: str
    begun_at: int
    to: str

    def as_bytes(self) -> bytes:
        """To be sealed."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def of(cls, text: bytes) -> "Begun":
        """What was sealed."""
        return cls(**json.loads(text))


def begin(now_ms: int, to: str) -> Begun:
    """A new login. to: where in the console it leads."""
    return Begun(secrets.token_urlsafe(32), secrets.token_urlsafe(32), secrets.token_urlsafe(48), now_ms, to)


class Provider:
    """One provider, by its settings. Any thread may use it; what it publishes of itself is read when first needed."""

    def __init__(self, settings: ConsoleSettings) -> None:
        """Raises Fatal where a setting is missing or would have secrets go over a network in the clear."""
        if settings.oidc_issuer is None or settings.oidc_client is None or settings.origin is None:
            raise Fatal(
                "setting SONOVAN_CONSOLE_OIDC_ISSUER, …_OIDC_CLIENT and …_ORIGIN: a login by OIDC needs all three"
            )
        self._issuer, self._client = settings.oidc_issuer, settings.oidc_client
        self._secret, self._claim = settings.oidc_secret, settings.oidc_claim
        self._roles, self._origin = settings.oidc_roles_claim, settings.origin
        self._back = settings.origin + BACK
        self._pool = urllib3.PoolManager(timeout=_TIMEOUT, retries=False)
        self._lock, self._known = threading.Lock(), dict[str, Any]()
        _must_be_private(self._issuer)

    def address(self, begun: Begun) -> str:
        """Where the browser is sent. Raises Transient where the provider does not answer."""
        challenge = base64.urlsafe_b64encode(sha256(begun.verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {
            "response_type": "code", "client_id": self._client, "redirect_uri": self._back,
            "scope": "openid profile email", "state": begun.state, "nonce": begun.nonce,
            "code_challenge": challenge, "code_challenge_method": "S256",
        }  # fmt: skip
        return f"{self._endpoint('authorization_endpoint')}?{urlencode(asked)}"

    def leaving(self) -> str | None:
        """Where a browser logs out of the provider itself and comes back (RP-Initiated Logout 1.0); None where the
        provider offers none. Raises Transient where it does not answer."""
        with self._lock:
            if "end_session_endpoint" not in self._document():
                return None
        asked = {"client_id": self._client, "post_logout_redirect_uri": f"{self._origin}/login?out=1"}
        return f"{self._endpoint('end_session_endpoint')}?{urlencode(asked)}"

    def person(self, begun: Begun, code: str) -> Vouched:
        """For whom the provider vouches.

        Raises InvalidRecord `not_vouched` for what does not hold, Transient where the provider does not answer.
        """
        fields = {
            "grant_type": "authorization_code", "code": code, "redirect_uri": self._back,
            "client_id": self._client, "code_verifier": begun.verifier,
        }  # fmt: skip
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if self._secret is not None:
            pair = f"{quote_plus(self._client)}:{quote_plus(self._secret.get_secret_value())}"  # RFC 6749, 2.3.1
            headers |= urllib3.make_headers(basic_auth=pair)
        answer = self._fetched("POST", self._endpoint("token_endpoint"), urlencode(fields), headers)
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise _not_vouched("no id token")
        claims = self._verified(token)
        if not secrets.compare_digest(str(claims.get("nonce")), begun.nonce):
            raise _not_vouched("another login's nonce")
        if isinstance(claims["aud"], list) and len(claims["aud"]) > 1 and claims.get("azp") != self._client:
            raise _not_vouched("another party's token")
        person = claims.get(self._claim)
        if not isinstance(person, str) or not person:
            raise _not_vouched(f"no claim {self._claim}")
        return Vouched(person, None if self._roles is None else _listed(claims.get(self._roles)))

    def _verified(self, token: str) -> Mapping[str, Any]:
        needed: Options = {"require": ["exp", "iat", "iss", "aud", "sub"]}
        try:
            key = self._key(jwt.get_unverified_header(token).get("kid"))
            claims = jwt.decode(
                token, key, list(ALGORITHMS), needed, audience=self._client, issuer=self._issuer, leeway=LEEWAY_S
            )
            return dict(claims)
        except jwt.PyJWTError as error:
            raise _not_vouched(type(error).__name__) from None

    def _key(self, name: object) -> Any:
        """The provider's public key of this name; its keys are read anew where it has another one."""
        for known in (True, False):
            keys = self._keys(known=known)
            found = [each for each in keys if name is None or each.key_id == name]
            if found:
                return found[0].key
        raise _not_vouched("an unknown key")

    def _keys(self, *, known: bool) -> list[jwt.PyJWK]:
        with self._lock:
            if not known or "keys" not in self._known:
                self._known.pop("keys", None)
                read = self._fetched("GET", self._found("jwks_uri"))
                self._known["keys"] = [key for key in jwt.PyJWKSet.from_dict(read).keys if key.key_type != "oct"]
            return list(self._known["keys"])

    def _endpoint(self, name: str) -> str:
        with self._lock:
            return self._found(name)

    def _document(self) -> dict[str, Any]:
        if "document" not in self._known:
            document = self._fetched("GET", f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")
            if document.get("issuer") != self._issuer:
                raise Fatal("SONOVAN_CONSOLE_OIDC_ISSUER: the provider there gives itself another name")
            self._known["document"] = document
        return dict(self._known["document"])

    def _found(self, name: str) -> str:
        address = self._document().get(name)
        if not isinstance(address, str):
            raise Fatal(f"SONOVAN_CONSOLE_OIDC_ISSUER: the provider names no {name}")
        _must_be_private(address)
        return address

    def _fetched(
        self, method: str, address: str, body: str | None = None, headers: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """The JSON object at an address, no redirect followed and no more than `_LONGEST` bytes read."""
        try:
            answer = self._pool.request(
                method, address, body=body, headers=headers, redirect=False, preload_content=False
            )
            try:
                text = answer.read(_LONGEST + 1)
            finally:
                answer.release_conn()
        except urllib3.exceptions.HTTPError as error:
            raise Transient(f"the provider of logins does not answer ({type(error).__name__})") from None
        if answer.status in (400, 401, 403):
            raise _not_vouched(f"status {answer.status}")
        if answer.status != 200:
            raise Transient(f"the provider of logins answers {answer.status}")
        try:
            found = json.loads(text)
        except ValueError:
            found = None
        if not isinstance(found, dict) or len(text) > _LONGEST:
            raise Transient("the provider of logins answers with what is no JSON object")
        return found


def _listed(told: object) -> frozenset[str]:
    """The texts of a claim: a list of them, or one with a space between two."""
    found = told.split() if isinstance(told, str) else told if isinstance(told, list) else []
    return frozenset(each for each in found if isinstance(each, str))


def _must_be_private(address: str) -> None:
    parts = urlsplit(address)
    if parts.scheme != "https" and parts.hostname not in ("127.0.0.1", "localhost", "::1"):
        raise Fatal("SONOVAN_CONSOLE_OIDC_ISSUER: a provider is reached by https, or on this machine")


def _not_vouched(why: str) -> InvalidRecord:
    return InvalidRecord("not_vouched", f"the provider does not vouch for this login: {why}")
