"""A page over a van's folder, asked without HTTP; and one that is served."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from sonovan.contracts.ids import subject_key
from sonovan.contracts.words import slip_number
from sonovan.models.text import FoundText
from sonovan.producers.gateway.gateway import open_desk
from sonovan.producers.gateway.settings import PageOptions
from sonovan.producers.gateway.watching import Watch
from sonovan.producers.page.asked import Answer, Asked, Form
from sonovan.producers.page.page import ROUTES, Page
from sonovan.producers.sources import Pixels
from sonovan.producers.spool import Spool
from sonovan.reports.van_words import VanWords
from tests.producers.visits import SIGNER, vault_at

TODAY = date(2026, 11, 27)
SLIP, OTHER_SLIP = slip_number("A", 17), slip_number("A", 18)
SECRET = b"s" * 32
FILLED = (
    ("slip", SLIP), ("person", "110101198001011234"), ("consent", "screening"), ("consent", "ai"),
    ("plan", "breast.left"), ("plan", "breast.right"), ("detail", "side"),
)  # fmt: skip


class NoText:
    """A finder that finds nothing."""

    def find(self, picture: Pixels) -> FoundText:
        """As `Finder`."""
        return FoundText((), ())


@dataclass
class Desk:
    """A page, and how to ask it."""

    page: Page
    language: str = "en"
    answers: list[Answer] = field(default_factory=list)

    def ask(self, method: str, path: str, fields: tuple[tuple[str, str], ...] = (), **params: str) -> Answer:
        """Ask for a path as ROUTES has it."""
        handler = next(each for verb, route, each in ROUTES if (verb, route) == (method, path))
        asked = Asked(params, Form(fields), self.language, token="t")
        return self.page.answer(handler, asked)

    def text(self, path: str, **params: str) -> str:
        """A page as text."""
        return self.ask("GET", path, **params).body.decode()


@contextmanager
def desk(folder: Path, **options: object) -> Iterator[Desk]:
    """The page of a van in this folder."""
    vault = vault_at(folder)
    with (
        Spool(folder / "spool", vault, least_free_bytes=2**20, earlier_bytes=2**24) as spool,
        open_desk(vault) as found,
    ):
        page = Page(
            vault, spool, found, SIGNER, replace_options(options),
            lambda person: subject_key(SECRET, person or "anonymous"),
            {each: VanWords(each) for each in ("en", "zh")}, lambda source: source, NoText(), Watch(), lambda: TODAY,
        )  # fmt: skip
        yield Desk(page)


def replace_options(changes: Mapping[str, object]) -> PageOptions:
    """The page's options, for a port of its own."""
    return PageOptions.model_validate({"port": 0, "consent_text": "v3", **changes})


def without(name: str, *more: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    """The filled form without a field, with others."""
    return (*(each for each in FILLED if each[0] != name), *more)


__all__ = ["FILLED", "OTHER_SLIP", "SLIP", "TODAY", "Desk", "desk", "replace", "without"]
