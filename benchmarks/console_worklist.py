"""How long a page of the worklist takes over HTTP, counts of all queues included: 20 readers, 50,000 screenings.

Each reader opens one page after another, of every queue in turn, after a pause of two seconds on average: ten pages a
second in all, more than 20 people who read do. The connections stay open, as a browser's do.
"""

import asyncio
import random
import statistics
import time
from typing import Any, Final

import aiohttp

from benchmarks.console_running import Served, running_console
from sonovan.storage.catalogue.queues import QUEUES

SCREENINGS: Final = 50_000
READERS: Final = 20
PAGES: Final = 20
"""That each reader opens, behind one of each queue that is not timed."""
PAUSE_S: Final = 4.0
_FILTERS: Final = ("", "&site=site-3", "&van=van-7", "&organ=breast", "&status=incomplete")


def measure() -> dict[str, Any]:
    """The figures: worklist_p95_ms, and what it was measured on."""
    with running_console(SCREENINGS, READERS) as served:
        times = asyncio.run(_all(served))
    return {
        "worklist_p95_ms": round(statistics.quantiles(times, n=20)[-1], 1),
        "worklist_median_ms": round(statistics.median(times), 1),
        "worklist_screenings": SCREENINGS,
        "worklist_readers": READERS,
        "worklist_pages": len(times),
    }


async def _all(served: Served) -> list[float]:
    found = await asyncio.gather(*(_reader(served, number) for number in range(READERS)))
    return [each for times in found for each in times]


async def _reader(served: Served, number: int) -> list[float]:
    dice = random.Random(number)
    times = []
    cookies = {"console": served.secrets[number]}
    async with aiohttp.ClientSession(f"http://127.0.0.1:{served.port}", cookies=cookies) as session:
        for step in range(len(QUEUES) + PAGES):
            await asyncio.sleep(dice.uniform(0, PAUSE_S))
            queue = QUEUES[(step + number) % len(QUEUES)]
            began = time.perf_counter()
            async with session.get(f"/worklist?queue={queue}{dice.choice(_FILTERS)}") as answer:
                page = await answer.text()
            took = 1000 * (time.perf_counter() - began)
            if answer.status != 200 or "<tbody" not in page:
                raise SystemExit(f"a page of the worklist was answered {answer.status}")
            if step >= len(QUEUES):
                times.append(took)
    return times
