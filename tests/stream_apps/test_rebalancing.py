"""What a worker mends in Faust while partitions move; the journeys show it with a real broker."""

import asyncio
from collections.abc import Mapping
from typing import NamedTuple

from sonovan.stream_apps.rebalancing import Rebalancing


class Place(NamedTuple):
    """A partition of a topic."""

    topic: str
    partition: int


class Message(NamedTuple):
    """As much of a Faust message as is looked at."""

    generation_id: int
    offset: int


class Consumer:
    """As much of a Faust consumer as is mended."""

    def __init__(self, committed: Mapping[Place, int | None]) -> None:
        self.committed = committed
        self.acknowledged: list[int] = []
        self.sought: dict[Place, int] = {}
        self.flows = True

    def ack(self, message: Message) -> bool:
        self.acknowledged.append(message.offset)
        return True

    async def seek_to_committed(self) -> Mapping[Place, int | None]:
        self.sought = {place: offset for place, offset in self.committed.items() if offset}
        return self.committed

    async def seek(self, place: Place, offset: int) -> None:
        self.sought[place] = offset

    def stop_flow(self) -> None:
        self.flows = False


class FlowControl:
    """As much of the streams' flow control as is used."""

    def __init__(self) -> None:
        self.active = True

    def suspend(self) -> None:
        self.active = False


class Tables:
    """Tables with one changelog."""

    changelog_topics = frozenset({"changelog"})


class App:
    """As much of a Faust app as is used."""

    def __init__(self, committed: Mapping[Place, int | None] | None = None) -> None:
        self.consumer = Consumer(committed or {})
        self.flow_control = FlowControl()
        self.tables = Tables()
        self.consumer_generation_id = 1


def test_a_message_that_was_fetched_before_partitions_moved_is_not_acknowledged() -> None:
    app = App()
    rebalancing = Rebalancing(app)
    for generation in (2, 3):
        app.consumer_generation_id = generation
        rebalancing.mend()
    assert app.consumer.ack(Message(3, 7))
    assert not app.consumer.ack(Message(2, 9))
    assert app.consumer.acknowledged == [7]


def test_a_partition_without_a_commit_is_read_from_its_beginning_again() -> None:
    committed = {Place("frames", 0): 5, Place("frames", 1): None, Place("frames", 2): 0, Place("changelog", 1): None}
    app = App(committed)
    Rebalancing(app).mend()
    assert asyncio.run(app.consumer.seek_to_committed()) == committed
    assert app.consumer.sought == {Place("frames", 0): 5, Place("frames", 1): 0, Place("frames", 2): 0}


def test_nothing_flows_until_the_library_has_sought_its_place() -> None:
    app = App()
    rebalancing = Rebalancing(app)
    for _ in range(2):
        app.consumer.flows = app.flow_control.active = True
        rebalancing.mend()
        assert (app.consumer.flows, app.flow_control.active) == (False, False)
