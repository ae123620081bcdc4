"""While she is scanned: the checklist, frames as they arrive, how good the latest are; then her light, and the end."""

import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sonovan.contracts.amendments import Mark
from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.ids import split_frame_id
from sonovan.contracts.topics import Topic
from sonovan.contracts.van import EXCUSES
from sonovan.models.overlay import outlined_frame
from sonovan.producers.gateway.register import Expected
from sonovan.producers.gateway.standing import frames_by_side, here_now, woman_state
from sonovan.producers.gateway.watching import Judged
from sonovan.producers.lights import region_key, she_may_leave
from sonovan.producers.mark import may_mark, spool_mark
from sonovan.producers.page.asked import Answer, Asked, Refused, go
from sonovan.producers.page.earlier_pages import shown
from sonovan.producers.page.operator_pages import missing, require
from sonovan.producers.page.planned import planned_of
from sonovan.producers.page.render import Speaks, rendered

if TYPE_CHECKING:
    from sonovan.producers.page.page import Page

_KEYS = "123456789"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the checklist. key: what ticks it, empty beyond the ninth."""

    name: str
    place: str
    key: str
    ticked: bool
    excused: str | None


def choose(page: "Page", asked: Asked) -> Answer:
    """Who is being scanned: the latest into whose screening something came; else a list to choose from."""
    here = here_now(page.desk, page.spool, page.clock())
    words = page.words[asked.language]
    latest = max(here, key=lambda each: page.watch.glance(each.screening_id).last_at or 0.0, default=None)
    if latest is not None and page.watch.glance(latest.screening_id).last_at is not None:
        return go(f"/live/{latest.screening_id}")
    return rendered("choose.html", words, asked, entries=here)


def live(page: "Page", asked: Asked) -> Answer:
    """One woman's scan."""
    entry = _entry(page, asked)
    words, checklist = page.words[asked.language], page.desk.checklists.of(entry.screening_id)
    return rendered(
        "live.html", words, asked, entry=entry, rows=_rows(page, entry, words), excuses=EXCUSES,
        state=state_of(page, entry.screening_id, words), others=here_now(page.desk, page.spool, page.clock()),
        captures=() if page.recorder is None else page.recorder.names,
        marks=[_mark_told(each, words) for each in reversed(checklist.marks)],
        left_at=None if checklist.left_at is None else _hour_and_minute(checklist.left_at),
        operator_missing=missing(page, asked), earlier=shown(page, entry, words),
    )  # fmt: skip


def tick(page: "Page", asked: Asked) -> Answer:
    """Tick a region off, take that back, or excuse it with a reason."""
    entry = _entry(page, asked)
    region = planned_of(entry, asked.form.get("region"))
    because = asked.form.get("because")
    if because:
        try:
            page.desk.checklists.excuse(entry.screening_id, region, because)
        except InvalidRecord:
            raise Refused("reason_missing") from None
    else:
        page.desk.checklists.tick(entry.screening_id, region, asked.form.get("done") == "yes")
    page.spool.reopen(entry.screening_id)
    return go(f"/live/{entry.screening_id}")


def mark(page: "Page", asked: Asked) -> Answer:
    """She who scans saw something: mark the newest frame of the screening, with the place if it was chosen."""
    entry = _entry(page, asked)
    place = planned_of(entry, asked.form.get("region")) if asked.form.get("region") else None
    if not may_mark(page.spool, entry.screening_id):
        raise Refused("marks_full")
    made = spool_mark(page.spool, page.signer, entry.screening_id, entry.visit, place, by=asked.operator)
    page.desk.checklists.mark(entry.screening_id, made)
    return go(f"/live/{entry.screening_id}")


def close(page: "Page", asked: Asked) -> Answer:
    """Close her screening with what was ticked off and excused; she stays until somebody says that she left. What
    comes later goes in, and it is closed again.
    """
    require(page, asked)
    entry = _entry(page, asked)
    _refuse_before_anything_came(page, entry)
    _close(page, entry)
    return go("/lights")


def left(page: "Page", asked: Asked) -> Answer:
    """She has left the couch, or with `back` she is on it again: her screening is closed, and says so."""
    require(page, asked)
    entry = _entry(page, asked)
    _refuse_before_anything_came(page, entry)
    page.desk.checklists.leave(entry.screening_id, None if asked.form.get("back") == "yes" else datetime.now(UTC))
    page.spool.reopen(entry.screening_id)
    _close(page, entry)
    return go("/lights")


def _close(page: "Page", entry: Expected) -> None:
    checklist = page.desk.checklists.of(entry.screening_id)
    covered, excused = checklist.of_plan(entry.visit.planned or ())
    screening = page.spool.resume_screening(entry.screening_id, page.signer)
    screening.close(covered, excused, stays=checklist.left_at is None, left_at=checklist.left_at)
    page.spool.set_staying(entry.screening_id, checklist.left_at is None)


def _refuse_before_anything_came(page: "Page", entry: Expected) -> None:
    if page.spool.newest(entry.screening_id, Topic.SCREENING_CLOSED) is None:
        raise Refused("nothing_came")


def state_of(page: "Page", screening_id: str, words: Speaks) -> dict[str, Any]:
    """What changes while she is scanned, as the script of the page shows it; texts are in the page's language."""
    entry = page.desk.register.of_screening(screening_id)
    if entry is None:
        raise Refused("unknown")
    spooled = next((each for each in page.spool.screenings() if each.screening_id == screening_id), None)
    glance = page.watch.glance(screening_id)
    sides = frames_by_side(page.spool, screening_id)
    light = she_may_leave(woman_state(page.vault.folder, page.desk, page.spool, entry))
    return {
        "version": glance.version,
        "frames": spooled.frames if spooled else 0,
        "lost": glance.lost,
        "frozen": words.van("live_frozen") if glance.frozen else None,
        "elapsed_s": max(0, round(time.time() - spooled.started_at)) if spooled else 0,
        "sides": [
            {"place": words.place(organ, side), "frames": count}
            for (organ, side), count in sorted(sides.items(), key=str)
        ],
        "latest": [_told(each, words) for each in reversed(glance.latest)],
        "preview": _previewed(page, screening_id, words),
        "silenced": screening_id in page.spool.silenced,
        "recording": _recording(page, screening_id),
        "green": light.green,
        "sentence": words.van("she_may_leave" if light.green else "she_stays", slip=entry.slip),
        "reasons": [words.lamp(each) for each in (*light.reasons, *light.notes)],
    }


def preview(page: "Page", asked: Asked) -> Answer:
    """The frame that was outlined last, if it is still the one with this number."""
    look = page.watch.preview.of(asked.params["screening"]).outlined
    if look is None or asked.params["number"] != str(look.number):
        raise Refused("unknown")
    words = page.words[asked.language]
    title = words.van("live_preview_title", place=words.place(look.organ, look.side), frame=look.frame_index + 1)
    picture = outlined_frame(
        look.pixels, look.polygons, labels=[""] * len(look.polygons), title=title, box=look.box,
        spacing_mm=look.spacing_mm,
    )  # fmt: skip
    return Answer(picture, "image/png")


def _previewed(page: "Page", screening_id: str, words: Speaks) -> dict[str, Any]:
    """What the preview says: where to look again, and never that there is nothing."""
    found = page.watch.preview.of(screening_id)
    look = found.outlined
    again = look and words.van(
        "live_preview_again", place=words.place(look.organ, look.side), frame=look.frame_index + 1
    )
    return {
        "again": again,
        "picture": look and f"/live/{screening_id}/preview/{look.number}",
        "ended": words.van("live_preview_ended") if found.ended_on_it else None,
        "plane": words.van("live_preview_plane") if found.one_plane else None,
        "hint": words.van(f"live_preview_{found.state}"),
    }


def _recording(page: "Page", screening_id: str) -> str:
    """`here`, `elsewhere`, `broke_off` (her newest sweep ended by itself) or `no`."""
    into, broke_off = (None, None) if page.recorder is None else (page.recorder.screening_id, page.recorder.broke_off)
    if into is not None:
        return "here" if into == screening_id else "elsewhere"
    return "broke_off" if broke_off == screening_id else "no"


def event(page: "Page", screening_id: str, language: str) -> bytes:
    """The state as one server-sent event."""
    state = json.dumps(state_of(page, screening_id, page.words[language]), ensure_ascii=False)
    return f"data: {state}\n\n".encode()


def _told(judged: Judged, words: Speaks) -> dict[str, Any]:
    quality = judged.quality
    return {
        "frame": judged.frame_index + 1,
        "place": words.place(judged.organ, judged.side),
        "score": round(100 * quality.score),
        "contact": quality.contact,
        "gain": words.van(f"gain_{quality.gain}"),
        "gain_good": quality.gain == "good",
        "blurred": judged.blurred,
        "shadow": quality.shadow,
    }


def _mark_told(made: Mark, words: Speaks) -> str:
    """A mark in one line: frame and sweep, place, time of the day by the van's clock."""
    place = (
        words.text("place_not_known") if made.organ is None else words.place(made.organ, made.laterality, made.region)
    )
    at = _hour_and_minute(made.marked_at)
    if made.frame_id is None or made.sweep is None:
        return words.van("live_mark_without_frame", place=place, time=at)
    frame = split_frame_id(made.frame_id)[1] + 1
    return words.van("live_mark_line", frame=frame, sweep=made.sweep, place=place, time=at)


def _hour_and_minute(moment: datetime) -> str:
    return moment.astimezone().strftime("%H:%M")


def _rows(page: "Page", entry: Expected, words: Speaks) -> list[Row]:
    checklist = page.desk.checklists.of(entry.screening_id)
    return [
        Row(
            region_key(each), words.place(each.organ, each.side, each.region), _KEYS[number : number + 1],
            each in checklist.ticked, checklist.excuse_of(each),
        )
        for number, each in enumerate(entry.visit.planned or ())
    ]  # fmt: skip


def _entry(page: "Page", asked: Asked) -> Expected:
    entry = page.desk.register.of_screening(asked.params["screening"])
    if entry is None:
        raise Refused("unknown")
    return entry
