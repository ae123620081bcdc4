"""The feed: who listens hears what changes, also where another one leaves in the same moment; who is behind begins
anew."""

import asyncio
from pathlib import Path

from sonovan.console.feed import WAITING, Listener, News
from tests.console import worklist_scene as scene
from tests.console.world import Running, running
from tests.waiting import turn

IDS = scene.ids()


async def _heard(console: Running) -> str:
    """The first that somebody hears who comes while the last one leaves: of a claim that is made then."""
    feed, claims = console.console.feed, console.console.claims
    first, second = feed.listening(), feed.listening()
    await first.__aenter__()
    # Both run in one turn of the loop: the second one comes while the first one waits for the feed's task to end.
    leaving, coming = asyncio.create_task(first.__aexit__(None, None, None)), asyncio.create_task(second.__aenter__())
    await leaving
    mine = await coming
    async with asyncio.timeout(30):
        number = 0
        while mine.queue.empty():  # until the feed has looked for the first time, nothing is news
            number += 1
            await asyncio.to_thread(claims.take_over, IDS[1], f"dr-{number}")
            await turn()
        news = await mine.queue.get()
    await second.__aexit__(None, None, None)
    assert news is not None
    assert feed.listeners == 0
    return next(iter(news.claims))


def test_who_comes_while_the_last_one_leaves_hears_what_changes(tmp_path: Path) -> None:
    with running(tmp_path, rows=scene.rows) as console:
        assert asyncio.run(_heard(console)) == IDS[1]


def test_a_page_that_takes_nothing_is_told_to_begin_anew() -> None:
    listener, news = Listener(), News((), {})
    for _ in range(WAITING + 1):
        listener.tell(news)
    assert listener.queue.get_nowait() is None
    assert listener.queue.empty()
