from datetime import UTC, datetime

from sonovan.contracts.faults import WORKER_FAULTS
from sonovan.stream_apps.metrics import Measured, Metric, Part, Standing
from sonovan.stream_apps.rejecting import Coordinates

START = datetime(2026, 3, 1, 9, tzinfo=UTC)
OWN = 'stage="segment",instance="2"'


class Worker:
    """Metrics with clocks that a test moves."""

    def __init__(self) -> None:
        self.now, self.ticks = START.timestamp(), 0.0
        running = {"provider": 'openvino "bf16"'}
        self.measured = Measured("segment", 2, running, clock=lambda: self.now, ticks=lambda: self.ticks)

    def at(self, offset: int, partition: int = 0) -> Coordinates:
        return Coordinates("frame.captured.v1", partition, offset, START)

    def text(self, end: int = 0, committed: int | None = None) -> list[str]:
        place = ("frame.captured.v1", 0)
        return self.measured.text({place: end}, {place: committed}, Standing(True, 0.0, None)).splitlines()


def test_every_metric_is_described_once_and_named_after_the_project_and_its_unit() -> None:
    lines = Worker().text()
    for metric in Metric:
        assert lines.count(f"# TYPE {metric.value.name} {metric.value.kind}") == 1
        assert metric.value.name.startswith("sonovan_")
        assert (metric.value.kind == "counter") == metric.value.name.endswith("_total")


def test_what_runs_stands_in_labels_that_are_escaped() -> None:
    assert f'sonovan_worker_info{{{OWN},provider="openvino \\"bf16\\""}} 1' in Worker().text()


def test_how_a_worker_stands_is_told_and_a_disk_that_it_does_not_look_at_is_left_out() -> None:
    worker = Worker()
    worker.measured.faults = frozenset({"disk"})
    lines = worker.measured.text({}, {}, Standing(ready=False, broker_ahead_s=-1.5, disk_free=7_000)).splitlines()
    assert {f"sonovan_ready{{{OWN}}} 0", f"sonovan_broker_clock_ahead_seconds{{{OWN}}} -1.5"} <= set(lines)
    assert f"sonovan_disk_free_bytes{{{OWN}}} 7000" in lines
    faults = [line.rpartition(" ")[2] for line in lines if line.startswith("sonovan_fault{")]
    assert sorted(faults) == ["0"] * (len(WORKER_FAULTS) - 1) + ["1"]
    assert f'sonovan_fault{{{OWN},fault="disk"}} 1' in lines
    assert not [line for line in worker.text() if line.startswith("sonovan_disk_free_bytes{")]


def lag(lines: list[str]) -> list[str]:
    return [line.rpartition(" ")[2] for line in lines if line.startswith("sonovan_lag_records{")]


def test_the_lag_is_what_is_neither_committed_nor_acknowledged_and_unknown_is_not_zero() -> None:
    worker = Worker()
    assert lag(worker.text(end=9)) == []
    assert lag(worker.text(end=9, committed=2)) == ["7"]
    worker.measured.received(worker.at(2))
    worker.measured.acknowledged(worker.at(2))
    assert lag(worker.text(end=9, committed=2)) == ["6"]
    worker.measured.moved()
    assert lag(worker.text(end=9)) == []
    assert lag(worker.text(end=0)) == ["0"]


def test_the_oldest_record_ages_until_it_is_acknowledged() -> None:
    worker = Worker()
    worker.measured.received(worker.at(0))
    worker.now += 12.5
    worker.measured.received(Coordinates("frame.captured.v1", 0, 1, datetime.fromtimestamp(worker.now, UTC)))
    oldest = f'sonovan_oldest_unprocessed_seconds{{{OWN},topic="frame.captured.v1"}}'
    assert f"{oldest} 12.5" in worker.text()
    worker.measured.acknowledged(worker.at(0))
    assert f"{oldest} 0" in worker.text()
    assert f"sonovan_in_flight_records{{{OWN}}} 1" in worker.text()


def test_rejections_are_counted_by_reason() -> None:
    worker = Worker()
    for reason in ("pixels_corrupt", "van_unknown", "pixels_corrupt"):
        worker.measured.rejected(reason)
    assert f'sonovan_rejected_records_total{{{OWN},reason="pixels_corrupt"}} 2' in worker.text()


def test_time_by_step_is_a_histogram_whose_buckets_add_up() -> None:
    worker = Worker()
    for elapsed_s in (0.001, 0.03, 60.0):
        with worker.measured.timed(Part.STORE):
            worker.ticks += elapsed_s
    lines = worker.text()
    bucket = f'sonovan_step_seconds_bucket{{{OWN},step="store",le='
    assert next(line for line in lines if line.startswith(bucket) and line.endswith(" 1")) == f'{bucket}"0.001"}} 1'
    assert f'{bucket}"0.05"}} 2' in lines
    assert f'{bucket}"+Inf"}} 3' in lines
    assert f'sonovan_step_seconds_sum{{{OWN},step="store"}} 60.031' in lines
    assert f'sonovan_step_seconds_count{{{OWN},step="store"}} 3' in lines
