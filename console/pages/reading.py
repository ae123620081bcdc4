"""Reading one screening: the page, its pictures as a browser plays them, and what readers looked at.

What the machine outlined has doors of its own, which stay shut while a frame is to be drawn blind.
"""

import asyncio
import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import JSONResponse, Response, StreamingResponse

from sonovan.console import chunks
from sonovan.console.asked import Asked, Refused
from sonovan.console.blind import frames_to_draw, is_sampled, still_to_draw
from sonovan.console.doors import Door, door
from sonovan.console.pictures import machine_runs, pixels_of
from sonovan.console.reading_data import page_data, sweep_data
from sonovan.console.recent import Recent
from sonovan.console.render import page
from sonovan.console.roles import CLINICAL, Person, Role
from sonovan.console.signing_view import NOTHING_TOLD, Told, signing_view
from sonovan.contracts.clinical_record import ClinicalRecord
from sonovan.models.despeckle import despeckled
from sonovan.models.picture.screens import for_the_link, shown, without_loss
from sonovan.reports.maps import lump_maps
from sonovan.reports.recorded import answers, not_asked
from sonovan.storage.catalogue.cine import (
    MOST_AT_ONCE,
    Cine,
    StoredPicture,
    Track,
    cine_of,
    marks_of,
    pictures_between,
    sides_of,
    tracks_of,
)
from sonovan.storage.console.read import Read, joined, seen_of

if TYPE_CHECKING:
    from sonovan.console.world import Console

MOST_SWEEPS: Final = 256
_RECENT: Final = Recent(128 * 2**20)
"""Of frames that were played last: some two thousand."""
_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NUMBER: Final = re.compile(r"\d{1,6}")


async def reading(console: "Console", asked: Asked) -> Response:
    """The page: what she said, her sweeps, and where the reader signs."""
    return await asyncio.to_thread(reading_page, console, asked)


def reading_page(console: "Console", asked: Asked, told: Told = NOTHING_TOLD, status: int = 200) -> Response:
    """The page. told: what is said about an attempt to sign; the fields of `asked.form` stay chosen."""
    words = console.words[asked.language]
    with console.catalogue.reading() as connection:
        cine = cine_of(connection, asked.path["screening_id"])
        tracks, marks = tracks_of(connection, cine.screening_id), marks_of(connection, cine.screening_id)
        sides = sides_of(connection, cine.screening_id)
    blind = to_draw(console, asked.person, cine, tracks)
    record = None if cine.clinical is None else ClinicalRecord.model_validate_json(json.dumps(cine.clinical))
    return page(
        console,
        asked,
        "reading.html",
        status,
        signing=signing_view(console, asked, cine, told, blind=bool(blind)),
        cine=cine,
        record=record,
        told=[] if record is None else answers(record, words),
        not_asked="" if record is None else not_asked(record, words),
        maps=[] if record is None else lump_maps(record, words),
        sides=sides,
        data=page_data(cine, words, marks, blind),
        phrases=words.script("reading_js_"),
        may_draw=Role.READER in asked.person.roles,
    )


async def earlier(console: "Console", asked: Asked) -> Response:
    """The sweeps of the earlier screening with which this one is compared, for the page's other side; an empty list
    where there is none."""

    def found() -> dict[str, Any]:
        with console.catalogue.reading() as connection:
            now = cine_of(connection, asked.path["screening_id"])
            before = now.earlier_screening_id
            if before is None:
                return {"screening": None, "sweeps": []}
            then = cine_of(connection, before)
        if not asked.person.sees(then.site_code):
            return {"screening": None, "sweeps": []}
        words = console.words[asked.language]
        sweeps = [sweep_data(sweep, words) for sweep in then.sweeps]
        return {"screening": before, "base": f"/reading/{before}", "sweeps": sweeps}

    return JSONResponse(await asyncio.to_thread(found))


async def pictures(console: "Console", asked: Asked) -> Response:
    """Frames of a sweep, coded for the link, one part each; `?first=` and `&count=` choose them by index."""

    def make(picture: StoredPicture) -> chunks.Made:
        name = f"{picture.frame_id} {picture.image_sha256}"
        coded = _RECENT.get(name, lambda: for_the_link(shown(pixels_of(console.images, picture))))
        return {"kind": coded.kind, "quality": coded.quality}, coded.data

    return await _many(console, asked, make)


async def outlines(console: "Console", asked: Asked) -> Response:
    """What the machine outlined on frames of a sweep, as runs, one part each."""
    await asyncio.to_thread(check_not_blind, console, asked)

    def make(picture: StoredPicture) -> chunks.Made:
        return {"kind": "runs"}, machine_runs(console.images, picture).astype("<u2").tobytes()

    return await _many(console, asked, make)


async def machine(console: "Console", asked: Asked) -> Response:
    """Where the newest revision saw lesions: tracks over the sweeps with their key frames."""
    await asyncio.to_thread(check_not_blind, console, asked)
    words = console.words[asked.language]

    def found() -> list[Track]:
        with console.catalogue.reading() as connection:
            cine_of(connection, asked.path["screening_id"])
            return tracks_of(connection, asked.path["screening_id"])

    return JSONResponse(
        [
            {
                "sweep": each.sequence_id,
                "ordinal": each.ordinal,
                "first": each.first_frame,
                "last": each.last_frame,
                "key": each.key_frame,
                "place": words.place(each.organ, each.laterality),
                "unconfirmed": each.unconfirmed,
                "unreliable": each.outline_unreliable,
            }
            for each in await asyncio.to_thread(found)
        ]
    )


async def picture(console: "Console", asked: Asked) -> Response:
    """One frame without loss, to measure and draw on; `?despeckled=1` with less speckle, to look at alone."""
    smooth = asked.query.get("despeckled") == "1"

    def made() -> Response:
        one = one_picture(console, asked)
        try:
            pixels = pixels_of(console.images, one)
        except KeyError:
            raise Refused("missing", 404) from None
        coded = without_loss(despeckled(pixels) if smooth else shown(pixels))
        headers = {"X-Frame-Id": one.frame_id, "X-Image-Sha256": one.image_sha256, "X-Frame-Bits": str(one.bits)}
        return Response(coded.data, media_type=coded.kind, headers=headers)

    return await asyncio.to_thread(made)


async def looked(console: "Console", asked: Asked) -> Response:
    """Note which frames were shown: `{"seen": {sweep: [[first, last], …]}}`, by index; the share of each sweep."""
    told = asked.json().get("seen")
    if not isinstance(told, dict) or len(told) > MOST_SWEEPS:
        raise Refused("unreadable", 400)
    seen = {_sweep(name): [_range(each) for each in _list(ranges)] for name, ranges in told.items()}

    def note() -> dict[str, float]:
        with console.catalogue.reading() as connection:
            cine = cine_of(connection, asked.path["screening_id"])
        own = {sweep.sequence_id for sweep in cine.sweeps}
        if not seen.keys() <= own:
            raise Refused("missing", 404)
        Read(console.database).look(asked.person.code, cine.screening_id, seen, console.clock())
        return shares_looked_at(console, asked.person.code, cine)

    return JSONResponse(await asyncio.to_thread(note))


def shares_looked_at(console: "Console", reader: str, cine: Cine) -> dict[str, float]:
    """By sweep, which share of its frames a reader was shown; 0 for one that was not opened."""
    known = Read(console.database).looked(reader, cine.screening_id)
    shares: dict[str, float] = {}
    for sweep in cine.sweeps:
        ranges = joined(known.get(sweep.sequence_id, []))
        seen = seen_of([frame.frame_index for frame in sweep.frames], ranges)
        shares[sweep.sequence_id] = seen / len(sweep.frames)
    return shares


def to_draw(console: "Console", person: Person, cine: Cine, tracks: list[Track]) -> tuple[str, ...]:
    """The frames that a person must draw before outlines are sent; none for who is no reader."""
    if not _is_asked_to_draw(console, person, cine.screening_id):
        return ()
    drawings = Read(console.database).drawings(person.code, cine.screening_id)
    return still_to_draw(frames_to_draw(cine, tracks), {each.frame_id for each in drawings if each.blind})


def to_draw_now(console: "Console", asked: Asked) -> tuple[str, ...]:
    """As `to_draw`, for a request about one screening. Raises as `cine_of`."""
    return _to_draw_of(console, asked.person, asked.path["screening_id"])


def draws_first(console: "Console", person: Person, screening_id: str) -> bool:
    """Whether a person has yet to draw frames of a screening before anything that the machine outlined there is sent.
    Raises as `cine_of`, for a screening that is drawn blind."""
    return _is_asked_to_draw(console, person, screening_id) and bool(_to_draw_of(console, person, screening_id))


def check_not_blind(console: "Console", asked: Asked) -> None:
    """Raise Refused `blind_first` where whoever asks about a screening has yet to draw frames of it; as `cine_of`."""
    if to_draw_now(console, asked):
        raise Refused("blind_first", 409)


def _to_draw_of(console: "Console", person: Person, screening_id: str) -> tuple[str, ...]:
    with console.catalogue.reading() as connection:
        cine = cine_of(connection, screening_id)
        return to_draw(console, person, cine, tracks_of(connection, screening_id))


def _is_asked_to_draw(console: "Console", person: Person, screening_id: str) -> bool:
    return Role.READER in person.roles and is_sampled(screening_id, console.settings.blind_share)


def one_picture(console: "Console", asked: Asked) -> StoredPicture:
    """The frame that an address names. Raises Refused `missing` where the catalogue has none."""
    index = asked.path["frame_index"]
    if not _NUMBER.fullmatch(index):
        raise Refused("missing", 404)
    with console.catalogue.reading() as connection:
        found = pictures_between(
            connection, asked.path["screening_id"], _sweep(asked.path["sequence_id"]), int(index), 1
        )
    if not found:
        raise Refused("missing", 404)
    return found[0]


async def _many(console: "Console", asked: Asked, make: Callable[[StoredPicture], chunks.Made]) -> Response:
    first, count = _number(asked, "first", 0), _number(asked, "count", 1)

    def listed() -> list[StoredPicture]:
        with console.catalogue.reading() as connection:
            sweep = _sweep(asked.path["sequence_id"])
            return pictures_between(connection, asked.path["screening_id"], sweep, first, min(count, MOST_AT_ONCE))

    found = await asyncio.to_thread(listed)
    return StreamingResponse(chunks.streamed(found, make), media_type=chunks.CHUNKS)


def _sweep(name: object) -> str:
    if not isinstance(name, str) or not _ID.fullmatch(name):
        raise Refused("missing", 404)
    return name


def _number(asked: Asked, name: str, otherwise: int) -> int:
    value = asked.query.get(name, str(otherwise))
    if not _NUMBER.fullmatch(value):
        raise Refused("unreadable", 400)
    return int(value)


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise Refused("unreadable", 400)
    return value


def _range(value: object) -> tuple[int, int]:
    match value:
        case [int(first), int(last)] if 0 <= first <= last <= 999_999:
            return first, last
    raise Refused("unreadable", 400)


_OF_HER: Final = "/reading/{screening_id}"
_SEEN: Final = "pictures.seen"

DOORS: Final[tuple[Door, ...]] = (
    door("GET", _OF_HER, reading, roles=CLINICAL, audited="reading.opened"),
    door("GET", f"{_OF_HER}/earlier", earlier, roles=CLINICAL, audited="earlier.seen", once=True),
    door("GET", f"{_OF_HER}/pictures/{{sequence_id}}", pictures, roles=CLINICAL, audited=_SEEN, once=True),
    door("GET", f"{_OF_HER}/outlines/{{sequence_id}}", outlines, roles=CLINICAL, audited="outlines.seen", once=True),
    door("GET", f"{_OF_HER}/machine", machine, roles=CLINICAL, audited="outlines.seen", once=True),
    door(
        "GET", f"{_OF_HER}/picture/{{sequence_id}}/{{frame_index}}", picture, roles=CLINICAL, audited=_SEEN, once=True
    ),
    door("POST", f"{_OF_HER}/looked", looked, roles=CLINICAL, audited="frames.looked_at", once=True),
)
