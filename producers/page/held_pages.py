"""Held frames: the operator looks at each and presses one key, fine or hide this."""

from typing import TYPE_CHECKING, Final

from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.ids import frame_id, split_frame_id
from sonovan.models.errors import UnusablePicture
from sonovan.models.text import Line
from sonovan.producers.page.asked import Answer, Asked, Refused, go
from sonovan.producers.page.pictures import hidden, pixels_of, png
from sonovan.producers.page.render import rendered
from sonovan.producers.sources import Pixels

if TYPE_CHECKING:
    from sonovan.producers.page.page import Page

MOST_SHOWN: Final = 40
"""Frames of one sweep that are shown at once, and that one key answers."""
FINE, HIDE, DISCARD = "fine", "hide", "discard"


def held(page: "Page", asked: Asked) -> Answer:
    """The first held frame, large, with what is doubtful outlined; beside it those of its sweep."""
    found = page.spool.held()
    here = [each for each in found if _sweep(each.frame_id) == _sweep(found[0].frame_id)] if found else []
    shown = [(each.frame_id, *split_frame_id(each.frame_id)) for each in here[:MOST_SHOWN]]
    words = page.words[asked.language]
    return rendered(
        "held.html", words, asked, count=len(found), in_sweep=len(here), shown=shown,
        reason=here[0].reason if here else "", parts=range(1, 10),
    )  # fmt: skip


def picture(page: "Page", asked: Asked) -> Answer:
    """A held frame with what is doubtful outlined."""
    pixels = _pixels(page, _frame(asked))
    return Answer(png(pixels, _lines(page, pixels)), "image/png")


def small_picture(page: "Page", asked: Asked) -> Answer:
    """A held frame, small."""
    return Answer(png(_pixels(page, _frame(asked)), small=True), "image/png")


def judge(page: "Page", asked: Asked) -> Answer:
    """What the operator says of the frames that were shown: of one, or of all that the form names.

    Hiding takes what is outlined in each frame, and the parts that were chosen; where that is nothing, nothing is done.
    """
    said, frames = asked.form.get("said"), asked.form.all("frame")
    parts = [int(each) for each in asked.form.all("part") if each.isdigit()]
    if said not in (FINE, HIDE, DISCARD) or not frames:
        raise Refused("unknown")
    for each in frames if asked.form.get("all") else frames[:1]:
        if said == FINE:
            page.spool.release(each, page.signer)
        elif said == DISCARD:
            page.spool.discard(each, page.signer)
        else:
            _hide(page, each, parts)
    return go("/held")


def _hide(page: "Page", frame: str, parts: list[int]) -> None:
    pixels = _pixels(page, frame)
    lines = _lines(page, pixels)
    if not lines and not parts:
        raise Refused("nothing_to_hide")
    shown, count = hidden(pixels, lines, parts)
    page.spool.release(frame, page.signer, shown, count)


def _pixels(page: "Page", frame: str) -> Pixels:
    """The pixels of a frame that is held. Raises Refused `unknown` for any other."""
    if frame not in {each.frame_id for each in page.spool.held()}:
        raise Refused("unknown")
    message = page.spool.load(frame)
    if message is None:
        raise Refused("unknown")
    return pixels_of(message.value)


def _lines(page: "Page", pixels: Pixels) -> tuple[Line, ...]:
    """What may be text in a picture, doubtful or not: all that is sure was hidden before."""
    try:
        found = page.finder.find(pixels)
    except UnusablePicture:
        return ()
    return (*found.lines, *found.doubtful)


def _frame(asked: Asked) -> str:
    try:
        return frame_id(asked.params["sequence"], int(asked.params["index"]))
    except (ValueError, InvalidRecord):
        raise Refused("unknown") from None


def _sweep(frame: str) -> str:
    return split_frame_id(frame)[0]
