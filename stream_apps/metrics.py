"""What a worker measures of itself, and how Prometheus reads it; every name stands in `Metric`, once.

Used from the event loop's thread alone.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Final

from sonovan.contracts.exposition import Described, Times
from sonovan.contracts.faults import WORKER_FAULTS, WorkerFault
from sonovan.stream_apps.rejecting import Coordinates

BOUNDS_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of the histogram's buckets in seconds; the last one, +Inf, is not written here."""


class Metric(Enum):
    """All metrics of a worker. Each also has the labels `stage` and `instance`."""

    INFO = Described("sonovan_worker_info", "gauge", (), "What runs, in labels: the network and its provider, for one.")
    READY = Described("sonovan_ready", "gauge", (), "1 while the worker takes messages, 0 while it waits.")
    FAULT = Described("sonovan_fault", "gauge", ("fault",), "1 while the worker has this fault, else 0.")
    CLOCK = Described("sonovan_broker_clock_ahead_seconds", "gauge", (), "The broker's clock less this machine's.")
    DISK = Described("sonovan_disk_free_bytes", "gauge", (), "On the fullest of the disks that the worker looks at.")
    PARTITIONS = Described("sonovan_partitions", "gauge", (), "Partitions assigned to this worker.")
    LAG = Described("sonovan_lag_records", "gauge", ("topic", "partition"), "Records that are not processed yet.")
    OLDEST = Described(
        "sonovan_oldest_unprocessed_seconds", "gauge", ("topic",),
        "Age of the oldest record that was received and is not processed, 0 where there is none.",
    )  # fmt: skip
    IN_FLIGHT = Described("sonovan_in_flight_records", "gauge", (), "Records received and not acknowledged.")
    PROCESSED = Described("sonovan_processed_records_total", "counter", ("topic",), "Records acknowledged.")
    REJECTED = Described("sonovan_rejected_records_total", "counter", ("reason",), "Records rejected.")
    DEFERRED = Described(
        "sonovan_deferred_records_total", "counter", ("van",), "Records deferred, for their van had too many waiting."
    )
    RETRIES = Described("sonovan_retries_total", "counter", (), "Attempts that failed because something was away.")
    SECONDS = Described(
        "sonovan_step_seconds", "histogram", ("step",), "Time by step, waiting for what is away included."
    )


class Part(StrEnum):
    """The steps of a message's way whose time is told apart."""

    PROCESS = "process"
    STORE = "store"
    RECEIVED_ROWS = "received_rows"
    SEND = "send"
    PUBLISHED_ROWS = "published_rows"


Sample = tuple[Metric, tuple[str, ...], float]
"""A metric, the values of its labels, and its value."""

Place = tuple[str, int]
"""Topic and partition."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a worker stands beside its messages. disk_free: bytes; None where it looks at no disk."""

    ready: bool
    broker_ahead_s: float
    disk_free: int | None


class Measured:
    """Counts what one worker does. `clock` is the broker's seconds since the epoch, `ticks` any steady clock's."""

    def __init__(
        self,
        stage: str,
        instance: int,
        running: Mapping[str, str],
        *,
        clock: Callable[[], float] = time.time,
        ticks: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._own = {"stage": stage, "instance": str(instance)}
        self._running, self._clock, self._ticks = dict(running), clock, ticks
        self._under_way: dict[Place, dict[int, float]] = {}
        self._next: dict[Place, int] = {}
        self._counts: dict[tuple[Metric, tuple[str, ...]], float] = {(Metric.RETRIES, ()): 0.0}
        self._times: dict[Part, Times] = {}
        self.faults: frozenset[WorkerFault] = frozenset()

    def runs(self, running: Mapping[str, str]) -> None:
        """What runs is known: the network and its provider, for one."""
        self._running |= running

    def received(self, at: Coordinates) -> None:
        """A message was taken in."""
        self._under_way.setdefault((at.topic, at.partition), {})[at.offset] = at.appended_at.timestamp()

    def acknowledged(self, at: Coordinates) -> None:
        """A message is done, and with it those before it in its partition."""
        place = (at.topic, at.partition)
        self._under_way.get(place, {}).pop(at.offset, None)
        self._next[place] = max(at.offset + 1, self._next.get(place, 0))
        self._count(Metric.PROCESSED, at.topic)

    @property
    def in_flight(self) -> int:
        """How many messages were taken in and are not acknowledged."""
        return sum(map(len, self._under_way.values()))

    def done_up_to(self, place: Place) -> int:
        """The offset after the last message of a partition that was acknowledged here; 0 where there was none."""
        return self._next.get(place, 0)

    def oldest_s(self) -> dict[str, float]:
        """By topic, the age of the oldest record that was received and is not processed."""
        ages: dict[str, float] = {}
        for (topic, _), by_offset in self._under_way.items():
            for moment in by_offset.values():
                ages[topic] = max(ages.get(topic, 0.0), self._clock() - moment)
        return ages

    @property
    def rejected_records(self) -> int:
        """How many records were rejected here."""
        return int(sum(count for (metric, _), count in self._counts.items() if metric is Metric.REJECTED))

    @property
    def provider(self) -> str | None:
        """What the network runs on, None where none runs here."""
        return self._running.get("provider")

    def moved(self) -> None:
        """Partitions are being moved: what was under way comes again, here or elsewhere."""
        self._under_way.clear()
        self._next.clear()

    def rejected(self, reason: str) -> None:
        """A message could not be used."""
        self._count(Metric.REJECTED, reason)

    def deferred(self, van_id: str) -> None:
        """A message waits on the topic of deferred ones, for its van had as many waiting here as it may."""
        self._count(Metric.DEFERRED, van_id)

    def retried(self) -> None:
        """An attempt failed because something was away."""
        self._count(Metric.RETRIES)

    @contextmanager
    def timed(self, part: Part) -> Iterator[None]:
        """Measure how long a step takes, also one that fails."""
        began = self._ticks()
        try:
            yield
        finally:
            self._times.setdefault(part, Times(BOUNDS_S)).add(self._ticks() - began)

    def text(self, ends: Mapping[Place, int], committed: Mapping[Place, int | None], standing: Standing) -> str:
        """Everything in Prometheus' text format.

        ends: the next offset of each assigned partition on the broker. committed: the group's offset there, None
        where it has none. The lag of a partition of which neither a commit nor a message is known is left out:
        unknown is not 0.
        """
        lines: list[str] = []
        samples = [*self._stands(standing), *self._gauges(ends, committed)]
        samples += [(metric, labels, count) for (metric, labels), count in self._counts.items()]
        for metric in Metric:
            lines += metric.value.head()
            own = self._own | (self._running if metric is Metric.INFO else {})
            lines += [metric.value.line(own, labels, value) for each, labels, value in samples if each is metric]
        for part, times in self._times.items():
            lines += times.lines(Metric.SECONDS.value.name, self._own | {"step": part.value})
        return "\n".join(lines) + "\n"

    def _stands(self, standing: Standing) -> Iterator[Sample]:
        yield Metric.READY, (), float(standing.ready)
        yield Metric.CLOCK, (), standing.broker_ahead_s
        if standing.disk_free is not None:
            yield Metric.DISK, (), float(standing.disk_free)
        for fault in WORKER_FAULTS:
            yield Metric.FAULT, (fault,), float(fault in self.faults)

    def _gauges(self, ends: Mapping[Place, int], committed: Mapping[Place, int | None]) -> Iterator[Sample]:
        yield Metric.INFO, (), 1.0
        yield Metric.PARTITIONS, (), float(len(ends))
        yield Metric.IN_FLIGHT, (), float(self.in_flight)
        for place, end in sorted(ends.items()):
            if (reached := self._reached(place, committed.get(place))) is not None or end == 0:
                yield Metric.LAG, (place[0], str(place[1])), float(max(end - (reached or 0), 0))
        for topic in sorted({topic for topic, _ in ends}):
            under_way = [by_offset for (name, _), by_offset in self._under_way.items() if name == topic]
            since = min((moment for by_offset in under_way for moment in by_offset.values()), default=None)
            yield Metric.OLDEST, (topic,), 0.0 if since is None else max(self._clock() - since, 0.0)

    def _reached(self, place: Place, committed: int | None) -> int | None:
        known = [offset for offset in (self._next.get(place), committed) if offset is not None]
        return max(known) if known else min(self._under_way.get(place, {}), default=None)

    def _count(self, metric: Metric, *labels: str) -> None:
        self._counts[metric, labels] = self._counts.get((metric, labels), 0.0) + 1.0
