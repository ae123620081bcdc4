"""The tray: objects that wait for the operator, each assigned or discarded with a reason of a list."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final, get_args

from sonovan.contracts.lexicon import Organ, Side
from sonovan.producers.gateway.glimpse import glimpse
from sonovan.producers.gateway.intake import ARRIVED, ASSIGNING, DISCARDING, QUARANTINED, TRAY, Arrived, Assigned
from sonovan.producers.gateway.standing import here_now
from sonovan.producers.page.asked import Answer, Asked, Refused, go
from sonovan.producers.page.pictures import png
from sonovan.producers.page.register_form import typed_slip
from sonovan.producers.page.render import rendered
from sonovan.producers.sources import capture_options

if TYPE_CHECKING:
    from sonovan.producers.page.page import Page

_TOLD: Final = ("accession", "patient_id", "patient_name", "file")


@dataclass(frozen=True, slots=True)
class Waiting:
    """An object as the page shows it. told: what it says of a woman, for the operator's eyes."""

    number: int
    state: str
    reason: str
    at: str
    scanner: str
    told: tuple[tuple[str, str], ...]


def tray(page: "Page", asked: Asked) -> Answer:
    """What waits, what arrives, and what a scanner made that never came."""
    intake = page.desk.intake
    missing = [(step.instance, step.scanner, count) for step, count in page.desk.steps.missing(intake.came)]
    return rendered(
        "tray.html", page.words[asked.language], asked,
        waiting=[_shown(each) for each in intake.objects(TRAY, QUARANTINED)], arriving=intake.count(ARRIVED),
        missing=missing, expected=here_now(page.desk, page.spool, page.clock()), assigning=ASSIGNING,
        discarding=DISCARDING,
    )  # fmt: skip


def picture(page: "Page", asked: Asked) -> Answer:
    """A glimpse of an object, cleaned; 404 where it cannot be shown."""
    pixels = glimpse(page.desk.intake, _number(asked), page.clean)
    return Answer(status=404) if pixels is None else Answer(png(pixels, small=True), "image/png")


def assign(page: "Page", asked: Asked) -> Answer:
    """Say whose an object is; the gateway puts it into her screening."""
    form = asked.form
    because = form.get("because")
    entry = page.desk.register.by_slip(typed_slip(form.get("slip")))
    if entry is None:
        raise Refused("nobody_expected")
    if because not in ASSIGNING:
        raise Refused("reason_missing")
    organ, side = form.get("organ") or None, form.get("side") or None
    if organ not in (None, *get_args(Organ)) or side not in (None, *get_args(Side)):
        raise Refused("unknown")
    chosen = capture_options(organ=organ, side=side)
    page.desk.intake.assign(_number(asked), Assigned(entry.slip, because, chosen.organ, chosen.side))
    return go("/tray")


def discard(page: "Page", asked: Asked) -> Answer:
    """Delete an object that waits, for good."""
    because = asked.form.get("because")
    if because not in DISCARDING:
        raise Refused("reason_missing")
    page.desk.intake.discard(_number(asked), because)
    return go("/tray")


def give_up(page: "Page", asked: Asked) -> Answer:
    """Note that what a scanner made and never sent will not come."""
    page.desk.steps.give_up(asked.form.get("step"))
    return go("/tray")


def _shown(found: Arrived) -> Waiting:
    told = tuple((name, value) for name in _TOLD if (value := getattr(found.claims, name)))
    at = datetime.fromtimestamp(found.arrived_at).astimezone().strftime("%H:%M")
    return Waiting(found.number, found.state, found.reason or "", at, found.claims.scanner, told)


def _number(asked: Asked) -> int:
    text = asked.params["number"]
    if not text.isdecimal() or len(text) > 15:
        raise Refused("unknown")
    return int(text)
