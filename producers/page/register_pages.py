"""Register somebody, print her slip."""

from typing import TYPE_CHECKING, Any, Final, get_args

from sonovan.contracts.amendments import Purpose
from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.lexicon import CLINICAL, PLACES
from sonovan.producers.page.asked import Answer, Asked, Form, Refused, go
from sonovan.producers.page.register_form import (
    ASKED_NONE,
    DETAILS,
    HOURS,
    NUMBERS,
    ROWS,
    SEVERAL,
    WORDS,
    next_slip,
    visit_of,
)
from sonovan.producers.page.render import rendered
from sonovan.producers.page.slip import qr_svg

if TYPE_CHECKING:
    from sonovan.producers.page.page import Page

_AT_FIRST: Final = Form(
    [("plan", "breast.left"), ("plan", "breast.right"), ("detail", "side"), ("consent", ""), ("sex", "female")]
)
"""Both sides of the breast; every consent is hers to give, so none is ticked."""
_CHOICES: Final[dict[str, tuple[str, ...]]] = {
    **{term.name: term.words for term in CLINICAL},
    "organ": next(term.words for term in PLACES if term.name == "organ"),
    "side": ("left", "right", "isthmus"),
}


def form(page: "Page", asked: Asked) -> Answer:
    """The empty form, below it who is expected."""
    return _form(page, asked, _AT_FIRST)


def enter(page: "Page", asked: Asked) -> Answer:
    """Enter a woman; her slip is shown next. What is wrong is said above the form, which keeps what was typed."""
    try:
        visit, person = visit_of(asked.form, page.key_of, page.options.site, page.options.consent_text)
        here = [each for each in page.desk.register.expected(page.clock()) if each.day == page.clock()]
        again = next((each for each in here if each.visit.subject_key == visit.subject_key), None)
        if again is not None:
            raise Refused("registered_before", slip=again.slip)
        try:
            entry = page.desk.register.expect(visit, page.clock(), person=person)
        except InvalidRecord:
            raise Refused("slip_taken") from None
    except Refused as refused:
        return _form(page, asked, asked.form, refused, 400)
    return go(f"/slip/{entry.screening_id}")


def slip(page: "Page", asked: Asked) -> Answer:
    """The slip to print."""
    entry = page.desk.register.of_screening(asked.params["screening"])
    if entry is None:
        raise Refused("unknown")
    words = page.words[asked.language]
    return rendered("slip.html", words, asked, entry=entry, qr=qr_svg(entry.slip), planned=entry.visit.planned or ())


def _form(page: "Page", asked: Asked, filled: Form, refused: Refused | None = None, status: int = 200) -> Answer:
    words = page.words[asked.language]
    here, newest = page.desk.register.expected(page.clock()), page.desk.register.newest()
    closed = {each.screening_id for each in page.spool.screenings() if not each.unfinished}
    error = None
    if refused is not None:
        figures: dict[str, Any] = dict(refused.figures)
        if "fields" in figures:
            labels = [words.answer(name) for name in figures["fields"]]
            figures["fields"] = words.text("comma").join(labels)
        error = words.van(f"error_{refused.code}", **figures)
    return rendered(
        "register.html", words, asked, status,
        filled=filled, error=error, proposed=next_slip(newest.slip if newest else None),
        expected=[each for each in here if each.screening_id not in closed],
        purposes=get_args(Purpose), consent_text=page.options.consent_text, choices=_CHOICES, rows=ROWS, single=WORDS,
        numbers=NUMBERS, several=SEVERAL, hours=HOURS, details=DETAILS, asked_none=ASKED_NONE,
    )  # fmt: skip
