"""Pages as HTML: the templates of this folder, and the words that whoever starts the page brings."""

from typing import Final, Protocol

from jinja2 import Environment, PackageLoader, StrictUndefined

from sonovan.contracts.because import Because
from sonovan.contracts.description import Location
from sonovan.contracts.lexicon import Organ, Position, Side
from sonovan.producers.page.asked import Answer, Asked


class Speaks(Protocol):
    """One language: `sonovan.reports.van_words.VanWords`."""

    @property
    def tag(self) -> str:
        """The language as HTML names it."""

    def van(self, name: str, /, **figures: object) -> str:
        """A phrase of the page. Raises KeyError for a name that the catalogue does not have."""

    def of(self, group: str, code: str) -> str:
        """The phrase `<group>_<code>`; a code without one is shown as it is."""

    def text(self, name: str, /, **figures: object) -> str:
        """A label that the report has as well."""

    def lexicon(self, key: str) -> str:
        """A term or word of the lexicon."""

    def answer(self, name: str) -> str:
        """What a field of the clinical record is called."""

    def lamp(self, found: Because) -> str:
        """A reason or a note of a light."""

    def place(self, organ: Organ, side: Side | None, position: Position | None = None) -> str:
        """Where in the body."""

    def found_at(self, organ: Organ, side: Side | None, location: Location | None) -> str:
        """Where something was found, as far as anybody said it."""


_ENVIRONMENT: Final = Environment(
    loader=PackageLoader("sonovan.producers.page"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def rendered(template: str, words: Speaks, asked: Asked, status: int = 200, **values: object) -> Answer:
    """A page from a template of this folder. Everything is escaped."""
    page = _ENVIRONMENT.get_template(template).render(
        words=words, say=words.van, token=asked.token, language=asked.language, operator=asked.operator, **values
    )
    return Answer(page.encode(), status=status)
