"""While she is scanned: the checklist, frames as they arrive, how good the latest are; then her light, and the end."""

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.topics import Topic
from sonovan.contracts.van import PlannedRegion
from sonovan.producers.gateway.checklists import EXCUSES
from sonovan.producers.gateway.register import Expected
from sonovan.producers.gateway.standing import frames_by_side, here_now, woman_state
from sonovan.producers.gateway.watching import Judged
from sonovan.producers.lights import region_key, she_may_leave
from sonovan.producers.page.asked import Answer, Asked, Refused, go
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
    words = page.words[asked.language]
    return rendered(
        "live.html", words, asked, entry=entry, rows=_rows(page, entry, words), excuses=EXCUSES,
        state=state_of(page, entry.screening_id, words), others=here_now(page.desk, page.spool, page.clock()),
    )  # fmt: skip


def tick(page: "Page", asked: Asked) -> Answer:
    """Tick a region off, take that back, or excuse it with a reason."""
    entry = _entry(page, asked)
    region = _region(entry, asked)
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


def close(page: "Page", asked: Asked) -> Answer:
    """Close her screening with what was ticked off. What comes later goes in all the same, and it is closed again."""
    entry = _entry(page, asked)
    if page.spool.newest(entry.screening_id, Topic.SCREENING_CLOSED) is None:
        raise Refused("nothing_came")
    ticked = page.desk.checklists.of(entry.screening_id).ticked
    planned = entry.visit.planned or ()
    covered = tuple(each for each in planned if each in ticked)
    page.spool.resume_screening(entry.screening_id, page.signer).close(covered)
    return go("/lights")


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
        "elapsed_s": max(0, round(time.time() - spooled.started_at)) if spooled else 0,
        "sides": [
            {"place": words.place(organ, side), "frames": count}
            for (organ, side), count in sorted(sides.items(), key=str)
        ],
        "latest": [_told(each, words) for each in reversed(glance.latest)],
        "green": light.green,
        "sentence": words.van("she_may_leave" if light.green else "she_stays", slip=entry.slip),
        "reasons": [words.lamp(each) for each in (*light.reasons, *light.notes)],
    }


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


def _region(entry: Expected, asked: Asked) -> PlannedRegion:
    name = asked.form.get("region")
    found = next((each for each in entry.visit.planned or () if region_key(each) == name), None)
    if found is None:
        raise Refused("unknown")
    return found
