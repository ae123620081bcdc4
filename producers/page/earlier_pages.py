"""Beside the picture of today: where something was outlined at an earlier examination, and the frame that showed it.

It says where to look again and nothing else. What is not here says nothing: the page never tells that she had none.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sonovan.contracts.envelope import open_envelope
from sonovan.contracts.van import FrameCaptured, Panel
from sonovan.models.overlay import outlined_frame
from sonovan.models.picture.letterbox import Box
from sonovan.producers.gateway.register import Expected
from sonovan.producers.page.asked import Answer, Asked, Refused
from sonovan.producers.page.pictures import pixels_of
from sonovan.producers.page.render import Speaks
from sonovan.producers.spool import EarlierPlace

if TYPE_CHECKING:
    from sonovan.producers.page.page import Page

_Outline = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Card:
    """One place as the page shows it. picture: its address; None where the frame is not here any more."""

    place: str
    day: str
    alt: str
    picture: str | None


@dataclass(frozen=True, slots=True)
class Shown:
    """What the page shows of earlier examinations. notes: sentences beside the cards, one at least."""

    cards: tuple[Card, ...]
    notes: tuple[str, ...]


def shown(page: "Page", entry: Expected, words: Speaks) -> Shown:
    """What this van kept of the woman's earlier examinations, and what that means; or why nothing is shown."""
    if entry.screening_id in page.spool.silenced:
        return Shown((), (words.van("live_earlier_silenced"),))
    if not page.spool.earlier.keeps:
        return Shown((), (words.van("live_earlier_off"),))
    if entry.person is None:
        return Shown((), (words.van("live_earlier_nobody"),))
    places = page.spool.earlier.of(entry.visit.subject_key, entry.screening_id)
    if not places:
        return Shown((), (words.van("live_earlier_none"),))
    cards = tuple(_card(each, f"/live/{entry.screening_id}/earlier/{each.number}", words) for each in places)
    untold = {each.screening_id: each for each in places if each.more}
    more = tuple(
        words.van("live_earlier_more", count=each.more, day=each.examined_on.isoformat()) for each in untold.values()
    )
    return Shown(cards, (*more, words.van("live_earlier_hint")))


def picture(page: "Page", asked: Asked) -> Answer:
    """The frame of one place, outlined as the preview outlines, with its day in its pixels."""
    entry = page.desk.register.of_screening(asked.params["screening"])
    number = asked.params["number"]
    if entry is None or entry.person is None or entry.screening_id in page.spool.silenced or not number.isdecimal():
        raise Refused("unknown")
    found = page.spool.earlier.picture(entry.visit.subject_key, entry.screening_id, int(number))
    if found is None:
        raise Refused("unknown")
    place, value = found
    header = FrameCaptured.decode(open_envelope(value).header)
    outline = place.place.outline or ()
    panel, words = panel_of(header.panels, outline), page.words[asked.language]
    side = words.place(place.place.organ, place.place.laterality)
    drawn = outlined_frame(
        pixels_of(value),
        [outline] if outline else [],
        title=words.van("live_earlier_title", place=side, day=place.examined_on.isoformat()),
        box=None if panel is None else _box(panel),
        spacing_mm=None if panel is None else panel.spacing_mm,
    )
    return Answer(drawn, "image/png")


def panel_of(panels: tuple[Panel, ...], outline: _Outline) -> Panel | None:
    """The panel that holds the middle of an outline; the only one where there is no outline, else None."""
    if not outline:
        return panels[0] if len(panels) == 1 else None
    column = sum(each[0] for each in outline) / len(outline)
    row = sum(each[1] for each in outline) / len(outline)
    inside = (
        each
        for each in panels
        if each.left <= column < each.left + each.width and each.top <= row < each.top + each.height
    )
    return next(inside, None)


def _box(panel: Panel) -> Box:
    return panel.left, panel.top, panel.width, panel.height


def _card(place: EarlierPlace, address: str, words: Speaks) -> Card:
    where = words.found_at(place.place.organ, place.place.laterality, place.place.location)
    day = place.examined_on.isoformat()
    alt = words.van("live_earlier_alt", place=where, day=day)
    return Card(where, words.van("live_earlier_day", day=day), alt, address if place.has_picture else None)
