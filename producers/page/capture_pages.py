"""Start and stop a sweep from the scanner's video output, for the woman who is being scanned."""

from typing import TYPE_CHECKING, get_args

from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.lexicon import Position
from sonovan.producers.gateway.recording import Recorder, SweepOrder
from sonovan.producers.page.asked import Answer, Asked, Refused, go
from sonovan.producers.page.operator_pages import require
from sonovan.producers.page.planned import planned_of
from sonovan.producers.sources import capture_options

if TYPE_CHECKING:
    from sonovan.producers.page.page import Page


def start(page: "Page", asked: Asked) -> Answer:
    """Begin a sweep. Fields: place (a line of the checklist) or organ, side and region; capture (its name), depth_mm
    and spacing_mm. All may be left out.
    """
    require(page, asked)
    entry = page.desk.register.of_screening(asked.params["screening"])
    if entry is None:
        raise Refused("unknown")
    form = asked.form
    if form.get("place"):
        found = planned_of(entry, form.get("place"))
        organ, side, region = found.organ, found.side, found.region
    else:
        chosen = capture_options(organ=form.get("organ") or None, side=form.get("side") or None)
        organ, side, region = chosen.organ, chosen.side, _position(form.get("region"))  # type: ignore[assignment]
    order = SweepOrder(
        entry, organ, side, region,
        spacing_mm=_number(form.get("spacing_mm")), depth_mm=_number(form.get("depth_mm")), operator=asked.operator,
    )  # fmt: skip
    _recorder(page).start(order, form.get("capture") or None)
    return go(f"/live/{entry.screening_id}")


def stop(page: "Page", asked: Asked) -> Answer:
    """End the sweep; answered once its last frame is durable."""
    recorder = _recorder(page)
    if recorder.screening_id not in (None, asked.params["screening"]):
        raise InvalidRecord("option_invalid", "a sweep of another woman is being recorded: stop it on her page")
    recorder.stop()
    return go(f"/live/{asked.params['screening']}")


def _recorder(page: "Page") -> Recorder:
    if page.recorder is None:
        raise InvalidRecord("option_invalid", "van.toml has no [[capture]]")
    return page.recorder


def _position(text: str) -> Position | None:
    if text not in ("", *get_args(Position)):
        raise Refused("unknown")
    return text or None  # type: ignore[return-value]  # as was just asked


def _number(text: str) -> float | None:
    try:
        return float(text.replace(",", ".")) if text else None
    except ValueError:
        raise Refused("unknown") from None
