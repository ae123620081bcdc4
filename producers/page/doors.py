"""Who may use the page: a one-time code becomes a session's secret; names of hosts and origins are checked.

The page listens on this machine alone, yet every page of the web that the operator opens can send requests there, and
so can every other account of the machine (docs/decisions/0072).
"""

import hmac
import secrets
import time
from collections.abc import Callable, Mapping
from hashlib import sha256
from threading import Lock
from typing import Final

_SIGNS: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
CODE_SIGNS: Final = 10
"""50 bits: nobody guesses it in MOST_WRONG tries."""
MOST_WRONG: Final = 10
"""After so many wrong codes there is a new one."""
SESSION_S: Final = 14 * 3600.0
"""A working day; after it the operator enters another code."""
SESSIONS: Final = 16
"""The oldest session ends where there is one more."""


class Doors:
    """The code that is valid now, and the sessions. Any thread may call any method."""

    def __init__(
        self, keep: Callable[[str], None] = lambda _code: None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """keep: called with each new code, so that the operator can be told. clock: seconds."""
        self._keep, self._clock, self._lock = keep, clock, Lock()
        self._key = secrets.token_bytes(32)
        self._sessions: dict[str, float] = {}
        self._wrong = 0
        self.code = ""
        self._renew()

    def enter(self, code: str) -> str | None:
        """The secret of a new session where the code is the valid one, which is spent by that."""
        given = "".join(each for each in code.upper() if each.isalnum())
        with self._lock:
            if not hmac.compare_digest(given.encode(), self.code.encode()):
                self._wrong += 1
                if self._wrong >= MOST_WRONG:
                    self._renew()
                return None
            self._renew()
            session = secrets.token_urlsafe(32)
            self._sessions[_hidden(session)] = self._clock() + SESSION_S
            while len(self._sessions) > SESSIONS:
                del self._sessions[next(iter(self._sessions))]
            return session

    def knows(self, session: str) -> bool:
        """Whether this is the secret of a session that has not ended."""
        with self._lock:
            ends_at = self._sessions.get(_hidden(session))
            return ends_at is not None and self._clock() < ends_at

    def leave(self, session: str) -> None:
        """End a session."""
        with self._lock:
            self._sessions.pop(_hidden(session), None)

    def token(self, session: str) -> str:
        """What every form of a session carries, so that a form of another origin is known as such."""
        return hmac.new(self._key, session.encode(), sha256).hexdigest()

    def fits(self, session: str, token: str) -> bool:
        """Whether a form carries its session's token."""
        return hmac.compare_digest(self.token(session).encode(), token.encode())

    def _renew(self) -> None:
        self.code, self._wrong = "".join(secrets.choice(_SIGNS) for _ in range(CODE_SIGNS)), 0
        self._keep(self.code)


def hosts(port: int) -> frozenset[str]:
    """The names under which the page may be asked for. Any other is a name that somebody pointed at this machine."""
    return frozenset({f"127.0.0.1:{port}", f"localhost:{port}", f"[::1]:{port}"})


def stranger(method: str, headers: Mapping[str, str], port: int) -> int | None:
    """The HTTP status with which a request is refused for where it comes from; None where it may go on.

    headers: by name, case-insensitive. A host that is not this page's is 421 (DNS rebinding); what another site makes
    the browser send is 403: by `Sec-Fetch-Site`, and for what changes something by `Origin`, which must be there.
    """
    host = headers.get("Host", "")
    if host not in hosts(port):
        return 421
    if headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
        return 403
    origin = headers.get("Origin")
    if method not in ("GET", "HEAD") and origin is None:
        return 403
    if origin is not None and origin != f"http://{host}":
        return 403
    return None


def _hidden(session: str) -> str:
    return sha256(session.encode()).hexdigest()
