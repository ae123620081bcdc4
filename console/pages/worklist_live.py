"""What changes in the worklist, as server-sent events: rows as they are now, for whoever may see them.

A row that is on the page is marked in its place; one that is not, and stands in the queue, is announced. So nothing
moves under the cursor.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Final

from starlette.responses import Response, StreamingResponse

from sonovan.console.asked import Asked
from sonovan.console.doors import Door, door
from sonovan.console.feed import News
from sonovan.console.pages.worklist import usual_of
from sonovan.console.render import fragment
from sonovan.console.roles import CLINICAL
from sonovan.console.worklist import filter_of, line_of, queue_of
from sonovan.contracts.errors import SonovanError
from sonovan.storage.catalogue.queues import Queue, Row, queues_of
from sonovan.storage.catalogue.worklist import Filter

if TYPE_CHECKING:
    from sonovan.console.world import Console

BEAT_S: Final = 5.0
"""So often at least something is sent: a page that hears nothing says that it may be old."""
LOOK_S: Final = 15.0
"""So often it is looked whether the session still holds."""


async def events(console: "Console", asked: Asked) -> Response:
    """The stream of one page. Query: as of the worklist."""
    queue, chosen = queue_of(asked.query), filter_of(asked)
    stream = _stream(console, asked, queue, chosen)
    return StreamingResponse(stream, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


async def _stream(console: "Console", asked: Asked, queue: Queue, chosen: Filter) -> AsyncIterator[bytes]:
    clock = asyncio.get_running_loop().time
    async with console.feed.listening() as mine:
        looked_at = clock()
        yield b"event: beat\ndata: {}\n\n"
        while True:
            try:
                news = await asyncio.wait_for(mine.queue.get(), BEAT_S)
            except TimeoutError:
                yield b"event: beat\ndata: {}\n\n"
            else:
                yield await _event(console, asked, queue, chosen, news)
            if clock() - looked_at > LOOK_S:
                looked_at = clock()
                if not await asked.still():
                    yield b"event: ended\ndata: {}\n\n"
                    return


async def _event(console: "Console", asked: Asked, queue: Queue, chosen: Filter, news: News | None) -> bytes:
    """News as one event; where some were lost, or the catalogue is away, the page is told to begin anew."""
    try:
        told = None if news is None else await _told(console, asked, queue, chosen, news)
    except SonovanError:
        told = None
    if told is None:
        return b"event: again\ndata: {}\n\n"
    if not told:
        return b"event: beat\ndata: {}\n\n"
    return f"event: rows\ndata: {json.dumps(told, ensure_ascii=False)}\n\n".encode()


async def _told(console: "Console", asked: Asked, queue: Queue, chosen: Filter, news: News) -> list[dict[str, object]]:
    """Each row that this page may show, and whether it stands in the page's queue."""
    seen = [row for row in news.rows if chosen.sites is None or row.site_code in chosen.sites]
    if not seen:
        return []
    shown = await drawn(console, asked.language, news)
    return [
        {"id": row.screening_id, "html": shown[row.screening_id], "stands": _stands(console, asked, queue, chosen, row)}
        for row in seen
    ]


def _stands(console: "Console", asked: Asked, queue: Queue, chosen: Filter, row: Row) -> bool:
    if not chosen.takes(row):
        return False
    if queue == "mine":
        claim = console.feed.held.get(row.screening_id)
        return claim is not None and claim.account == asked.person.code
    return queue in queues_of(row, console.policy, console.now)


async def drawn(console: "Console", language: str, news: News) -> dict[str, str]:
    """The rows of some news as HTML, by screening: drawn once for all pages of a language."""
    task = news.shown.get(language)
    if task is None:
        task = news.shown[language] = asyncio.create_task(_draw(console, language, news))
    return await asyncio.shield(task)


async def _draw(console: "Console", language: str, news: News) -> dict[str, str]:
    policy, now, words = console.policy, console.now, console.words[language]
    vans = {row.van_id for row in news.rows if row.van_id and "couch" in queues_of(row, policy, now)}
    usual = await asyncio.to_thread(usual_of, console, vans)
    held = console.feed.held
    return {
        row.screening_id: fragment(
            console,
            language,
            "worklist_row.html",
            line=line_of(row, held.get(row.screening_id), words, policy, now, usual),
        )
        for row in news.rows
    }


DOORS: Final[tuple[Door, ...]] = (door("GET", "/worklist/events", events, roles=CLINICAL, background=True),)
