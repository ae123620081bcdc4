"""Pages as HTML, and where the browser goes next. Everything that a template is given is escaped."""

from typing import TYPE_CHECKING, Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from sonovan.console.asked import Asked
from sonovan.reports.phrases import LANGUAGES

if TYPE_CHECKING:
    from sonovan.console.world import Console

THEMES: Final = ("auto", "light", "dark")

_ENVIRONMENT: Final = Environment(
    loader=PackageLoader("sonovan.console"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def page(console: "Console", asked: Asked, template: str, status: int = 200, /, **values: Any) -> Response:
    """A page from a template, which extends `base.html` and gets `say` (a phrase), `words` (those of the report),
    `asked`, `console` and whatever is given."""
    words = console.words[asked.language]
    shown = [] if asked.who is None or asked.who.needs else [each for each in console.doors if each.shown]
    text = _ENVIRONMENT.get_template(template).render(
        words=words, say=words.say, asked=asked, console=console, themes=THEMES, languages=LANGUAGES,
        navigation=[each for each in shown if asked.person.may(each.roles)], **values,
    )  # fmt: skip
    return HTMLResponse(text, status)


def fragment(console: "Console", language: str, template: str, /, **values: Any) -> str:
    """A piece of a page, which a script puts in its place. It gets `say`, `words` and whatever is given."""
    words = console.words[language]
    return _ENVIRONMENT.get_template(template).render(words=words, say=words.say, **values)


def go(location: str) -> Response:
    """Have the browser load another page of the console, by GET."""
    return RedirectResponse(location, 303)


def refused(console: "Console", asked: Asked, code: str, status: int, as_json: bool, /, **figures: object) -> Response:
    """A page with one sentence, `error_<code>`; a script that asks for JSON gets `{"error": …, "text": …}`."""
    sentence = console.words[asked.language].say(f"error_{code}", **figures)
    if as_json:
        return JSONResponse({"error": code, "text": sentence}, status)
    return page(console, asked, "refused.html", status, sentence=sentence)


def local(location: str, otherwise: str = "/") -> str:
    """An address within the console that somebody sent; `otherwise` where it could lead elsewhere."""
    plain = all(sign.isascii() and (sign.isalnum() or sign in "/_-.?=&%+~:") for sign in location)
    return location if plain and location.startswith("/") and not location.startswith("//") else otherwise
