"""What changes in the worklist, for every page that shows it: one reader of the catalogue, however many listen.

It looks while somebody listens, some times a second: rows of the worklist that were made since, and who has claimed
what. A transaction is seen when it commits, which may be behind one that made its rows later; so the last seconds are
read again each time, and only what differs from what is known is told (docs/decisions/0109).
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

from sonovan.contracts.errors import SonovanError
from sonovan.storage.catalogue.queues import Row
from sonovan.storage.catalogue.reading import Catalogue
from sonovan.storage.catalogue.worklist import LATE_MS, changed_since, newest_change, rows_of
from sonovan.storage.console.claims import Claim, Claims

LOOK_S: Final = 0.25
WAITING: Final = 64
"""So many pieces of news wait for one page; one that takes none is told to begin anew."""
_KNOWN: Final = 5000
"""Rows that are remembered, so that what was told is not told again."""


@dataclass(frozen=True)
class News:
    """What changed between two looks. rows: as they are now. claims: screening → who holds it, None where nobody
    does any more. shown: the rows as HTML by language, drawn once for all pages."""

    rows: tuple[Row, ...]
    claims: Mapping[str, Claim | None]
    shown: dict[str, asyncio.Task[dict[str, str]]] = field(default_factory=dict, compare=False)


class Listener:
    """One page's share. Its queue holds None where news were lost: the page begins anew."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[News | None] = asyncio.Queue(WAITING)

    def tell(self, news: News) -> None:
        """Put news; a page that is behind loses what it has not taken."""
        try:
            self.queue.put_nowait(news)
        except asyncio.QueueFull:
            while not self.queue.empty():
                self.queue.get_nowait()
            self.queue.put_nowait(None)


@dataclass
class _Seen:
    """What one run of looks knows. Another run begins with another one: a look of the run before may still be under way
    in its thread."""

    newest: int | None = None
    known: dict[str, Row] = field(default_factory=dict)
    held: dict[str, Claim] | None = None

    def remember(self, rows: Mapping[str, Row]) -> None:
        """Note rows as they were told, the oldest of too many forgotten."""
        for name, row in rows.items():
            self.known.pop(name, None)
            self.known[name] = row
        while len(self.known) > _KNOWN:
            del self.known[next(iter(self.known))]


class Feed:
    """Looks for one console. Everything but the queries runs in the loop of the console."""

    def __init__(self, catalogue: Catalogue, claims: Claims, tell: Callable[[str], None]) -> None:
        """tell: takes a line for the log where the catalogue cannot be read; news come when it can be again."""
        self._catalogue, self._claims, self._tell = catalogue, claims, tell
        self._listeners: set[Listener] = set()
        self._task: asyncio.Task[None] | None = None
        self._seen = _Seen()

    @property
    def listeners(self) -> int:
        """How many pages listen."""
        return len(self._listeners)

    @property
    def held(self) -> Mapping[str, Claim]:
        """Screening → who holds it, as of the last look."""
        return self._seen.held or {}

    @property
    def looked(self) -> bool:
        """Whether it has looked since somebody listens: what changes from then on is told."""
        return self._seen.newest is not None

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[Listener]:
        """A listener until the block ends. What changes after the block began comes to it."""
        mine = Listener()
        self._listeners.add(mine)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._watch())
        try:
            yield mine
        finally:
            self._listeners.discard(mine)
            if not self._listeners and self._task is not None:
                # Taken out first: who comes while it ends begins another one.
                task, self._task = self._task, None
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

    async def _watch(self) -> None:
        seen = self._seen = _Seen()
        away = False
        while True:
            try:
                news = await asyncio.to_thread(self._look, seen)
                away = False
            except SonovanError as error:
                if not away:
                    self._tell(f"the worklist is not live: {error}")
                news, away = None, True
            if news is not None:
                for each in tuple(self._listeners):
                    each.tell(news)
            await asyncio.sleep(LOOK_S)

    def _look(self, seen: _Seen) -> News | None:
        """What changed since the last look; None where nothing did. The first look tells nothing."""
        held = self._claims.all()
        before, seen.held = seen.held, held
        with self._catalogue.reading() as connection:
            if seen.newest is None:
                seen.newest = newest_change(connection)
                rows, _ = changed_since(connection, seen.newest - LATE_MS)
                seen.known = {row.screening_id: row for row in rows}
                return None
            rows, newest = changed_since(connection, seen.newest - LATE_MS)
            seen.newest = max(seen.newest, newest)
            fresh = {row.screening_id: row for row in rows if seen.known.get(row.screening_id) != row}
            claims = _differing(before or {}, held)
            fresh |= rows_of(connection, claims.keys() - fresh.keys())
        seen.remember(fresh)
        return News(tuple(fresh.values()), claims) if fresh or claims else None


def _differing(before: Mapping[str, Claim], now: Mapping[str, Claim]) -> dict[str, Claim | None]:
    """Screenings whose holder is another one than before."""
    found: dict[str, Claim | None] = dict.fromkeys(before.keys() - now.keys())
    for name, claim in now.items():
        if name not in before or before[name].claim_id != claim.claim_id:
            found[name] = claim
    return found
