"""Who scans: said once by a code, and remembered until another one is said."""

from typing import TYPE_CHECKING, Final

from sonovan.contracts.errors import InvalidRecord
from sonovan.producers.page.asked import Answer, Asked, Refused, go
from sonovan.producers.page.render import rendered

if TYPE_CHECKING:
    from sonovan.producers.page.page import Page

SHOWN: Final = 8
"""Codes of who scanned here before, as buttons."""


def form(page: "Page", asked: Asked) -> Answer:
    """The form, with the codes of who scanned on this van before."""
    words = page.words[asked.language]
    return rendered("operator.html", words, asked, known=page.desk.duty.known(SHOWN), wrong=False)


def begin(page: "Page", asked: Asked) -> Answer:
    """From now on this operator scans. What is no code is said above the form."""
    try:
        page.desk.duty.begin(asked.form.get("operator"))
    except InvalidRecord:
        words = page.words[asked.language]
        return rendered("operator.html", words, asked, 400, known=page.desk.duty.known(SHOWN), wrong=True)
    return go("/live")


def require(page: "Page", asked: Asked) -> None:
    """Raises Refused `operator_missing` where van.toml asks for who scans and nobody said so."""
    if missing(page, asked):
        raise Refused("operator_missing")


def missing(page: "Page", asked: Asked) -> bool:
    """Whether it must be said who scans, and was not."""
    return page.options.operator_required and asked.operator is None
