"""A worker that reads its tables back is at work, not live where it gets nowhere; without partitions it stands by."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

import pytest

from sonovan.contracts.topics import Writer
from sonovan.stream_apps.metrics import Measured
from sonovan.stream_apps.progress import BROKER, PARTITIONS, STANDS_BY, Progress
from sonovan.stream_apps.running import Worker
from sonovan.stream_apps.watching import Watching

STUCK_AFTER_S = 180.0
MOVED = "its partitions are being moved"


class Place(NamedTuple):
    """A partition of a topic."""

    topic: str
    partition: int


class Signal:
    """As much of a Faust signal as is used."""

    def connect(self, receiver: Any, weak: bool) -> None:
        self.receiver = receiver


class App:
    """As much of a Faust app as is looked at: itself, its consumer, assignor, tables and their recovery."""

    def __init__(self, held: set[Place], named: int | None = 12) -> None:
        self.held, self.named, self.away = held, named, False
        self.active_offsets: Counter[Place] = Counter()
        self.changelog_topics = {"rows"}
        self.on_partitions_revoked, self.on_rebalance_complete = Signal(), Signal()
        self.consumer = self.assignor = self.tables = self.recovery = self.flow_control = self

    def assigned_actives(self) -> set[Place]:
        return self.held

    assignment = assigned_actives

    def topic_partitions(self, topic: str) -> int | None:
        return self.named

    async def highwaters(self, *places: Place) -> Mapping[Place, int]:
        if self.away:
            raise ConnectionError
        return dict.fromkeys(places, 5)

    async def position(self, place: Place) -> int:
        return 5

    def ack(self, message: object) -> bool:
        return True

    async def seek_to_committed(self) -> Mapping[Place, int]:
        return {}

    def stop_flow(self) -> None: ...

    def suspend(self) -> None: ...


class Looked:
    """A worker's Progress and Watching over an app, with a clock that is turned by hand."""

    def __init__(self, app: App) -> None:
        self.app, self.now_s = app, 0.0
        self.progress = Progress(STUCK_AFTER_S, ticks=lambda: self.now_s)
        self.watching = Watching(app, Measured(Writer.ASSESS, 1, {}), self.progress, (), 0)

    def after(self, seconds: float) -> float | None:
        self.now_s += seconds
        asyncio.run(self.watching.look())
        return self.progress.stuck_s


def test_tables_that_are_read_back_are_work_and_nothing_read_is_being_stuck() -> None:
    looked = Looked(App({Place("rows", 0)}))
    looked.progress.waits(PARTITIONS, MOVED)
    assert looked.after(0.0) is None
    for _ in range(10):
        looked.app.active_offsets[Place("rows", 0)] += 1
        assert looked.after(STUCK_AFTER_S - 1) is None
    assert looked.after(STUCK_AFTER_S) == STUCK_AFTER_S
    assert looked.progress.waiting == (MOVED,)


def test_a_broker_that_is_away_while_tables_are_read_back_is_waited_for() -> None:
    looked = Looked(App({Place("rows", 0)}))
    looked.progress.waits(PARTITIONS, MOVED)
    looked.after(0.0)
    looked.app.away = True
    assert looked.after(10 * STUCK_AFTER_S) is None
    looked.app.away = False
    assert looked.after(10 * STUCK_AFTER_S) is None
    assert looked.after(STUCK_AFTER_S) == STUCK_AFTER_S


def test_a_worker_that_ends_for_it_says_what_it_was_about(monkeypatch: pytest.MonkeyPatch) -> None:
    looked = Looked(App({Place("rows", 0)}))
    looked.progress.waits(PARTITIONS, MOVED)
    looked.after(0.0)
    looked.now_s += STUCK_AFTER_S
    monkeypatch.setattr("sonovan.stream_apps.watching.ENDS_AFTER_S", -1.0)
    failed: list[BaseException] = []

    async def until_it_fails() -> None:
        running = asyncio.create_task(looked.watching.run(lambda error: (failed.append(error), running.cancel())[0]))
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(until_it_fails())
    assert str(failed[0]) == f"{MOVED}, and nothing was finished for 180 s"


@pytest.mark.parametrize(
    ("held", "named", "waiting"),
    [
        ({Place("frame.segmented.v1", 0)}, 12, ()),
        (set(), 12, (STANDS_BY,)),
        (set(), None, ("it holds no partitions: the broker names none yet",)),
    ],
    ids=["partitions", "others hold all", "none are named"],
)
def test_a_worker_without_partitions_says_whether_it_stands_by(
    held: set[Place], named: int | None, waiting: tuple[str, ...]
) -> None:
    looked = Looked(App(held, named))

    async def nothing() -> None: ...

    Worker(looked.app, looked.progress, nothing, ["frame.segmented.v1"])
    assert looked.progress.waiting == ("it holds no partitions yet",)
    asyncio.run(looked.app.on_rebalance_complete.receiver())
    assert looked.progress.waiting == waiting
    assert looked.after(10 * STUCK_AFTER_S) is None


def test_a_defect_is_not_told_as_a_broker_that_does_not_answer() -> None:
    class Broken(App):
        async def highwaters(self, *places: Place) -> Mapping[Place, int]:
            raise KeyError("a defect")

    looked = Looked(Broken({Place("frames", 0)}))
    looked.progress.waits(PARTITIONS, MOVED)
    with pytest.raises(KeyError):
        looked.after(1.0)
    assert BROKER not in looked.progress
