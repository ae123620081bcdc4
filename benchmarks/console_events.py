"""How long it takes until a change of the worklist is at each of 200 open pages: from the commit to the event.

200 streams of server-sent events are held open by another process than the console's. A row is changed some times a
second; every stream must be told of every change.
"""

import asyncio
import json
import statistics
import time
from typing import Any, Final

import aiohttp
from sqlalchemy import create_engine, text

from benchmarks.console_running import Served, running_console

SCREENINGS: Final = 5_000
CLIENTS: Final = 200
READERS: Final = 20
CHANGES: Final = 60
PER_S: Final = 3.0

_CHANGE: Final = """
UPDATE listed SET frames = frames + 1, changed_ms = CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)
WHERE screening_id = :id
"""


def measure() -> dict[str, Any]:
    """The figures: sse_clients, and the delays of what they were told."""
    with running_console(SCREENINGS, READERS) as served:
        delays = asyncio.run(_all(served))
    return {
        "sse_clients": CLIENTS,
        "sse_delay_p95_ms": round(statistics.quantiles(delays, n=20)[-1]),
        "sse_delay_median_ms": round(statistics.median(delays)),
        "sse_events": len(delays),
    }


async def _all(served: Served) -> list[float]:
    changed: dict[str, float] = {}
    delays: list[float] = []
    ready = asyncio.Semaphore(0)
    streams = [asyncio.create_task(_listen(served, number, changed, delays, ready)) for number in range(CLIENTS)]
    for _ in range(CLIENTS):
        await asyncio.wait_for(ready.acquire(), 60)
    await asyncio.sleep(2)  # the feed has looked
    await asyncio.to_thread(_write, served, changed)
    for _ in range(100):
        if len(delays) == CLIENTS * CHANGES:
            break
        await asyncio.sleep(0.1)
    for each in streams:
        each.cancel()
    await asyncio.gather(*streams, return_exceptions=True)
    if len(delays) != CLIENTS * CHANGES:
        raise SystemExit(f"{len(delays)} of {CLIENTS * CHANGES} events came")
    return delays


def _write(served: Served, changed: dict[str, float]) -> None:
    engine = create_engine(served.catalogue_url, connect_args={"options": "-c search_path=catalog"})
    with engine.connect() as connection:
        query = text("SELECT screening_id FROM listed WHERE waiting ORDER BY rank, screening_id LIMIT :limit")
        ids = list(connection.execute(query, {"limit": CHANGES}).scalars())
        connection.commit()
        for each in ids:
            began = time.perf_counter()
            connection.execute(text(_CHANGE), {"id": each})
            changed[each] = time.perf_counter()
            connection.commit()
            time.sleep(max(0.0, 1 / PER_S - (time.perf_counter() - began)))
    engine.dispose()


async def _listen(
    served: Served, number: int, changed: dict[str, float], delays: list[float], ready: asyncio.Semaphore
) -> None:
    cookies = {"console": served.secrets[number % READERS]}
    timeout = aiohttp.ClientTimeout(total=None)
    address = f"http://127.0.0.1:{served.port}"
    async with (
        aiohttp.ClientSession(address, cookies=cookies, timeout=timeout, read_bufsize=2**20) as session,
        session.get("/worklist/events?queue=suspicious") as answer,
    ):
        if answer.status != 200:
            raise SystemExit(f"a stream was answered {answer.status}")
        async for line in answer.content:
            if line.startswith(b"event: beat") and ready is not None:
                ready.release()
            if line.startswith(b"data: ["):
                now = time.perf_counter()
                delays += [1000 * (now - changed[each["id"]]) for each in json.loads(line[6:]) if each["id"] in changed]
