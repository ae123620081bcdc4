"""Cookies of the console: the session's, which no script reads, and how the console looks."""

from typing import TYPE_CHECKING, Final

from starlette.responses import Response

if TYPE_CHECKING:
    from sonovan.console.settings import ConsoleSettings
    from sonovan.console.world import Console

_YEAR_S: Final = 365 * 86_400


def session_cookie(settings: "ConsoleSettings") -> str:
    """The name of the session's cookie. `__Host-` has a browser refuse one that another host or plain HTTP set."""
    return "__Host-console" if is_secure(settings) else "console"


def is_secure(settings: "ConsoleSettings") -> bool:
    """Whether browsers reach the console by TLS."""
    return (settings.origin or "").startswith("https://")


def keep_session(console: "Console", response: Response, secret: str) -> None:
    """Have the browser hold the secret of a session until it is closed.

    Lax: a link in an alert's message opens the console for who is logged in; nothing is changed by GET, and forms
    need their token.
    """
    response.set_cookie(
        session_cookie(console.settings), secret, httponly=True, samesite="lax", path="/",
        secure=is_secure(console.settings),
    )  # fmt: skip


def drop_session(console: "Console", response: Response) -> None:
    """Have the browser forget it."""
    response.delete_cookie(
        session_cookie(console.settings), path="/", httponly=True, samesite="lax", secure=is_secure(console.settings)
    )


def keep(console: "Console", response: Response, name: str, value: str) -> None:
    """Have the browser hold a choice for a year."""
    response.set_cookie(
        name, value, max_age=_YEAR_S, httponly=True, samesite="lax", path="/", secure=is_secure(console.settings)
    )
