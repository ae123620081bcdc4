import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sonovan.contracts.errors import Transient
from sonovan.contracts.faults import WORKER_FAULTS, FaultAlerted
from sonovan.contracts.ids import mint_id
from sonovan.contracts.topics import Topic
from sonovan.stream_apps.faults import LASTS_S, Faults, Seen, faults_of, seen_by, worker_id
from sonovan.stream_apps.metrics import Measured
from sonovan.stream_apps.progress import DISK, PARTITIONS, Progress

NOW = 1_700_000_000.0
AS_OF = datetime(2026, 3, 1, tzinfo=UTC)
WORKER = mint_id(0)
WELL = Seen()
FULL = Seen(disk_low=True)


class Worker:
    """A worker that looks at itself, and a broker that takes what it tells, unless it is away."""

    def __init__(self) -> None:
        self.told: list[FaultAlerted] = []
        self.away = False
        self.now = NOW
        self.faults = Faults("segment", 2, WORKER, 2.0, self.tell)

    async def tell(self, fault: FaultAlerted) -> None:
        if self.away:
            raise Transient("away")
        self.told.append(fault)

    def looks(self, seen: Seen, for_s: float) -> list[tuple[str, str]]:
        """What it tells while it sees the same for so long, looking every second."""
        before, until = len(self.told), self.now + for_s
        while self.now <= until:
            asyncio.run(self.faults.look(seen, self.now, AS_OF))
            self.now += 1
        return [(each.fault, each.state) for each in self.told[before:]]


def started() -> Worker:
    worker = Worker()
    assert set(worker.looks(WELL, LASTS_S)) == {(fault, "ended") for fault in WORKER_FAULTS}
    return worker


def test_what_may_have_left_is_told_again_so_that_no_fault_is_left_standing() -> None:
    worker = started()
    worker.away = True
    assert worker.looks(FULL, 600) == []
    worker.away = False
    assert worker.looks(WELL, LASTS_S + 1) == [("disk", "ended")], "the one that was cut off may stand at the centre"


def test_a_fault_that_lasts_is_told_once_and_its_end_once() -> None:
    worker = started()
    assert worker.looks(FULL, LASTS_S - 2) == []
    assert worker.looks(FULL, 600) == [("disk", "raised")]
    assert worker.looks(WELL, LASTS_S - 2) == []
    assert worker.looks(WELL, 600) == [("disk", "ended")]


def test_a_fault_that_comes_and_goes_tells_nobody() -> None:
    worker = started()
    for _ in range(5):
        assert worker.looks(FULL, 10) == worker.looks(WELL, 10) == []


def test_what_the_broker_does_not_take_is_told_later() -> None:
    worker = started()
    worker.away = True
    assert worker.looks(FULL, 60) == []
    worker.away = False
    assert worker.looks(FULL, 1) == [("disk", "raised")]


def test_a_fault_has_the_same_name_each_time_and_another_one_on_another_worker() -> None:
    worker = started()
    worker.looks(FULL, 60)
    worker.looks(WELL, 60)
    raised, ended = worker.told[-2:]
    assert raised.fault_id == ended.fault_id
    with pytest.raises(ValueError, match="that of this worker"):
        FaultAlerted.model_validate({**raised.model_dump(), "worker": mint_id(1)})


@pytest.mark.parametrize(
    ("seen", "fault"),
    [
        (Seen(oldest_s={Topic.SCREENING_ASSESSED: 300.0}), {"lag"}),
        (Seen(oldest_s={Topic.SCREENING_ASSESSED: 299.0}), set()),
        (Seen(oldest_s={Topic.FRAME_CAPTURED: 86_400.0}), {"lag", "retention"}),
        (Seen(oldest_s={Topic.SCREENING_ASSESSED: 9e9}), {"lag"}),  # it is kept for ever
        (Seen(rejected=150), {"rejects"}),
        (Seen(rejected=149), set()),
        (Seen(broker_ahead_s=-2.0), {"clock"}),
        (
            Seen(disk_low=True, away=True, undelivered=True, gpu_idle=True),
            {"disk", "away", "undelivered", "cpu_fallback"},
        ),
    ],
)
def test_each_fault_follows_from_what_a_worker_sees(seen: Seen, fault: set[str]) -> None:
    assert set(faults_of(replace(seen, rejected=seen.rejected or 100), 100, 2.0)) == fault


def test_rejects_are_counted_within_ten_minutes() -> None:
    worker = started()
    for minute in range(30):
        assert worker.looks(Seen(rejected=4 * minute), 60) == []
    assert worker.looks(Seen(rejected=200), 120) == [("rejects", "raised")]
    assert worker.looks(Seen(rejected=200), 900) == [("rejects", "ended")]


def test_a_worker_sees_what_its_progress_and_its_counts_say() -> None:
    progress, measured = Progress(60.0), Measured("segment", 1, {"provider": "cpu/fp32"})
    progress.waits(PARTITIONS, "no partitions")
    assert not seen_by(measured, progress).away
    progress.waits(DISK, "full")
    progress.waits("database", "the outbox does not answer")
    progress.fault("undelivered webhook", "since noon")
    measured.rejected("van_unknown")
    seen = seen_by(measured, progress)
    assert (seen.disk_low, seen.away, seen.undelivered, seen.rejected) == (True, True, True, 1)


def test_a_worker_keeps_its_id_and_no_other_machine_has_it(tmp_path: Path) -> None:
    """Two machines may each run a worker 1 of a stage: the end of the one's fault is not the end of the other's."""
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
    first, second = map(worker_id, folders)
    assert first != second
    assert worker_id(folders[0]) == first
