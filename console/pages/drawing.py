"""Drawing on frames: masks on request, masks carried over to neighbours, and what a reader saves as a review.

While a screening is drawn blind, neither clicks nor carrying over are answered: both show what the network sees.
"""

import asyncio
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, TypeVar

import numpy as np
from numpy.typing import NDArray
from starlette.responses import JSONResponse, Response

from sonovan.console.asked import Asked, Refused
from sonovan.console.doors import Door, Handler, door
from sonovan.console.drawn import UNUSABLE, Measured, measured
from sonovan.console.pages.reading import one_picture, to_draw_now
from sonovan.console.people import code_in_records
from sonovan.console.pictures import machine_runs, pixels_of
from sonovan.console.prompts import MOST_POINTS, STEPS, panel_at, prompts
from sonovan.console.roles import CLINICAL, Role
from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.frame_codec import Pixels
from sonovan.contracts.ids import mint_id
from sonovan.contracts.reviews import FrameReviewed, Verdict
from sonovan.contracts.words import OperatorCode
from sonovan.models.errors import ModelError, UnusablePicture
from sonovan.models.heads.prompting import Point
from sonovan.models.masks import decode_mask
from sonovan.models.runs import Labels, Runs, labels_of, numbered, runs_of
from sonovan.storage.catalogue.cine import StoredPicture, pictures_between
from sonovan.storage.console.read import Drawing, Read
from sonovan.storage.keys import Bucket
from sonovan.storage.reviews import Drawn, review_of, store_mask
from sonovan.storage.stores import get_named

if TYPE_CHECKING:
    from sonovan.console.world import Console

LONGEST: Final = 2 * 1024 * 1024
"""Bytes of a mask that a browser sends: a frame of 2,000 rows with many runs in each."""
_DRAWING: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

Made = TypeVar("Made")


async def ready(console: "Console", asked: Asked) -> Response:
    """Have the network see a frame before it is clicked on: `{"at": [column, row]}`."""

    def made() -> Response:
        _open_to_prompts(console, asked)
        one = one_picture(console, asked)
        _prompting(lambda: prompts().ready(one, _panel(one, asked.json().get("at")), _fetch(console)))
        return Response(status_code=204)

    return await asyncio.to_thread(made)


async def click(console: "Console", asked: Asked) -> Response:
    """The mask that clicks ask for: `{"points": [[column, row, 1 or 0], …], "before": runs}`."""

    def made() -> Response:
        told = asked.json()
        points = _points(told.get("points"))
        _open_to_prompts(console, asked)
        one = one_picture(console, asked)
        before = None if told.get("before") is None else _labels(told["before"], one) > 0
        panel = panel_at(one.panels, points[-1].column, points[-1].row)
        mask = _prompting(lambda: prompts().clicked(one, panel, points, before, _fetch(console)))
        return JSONResponse({"frame": one.frame_id, "runs": _flat(numbered(mask))})

    return await asyncio.to_thread(made)


async def carry(console: "Console", asked: Asked) -> Response:
    """A mask carried over to the neighbours of its frame, on both sides: `{"runs": …}`. Nothing of it is saved."""

    def made() -> Response:
        _open_to_prompts(console, asked)
        one = one_picture(console, asked)
        mask = _labels(asked.json().get("runs"), one) > 0
        if not mask.any():
            raise Refused("nothing_to_carry", 400)
        with console.catalogue.reading() as connection:
            first = max(0, one.frame_index - STEPS)
            near = pictures_between(connection, one.screening_id, one.sequence_id, first, 2 * STEPS + 1)
        row, column = (float(each.mean()) for each in np.nonzero(mask))
        panel, fetch = panel_at(one.panels, column, row), _fetch(console)
        ways = (
            [each for each in near if each.frame_index > one.frame_index],
            [each for each in reversed(near) if each.frame_index < one.frame_index],
        )
        found = _prompting(lambda: [each for way in ways for each in prompts().carried(way, panel, mask, fetch)])
        told = [
            {
                "frame": each.picture.frame_id,
                "index": each.picture.frame_index,
                "sha256": each.picture.image_sha256,
                "runs": _flat(numbered(each.mask)),
                "iou": round(each.predicted_iou, 3),
            }
            for each in sorted(found, key=lambda each: each.picture.frame_index)
        ]
        return JSONResponse({"frame": one.frame_id, "frames": told})

    return await asyncio.to_thread(made)


async def save(console: "Console", asked: Asked) -> Response:
    """Save a mask as a review: `{"drawing": id, "by": code, "sha256": of the frame, "runs": …, "from": …}`.

    from: `machine` where the reader began with the machine's mask, else `nothing`. What is sent twice is one review.
    """

    def made() -> Response:
        told, reader = asked.json(), _reader(asked)
        drawing_id = told.get("drawing")
        if not isinstance(drawing_id, str) or not _DRAWING.fullmatch(drawing_id):
            raise Refused("unreadable", 400)
        if told.get("by") != reader:
            raise Refused("another_reader", 409)
        one = one_picture(console, asked)
        if told.get("sha256") != one.image_sha256:
            raise Refused("picture_changed", 409)
        left = to_draw_now(console, asked)
        read = Read(console.database)
        before = read.find(drawing_id)
        if before is None and left and one.frame_id not in left:
            raise Refused("blind_first", 409)
        machine = labels_of(machine_runs(console.images, one), (one.rows, one.columns))
        labels = _labels(told.get("runs"), one)
        found = _prompting(lambda: measured(labels, machine, pixels_of(console.images, one), one.panels))
        if before is None:
            same = told.get("from") == "machine" and np.array_equal(machine > 0, labels > 0)
            verdict: Verdict = "agreed" if same else "corrected" if told.get("from") == "machine" else "drawn"
            record = _review(console, one, reader, found, "drawn" if left else verdict, bool(left))
            text = record.encode().decode()
            before = read.keep(
                Drawing(drawing_id, reader, one.screening_id, one.frame_id, bool(left), text, sent=False)
            )
        if (before.reader, before.frame_id) != (reader, one.frame_id):
            raise Refused("missing", 404)
        kept = FrameReviewed.decode(before.review.encode())
        store_mask(console.images, kept, found.mask)
        console.send(kept)
        read.sent(drawing_id)
        return JSONResponse({"review": kept.review_id, "left": to_draw_now(console, asked)})

    return await asyncio.to_thread(made)


async def drawn(console: "Console", asked: Asked) -> Response:
    """The reader's own newest mask of each frame of a screening, as runs."""

    def made() -> Response:
        newest: dict[str, FrameReviewed] = {}
        for each in Read(console.database).drawings(asked.person.code, asked.path["screening_id"]):
            newest[each.frame_id] = FrameReviewed.decode(each.review.encode())
        return JSONResponse([{"frame": name, "runs": _own(console, review)} for name, review in newest.items()])

    return await asyncio.to_thread(made)


def _own(console: "Console", review: FrameReviewed) -> list[int]:
    if review.mask_key is None or review.mask_sha256 is None:
        return []
    return _flat(decode_mask(get_named(console.images, Bucket.MASKS, review.mask_key, review.mask_sha256)))


def _review(
    console: "Console", one: StoredPicture, reader: OperatorCode, found: Measured, verdict: Verdict, blind: bool
) -> FrameReviewed:
    now_ms = console.clock()
    return review_of(
        one,
        Drawn(reader, blind, verdict if one.weights_sha256 else "drawn", found.mask, "console", regions=found.regions),
        weights_sha256=one.weights_sha256,
        predicted_dice=one.predicted_dice,
        review_id=mint_id(now_ms),
        at=datetime.fromtimestamp(now_ms / 1000, UTC),
    )


def _reader(asked: Asked) -> OperatorCode:
    """The code under which a review is published. Raises Refused `code_unfit` for an account that has none such."""
    code = code_in_records(asked.person.code)
    if code is None:
        raise Refused("code_unfit", 400)
    return code


def _open_to_prompts(console: "Console", asked: Asked) -> None:
    if to_draw_now(console, asked):
        raise Refused("blind_first", 409)


def _prompting(ask: Callable[[], Made]) -> Made:
    try:
        return ask()
    except KeyError:
        raise Refused("missing", 404) from None
    except UnusablePicture:
        raise Refused("picture_unusable", 400) from None
    except InvalidRecord as error:
        if error.reason != UNUSABLE:
            raise
        raise Refused("picture_unusable", 400) from None
    except ModelError:
        raise Refused("prompts_away", 503) from None


def _fetch(console: "Console") -> Callable[[StoredPicture], Pixels]:
    return lambda picture: pixels_of(console.images, picture)


def _panel(one: StoredPicture, at: object) -> int:
    match at:
        case [int() | float() as column, int() | float() as row]:
            return panel_at(one.panels, column, row)
    return one.panels[0].ordinal if one.panels else 0


def _points(told: object) -> list[Point]:
    if not isinstance(told, list) or not 1 <= len(told) <= MOST_POINTS:
        raise Refused("unreadable", 400)
    found = []
    for each in told:
        match each:
            case [int() | float() as column, int() | float() as row, 0 | 1 as lesion]:
                found.append(Point(float(column), float(row), bool(lesion)))
            case _:
                raise Refused("unreadable", 400)
    return found


def _labels(told: object, one: StoredPicture) -> Labels:
    """Runs that a browser sent, as a mask of the frame. Raises Refused `unreadable` for anything that is none."""
    if not isinstance(told, list) or len(told) % 4 or not all(type(each) is int and 0 <= each < 65536 for each in told):
        raise Refused("unreadable", 400)
    runs: Runs = np.array(told, np.uint16).reshape(-1, 4)
    try:
        return labels_of(runs, (one.rows, one.columns))
    except UnusablePicture:
        raise Refused("unreadable", 400) from None


def _flat(labels: NDArray[np.uint8]) -> list[int]:
    return [int(each) for each in runs_of(labels).ravel()]


_ASKED: Final = "outlines.asked"


def _on_a_frame(name: str, handler: Handler, act: str, *, once: bool) -> Door:
    path = f"/reading/{{screening_id}}/{name}/{{sequence_id}}/{{frame_index}}"
    return door("POST", path, handler, roles=(Role.READER,), audited=act, once=once, longest=LONGEST)


DOORS: Final[tuple[Door, ...]] = (
    _on_a_frame("ready", ready, _ASKED, once=True),
    _on_a_frame("click", click, _ASKED, once=True),
    _on_a_frame("carry", carry, _ASKED, once=True),
    _on_a_frame("review", save, "reading.drawn", once=False),
    door("GET", "/reading/{screening_id}/drawn", drawn, roles=CLINICAL, audited="pictures.seen", once=True),
)
