"""Networks: which counts for how many screenings; and a shadow beside it, frame by frame, in figures and pictures.

Who reads as well is told of no single frame of a screening that they have yet to draw blind.
"""

import asyncio
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from starlette.responses import Response

from sonovan.clinical.quality.overlap import overlap_of
from sonovan.clinical.quality.paired import Paired, paired
from sonovan.console.asked import Asked, Refused
from sonovan.console.doors import Door, door
from sonovan.console.figures import asked_of, figures_page, her, moment, named, plain
from sonovan.console.pages.reading import check_not_blind, draws_first
from sonovan.console.phrases import ConsoleWords
from sonovan.console.pictures import machine_labels, pixels_of
from sonovan.console.render import page
from sonovan.console.roles import OVERSIGHT, Role
from sonovan.console.tables import Cell, Shown, cell, csv_of
from sonovan.contracts.errors import InvalidRecord
from sonovan.models.picture.screens import outlined, shown, without_loss
from sonovan.storage.catalogue.cine import pictures_between
from sonovan.storage.catalogue.operations import networks
from sonovan.storage.catalogue.shadows import MOST_FRAMES, Both, Side, pair, pairs

if TYPE_CHECKING:
    from sonovan.console.world import Console

_LEADS: Final = frozenset({Role.LEAD})
_SHOWN: Final = 200
"""Frames of the list: those on which the networks differ most by what the catalogue has of them."""
_MEASURED: Final = 24
"""Of so many of these both masks are read, and compared."""
_LONGEST: Final = 64


async def models(console: "Console", asked: Asked) -> Response:
    """Each network: of which screenings it is the one that counts, and how far blind readers agree with it."""
    found = await asked_of(console, networks)
    if asked.query.get("as") == "csv":
        return csv_of("models", *plain(found))
    words = console.words[asked.language]
    names = ("model", "fingerprint", "screenings", "first", "newest", "shadow_frames", "blind_reviews", "dice", "iou")
    rows = tuple(
        (
            Cell(str(row["model_id"]), "/quality"), Cell(str(row["fingerprint"])[:16]), cell(row["screenings"]),
            moment(row["first_at"]), moment(row["newest_at"]), _replayed(row), cell(row["blind_reviews"]),
            _figure(row["dice"]), _figure(row["iou"]),
        )
        for row in found
    )  # fmt: skip
    return figures_page(
        console, asked, words.say("models_title"),
        (("", Shown(named("model", names, words), rows)),), hints=(words.say("models_hint"),),
        links=((words.say("table_csv"), "/models?as=csv"),),
    )  # fmt: skip


async def shadow(console: "Console", asked: Asked) -> Response:
    """A shadow beside the networks that count: paired differences, and the frames on which they differ most. Query:
    fingerprint."""
    fingerprint = _fingerprint(asked)
    found = await asked_of(console, pairs, fingerprint, asked.person.sites)
    if not found:
        raise Refused("missing", 404)
    blind = await asyncio.to_thread(_to_be_drawn, console, asked, found)
    least = sorted((each for each in found if each.screening_id not in blind), key=_least_alike_first)[:_SHOWN]
    agreement = await asyncio.to_thread(_agreement, console, least[:_MEASURED])
    words = console.words[asked.language]
    names = ("screening_id", "sequence_id", "frame_index")
    if asked.query.get("as") == "csv":
        columns = (*names, "running_regions", "candidate_regions", "running_assessable", "candidate_assessable", "dice")
        rows = [
            (*(getattr(each, name) for name in names), each.running.regions, each.candidate.regions,
             each.running.assessable, each.candidate.assessable, agreement.get(_frame_of(each)))
            for each in least
        ]  # fmt: skip
        return csv_of("shadow", columns, rows)
    sees = asked.person.may(_LEADS)
    listed = tuple(
        (
            Cell(f"{each.frame_index:06d}", _frame_address(each, fingerprint) if sees else None),
            her(each.screening_id, asked), cell(each.running.regions), cell(each.candidate.regions),
            cell(each.running.predicted_dice), cell(each.candidate.predicted_dice),
            cell(agreement.get(_frame_of(each))),
        )
        for each in least
    )  # fmt: skip
    running = {each.running.model_id for each in found}
    title = words.say(
        "shadow_title", candidate=found[0].candidate.model_id, running=words.text("comma").join(sorted(running))
    )
    hints = [words.say("shadow_hint", frames=len(found), screenings=len({each.screening_id for each in found}))]
    hints += [words.say("shadow_cut", count=MOST_FRAMES)] if len(found) == MOST_FRAMES else []
    hints += [words.say("shadow_blind", screenings=len(blind))] if blind else []
    heads = ("frame", "screening", "regions_running", "regions_candidate", "dice_running", "dice_candidate", "alike")
    return figures_page(
        console, asked, title,
        (
            (words.say("shadow_figures"), _figures(found, words)),
            (words.say("shadow_frames"), Shown(named("shadow", heads, words), listed, "frame")),
        ),
        hints=hints, fields=(),
        links=(
            (words.say("table_csv"), f"{_shadow_address(fingerprint)}&as=csv"), (words.say("models_title"), "/models"),
        ),
    )  # fmt: skip


async def beside(console: "Console", asked: Asked) -> Response:
    """One frame by both networks, side by side. Query: fingerprint."""
    fingerprint = _fingerprint(asked)
    await asyncio.to_thread(check_not_blind, console, asked)
    both = await asyncio.to_thread(_pair, console, asked, fingerprint)
    agreement = (await asyncio.to_thread(_agreement, console, [both])).get(_frame_of(both))
    words, here = console.words[asked.language], f"{asked.here}/picture"
    sides = [
        (side, f"{here}?{urlencode({'fingerprint': fingerprint, 'of': which})}", words.say(f"shadow_{which}"))
        for which, side in (("running", both.running), ("candidate", both.candidate))
    ]
    return page(
        console, asked, "shadow.html", both=both, sides=sides, agreement=agreement, back=_shadow_address(fingerprint)
    )


async def picture(console: "Console", asked: Asked) -> Response:
    """The frame without loss, with one network's outlines. Query: fingerprint, of (running, candidate)."""
    fingerprint, of = _fingerprint(asked), asked.query.get("of")
    if of not in ("running", "candidate"):
        raise Refused("missing", 404)

    def made() -> Response:
        check_not_blind(console, asked)
        both = _pair(console, asked, fingerprint)
        with console.catalogue.reading() as connection:
            found = pictures_between(connection, both.screening_id, both.sequence_id, both.frame_index, 1)
        if not found:
            raise Refused("missing", 404)
        try:
            plain_picture = shown(pixels_of(console.images, found[0]))
            labels = _labels(console, both.running if of == "running" else both.candidate)
            drawn = plain_picture if labels is None else outlined(plain_picture, labels)
        except KeyError:
            raise Refused("missing", 404) from None
        except ValueError as error:
            raise InvalidRecord("object_contradicts_record", str(error)) from None
        coded = without_loss(drawn)
        return Response(coded.data, media_type=coded.kind, headers={"X-Frame-Id": found[0].frame_id})

    return await asyncio.to_thread(made)


def _to_be_drawn(console: "Console", asked: Asked, found: Sequence[Both]) -> frozenset[str]:
    """The screenings among these whose outlines whoever asks may not know yet."""
    return frozenset(each for each in {both.screening_id for both in found} if draws_first(console, asked.person, each))


def _pair(console: "Console", asked: Asked, fingerprint: str) -> Both:
    index = asked.path["frame_index"]
    if not (index.isdecimal() and len(index) <= 6):
        raise Refused("missing", 404)
    with console.catalogue.reading() as connection:
        found = pair(connection, fingerprint, asked.path["screening_id"], asked.path["sequence_id"], int(index))
    if found is None:
        raise Refused("missing", 404)
    return found


def _fingerprint(asked: Asked) -> str:
    told = asked.query.get("fingerprint")
    if not told or len(told) > _LONGEST:
        raise Refused("filter", 400, name="fingerprint")
    return told


def _replayed(row: Any) -> Cell:
    return cell(row["shadow_frames"], _shadow_address(row["fingerprint"]) if row["shadow_frames"] else None)


def _shadow_address(fingerprint: str) -> str:
    return f"/models/shadow?{urlencode({'fingerprint': fingerprint})}"


def _frame_address(both: Both, fingerprint: str) -> str:
    place = f"{both.screening_id}/{both.sequence_id}/{both.frame_index:06d}"
    return f"/models/shadow/{place}?{urlencode({'fingerprint': fingerprint})}"


def _frame_of(both: Both) -> tuple[str, int]:
    return both.sequence_id, both.frame_index


def _least_alike_first(both: Both) -> tuple[float, ...]:
    """For sorting: whether it can be assessed, how many regions, what is expected of them."""
    one, other = both.running, both.candidate
    expected = abs((one.predicted_dice or 0.0) - (other.predicted_dice or 0.0))
    return -float(one.assessable != other.assessable), -float(abs(one.regions - other.regions)), -expected


def _agreement(console: "Console", some: Sequence[Both]) -> dict[tuple[str, int], float]:
    """Dice of both networks' masks, of frames on which one of them outlines something; a frame whose mask is gone has
    none."""
    found = {}
    for both in some:
        try:
            one, other = (_labels(console, side) for side in (both.running, both.candidate))
        except (KeyError, InvalidRecord):
            continue
        if one is not None or other is not None:
            found[_frame_of(both)] = (overlap_of(one, other).dice or 0.0) if one is not None else 0.0
    return found


def _labels(console: "Console", side: Side) -> Any:
    return machine_labels(console.images, side.mask_key, side.mask_sha256)


def _figures(found: Sequence[Both], words: ConsoleWords) -> Shown:
    """Each figure by both networks, paired frame by frame. found: the frames of each screening together."""
    by_screening = [list(some) for _, some in groupby(found, key=lambda each: each.screening_id)]
    columns = ("figure", "of_frames", "running", "candidate", "difference", "interval")
    rows = []
    for name, figure in _FIGURES.items():
        told = paired([_both_known(some, figure) for some in by_screening])
        if told is not None:
            rows.append(_told(name, told, words))
    return Shown(named("shadow", columns, words), tuple(rows))


def _both_known(some: Sequence[Both], figure: Callable[[Side], float | None]) -> list[tuple[float, float]]:
    """A figure of the frames of which both networks have it: the running one's, and the candidate's."""
    pairs_of = ((figure(each.running), figure(each.candidate)) for each in some)
    return [(one, other) for one, other in pairs_of if one is not None and other is not None]


def _told(name: str, told: Paired, words: ConsoleWords) -> tuple[Cell, ...]:
    interval = "–" if told.low is None else f"{told.low:+.4f} – {told.high:+.4f}"
    return (
        Cell(words.say(f"shadow_figure_{name}")), cell(told.frames), Cell(f"{told.running:.4f}"),
        Cell(f"{told.candidate:.4f}"), Cell(f"{told.difference:+.4f}", "#frame-0", warn=told.differs), Cell(interval),
    )  # fmt: skip


_FIGURES: Final[dict[str, Callable[[Side], float | None]]] = {
    "regions": lambda side: float(side.regions),
    "outlined": lambda side: float(side.regions > 0),
    "refused": lambda side: float(not side.assessable),
    "quality": lambda side: side.quality,
    "predicted": lambda side: side.predicted_dice,
}
"""What the catalogue has of a frame by both networks."""


def _figure(value: float | None) -> Cell:
    return Cell("–" if value is None else f"{float(value):.3f}")


_FRAME: Final = "/models/shadow/{screening_id}/{sequence_id}/{frame_index}"

DOORS: Final[tuple[Door, ...]] = (
    door("GET", "/models", models, roles=OVERSIGHT, shown="models", key="m"),
    door("GET", "/models/shadow", shadow, roles=OVERSIGHT, audited="shadow.seen"),
    door("GET", _FRAME, beside, roles=_LEADS, audited="outlines.seen"),
    door("GET", f"{_FRAME}/picture", picture, roles=_LEADS, audited="pictures.seen", once=True),
)
