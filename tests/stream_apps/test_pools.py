"""What is computed goes to be stored without anybody between them."""

import asyncio
from datetime import UTC, datetime
from threading import Event

import pytest

from sonovan.contracts.errors import Transient
from sonovan.contracts.topics import Topic, Writer
from sonovan.stream_apps.pools import Pools
from sonovan.stream_apps.rejecting import Coordinates
from sonovan.stream_apps.stage import Message, Outcome, Stage

MESSAGE = Message(Coordinates(Topic.FRAME_CAPTURED, 0, 0, datetime(2026, 3, 1, tzinfo=UTC)), b"key", b"value")
LONGEST_S = 10.0


class Store:
    """Fails the first time, if told to."""

    def __init__(self, fails: bool) -> None:
        self.fails, self.tried, self.called = fails, 0, Event()

    def put(self) -> None:
        self.tried += 1
        self.called.set()
        if self.fails and self.tried == 1:
            raise Transient("the store is away")


def stage_of(store: Store, threads: int) -> Stage:
    return Stage(
        name=Writer.SEGMENT,
        reads=(Topic.FRAME_CAPTURED,),
        process=lambda message: Outcome(store=store.put),
        compute_threads=threads,
        store_threads=1,
    )


def test_storing_begins_before_anybody_asks_and_is_tried_again_where_it_failed() -> None:
    store = Store(fails=True)
    pools = Pools(stage_of(store, threads=1))

    async def story() -> None:
        outcome, begun = await pools.computed(MESSAGE)
        assert store.called.wait(LONGEST_S)
        assert outcome.store is not None
        attempt = pools.stored(outcome.store, begun)
        with pytest.raises(Transient):
            await attempt()
        assert store.tried == 1
        await attempt()
        assert store.tried == 2

    try:
        asyncio.run(story())
    finally:
        pools.close()


def test_a_stage_without_threads_of_its_own_stores_when_it_is_asked() -> None:
    store = Store(fails=False)
    pools = Pools(stage_of(store, threads=0))

    async def story() -> None:
        outcome, begun = await pools.computed(MESSAGE)
        assert (begun, store.tried) == (None, 0)
        assert outcome.store is not None
        await pools.stored(outcome.store, begun)()
        assert store.tried == 1

    try:
        asyncio.run(story())
    finally:
        pools.close()
