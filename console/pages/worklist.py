"""The worklist: what waits for a reader, by queues; and who reads what."""

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from starlette.responses import JSONResponse, Response

from sonovan.console.asked import Asked
from sonovan.console.doors import Door, door
from sonovan.console.render import page
from sonovan.console.roles import CLINICAL, Role
from sonovan.console.worklist import (
    FILTERS,
    STATUSES,
    Usual,
    address_of,
    filter_of,
    line_of,
    queue_of,
)
from sonovan.storage.catalogue.queues import QUEUES, Queue, Row
from sonovan.storage.catalogue.worklist import COUNTED_TO, Filter, Place, choices, counts, heard_at, visits_s
from sonovan.storage.catalogue.worklist import page as page_of
from sonovan.storage.console.claims import Claim

if TYPE_CHECKING:
    from sonovan.console.world import Console


CHOICES_S: Final = 60.0
"""How old the sites and vans may be that a filter offers."""
COUNTS_S: Final = 2.0
"""How old the numbers on the queues may be."""
STALE_S: Final = 30.0
"""Older ones are shown where a page would have to wait for newer ones, which it asks for a moment later."""


@dataclass(frozen=True, slots=True)
class _Shown:
    """What a page of the worklist rests on. following: where the next page begins."""

    rows: tuple[Row, ...]
    following: Place | None
    counted: dict[Queue, int]
    sites: list[str]
    vans: list[str]
    usual: Usual


async def worklist(console: "Console", asked: Asked) -> Response:
    """One page of a queue. Query: queue, site, van, organ, day, status, after."""
    queue, chosen = queue_of(asked.query), filter_of(asked)
    after = Place.parse(told) if (told := asked.query.get("after")) else None
    claims = await asyncio.to_thread(console.claims.all)
    mine = [name for name, each in claims.items() if each.account == asked.person.code]
    shown = await asyncio.to_thread(_read, console, queue, chosen, after, mine)
    words, now = console.words[asked.language], console.now
    lines = [line_of(row, claims.get(row.screening_id), words, console.policy, now, shown.usual) for row in shown.rows]
    return page(
        console, asked, "worklist.html", queue=queue, queues=QUEUES, lines=lines, counted=told_counts(shown.counted),
        sites=shown.sites, vans=shown.vans, statuses=STATUSES, chosen={name: asked.query.get(name) for name in FILTERS},
        address=lambda **other: address_of(asked.query, **other), after=after, following=shown.following,
        policy=console.policy, may_take_over=asked.person.may(frozenset({Role.LEAD})),
    )  # fmt: skip


async def counted(console: "Console", asked: Asked) -> Response:
    """How many stand in each queue, for a page that is open."""
    queue_of(asked.query)
    chosen = filter_of(asked)
    claims = await asyncio.to_thread(console.claims.all)
    mine = [name for name, each in claims.items() if each.account == asked.person.code]
    found = await asyncio.to_thread(_counted, console, chosen, mine)
    return JSONResponse(told_counts(found))


async def claim(console: "Console", asked: Asked) -> Response:
    """Claim a screening for who asks, or renew the claim; or learn who holds it."""
    return _told(asked, await asyncio.to_thread(console.claims.take, asked.path["screening_id"], asked.person.code))


async def take_over(console: "Console", asked: Asked) -> Response:
    """Claim a screening that another reader may hold."""
    taken = await asyncio.to_thread(console.claims.take_over, asked.path["screening_id"], asked.person.code)
    return _told(asked, taken)


async def renew(console: "Console", asked: Asked) -> Response:
    """Have a claim hold for another lease, while its page is open."""
    held = await asyncio.to_thread(console.claims.holds, asked.path["screening_id"], asked.person.code)
    renewed = held is not None and await asyncio.to_thread(console.claims.renew, held)
    return JSONResponse({"held": renewed})


async def give_back(console: "Console", asked: Asked) -> Response:
    """End one's claim without having signed."""
    ended = await asyncio.to_thread(console.claims.end, asked.path["screening_id"], asked.person.code)
    return JSONResponse({"ended": ended})


def told_counts(found: dict[Queue, int]) -> dict[str, str]:
    """Queue → how many stand in it, as it is shown: `1000+` for more than are counted."""
    return {queue: str(count) if count <= COUNTED_TO else f"{COUNTED_TO}+" for queue, count in found.items()}


def usual_of(console: "Console", vans: set[str]) -> Usual:
    """What is known of these vans."""
    with console.catalogue.reading() as connection:
        return Usual(visits_s(connection, vans), heard_at(connection, vans))


def _read(console: "Console", queue: Queue, chosen: Filter, after: Place | None, mine: list[str]) -> _Shown:
    policy, now = console.policy, console.now
    with console.catalogue.reading() as connection:
        found = page_of(connection, queue, chosen, policy, now, after=after, mine=mine)
        couch_since = now - policy.couch_at_most
        waits_there = {
            row.van_id for row in found.rows
            if row.van_id and row.closed_at is None and row.opened_at and row.opened_at > couch_since
        }  # fmt: skip
        usual = Usual(visits_s(connection, waits_there), heard_at(connection, waits_there))
    sites, vans = console.remembered.get(
        ("choices", chosen.sites), CHOICES_S, lambda: _choices(console, chosen.sites), stale=10 * CHOICES_S
    )
    return _Shown(found.rows, found.behind, _counted(console, chosen, mine), sites, vans, usual)


def _choices(console: "Console", sites: frozenset[str] | None) -> tuple[list[str], list[str]]:
    with console.catalogue.reading() as connection:
        return choices(connection, sites)


def _counted(console: "Console", chosen: Filter, mine: list[str]) -> dict[Queue, int]:
    """What stands in each queue, as of a moment ago; what the reader has claimed, as of now."""
    policy, now = console.policy, console.now

    def count() -> dict[Queue, int]:
        with console.catalogue.reading() as connection:
            return counts(connection, chosen, policy, now)

    own = 0
    if mine:
        with console.catalogue.reading() as connection:
            own = len(page_of(connection, "mine", chosen, policy, now, mine=mine, limit=COUNTED_TO).rows)
    return {**console.remembered.get(("counts", chosen), COUNTS_S, count, stale=STALE_S), "mine": own}


def _told(asked: Asked, found: Claim) -> Response:
    held = found.account == asked.person.code
    return JSONResponse({"held": held, "by": found.account, "claim": found.claim_id if held else None})


_OF_HER: Final = "/worklist/{screening_id}"
_LEAD: Final = frozenset({Role.LEAD})

DOORS: Final[tuple[Door, ...]] = (
    door("GET", "/worklist", worklist, roles=CLINICAL, audited="worklist.seen", once=True, shown="worklist", key="w"),
    door("GET", "/worklist/counts", counted, roles=CLINICAL, background=True),
    door("POST", f"{_OF_HER}/claim", claim, roles=CLINICAL, audited="screening.claimed", once=True),
    door("POST", f"{_OF_HER}/renew", renew, roles=CLINICAL, audited="claim.renewed", once=True, background=True),
    door("POST", f"{_OF_HER}/give-back", give_back, roles=CLINICAL, audited="screening.given_back"),
    door("POST", f"{_OF_HER}/take-over", take_over, roles=_LEAD, audited="screening.taken_over"),
)
