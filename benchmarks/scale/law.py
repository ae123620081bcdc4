"""How `segment` scales with its workers, what a rebalance costs, and what one hot sweep does.

Each round measures 4, 2 and 1 workers over frames that are spread evenly over the partitions, so that the luck of keys
is left out, then 4 workers over frames of one sweep, then a worker that leaves and one that joins while frames wait.
"""

import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from typing import Any, Final

from kafka.partitioner.default import murmur2

from benchmarks.scale.scene import WORK, Scene
from benchmarks.shared import VISIT, numbered, say
from benchmarks.van_vault import vault_of
from sonovan.centre import worker_name
from sonovan.contracts.frames import FrameSegmented
from sonovan.contracts.ids import mint_id
from sonovan.contracts.limits import MIB
from sonovan.contracts.topics import FRAME_PARTITIONS, Topic
from sonovan.deploy import services
from sonovan.producers.enrol import enrol, load_kafka, load_signer
from sonovan.producers.items import Ids, Item
from sonovan.producers.screening import compose
from sonovan.producers.simulate import simulated_sources
from sonovan.producers.sources import CapturedFrame, LostFrame, Source
from sonovan.transport.producer import BoundedProducer
from sonovan.transport.tail import Tail

VAN: Final = "scale-law"
MOST: Final = 4
STUB_MS: Final = 800.0
"""Of a frame: a worker does at most 2.5 a second, so that four need less than the two cores."""
WORKERS: Final = tuple(("segment", number, WORK[number - 1]) for number in range(1, MOST + 1))
SETTINGS: Final = {"SONOVAN_SEGMENT_WAITING_EACH": "4096"}
"""One van sends all of it at once: nothing of that is deferred, which would be another topic's law."""
PARTITIONS: Final = tuple(number for number in range(FRAME_PARTITIONS) if (number + number // 4) % 2 == 0)
"""Half of all: two or four workers hold equally many of them, whether partitions are dealt out in turn or in blocks."""
HOT_FRAMES: Final = 30
RAMP: Final = 4
"""Results for each worker that are left out at either end: workers fill, and one of them ends first."""
LEAD_S: Final = 4.0
_WITHIN_S: Final = 240.0


class Queue:
    """Puts frames into `frame.captured` and tells when their results came."""

    def __init__(self, scene: Scene) -> None:
        centre = scene.centre
        vault = vault_of(centre.path, VAN)
        enrol(vault, VAN, centre.enrol_van(VAN, None), centre.kafka("registrar"))
        self._scene, self._vault, self._signer = scene, vault, load_signer(vault, VAN)
        (self._source,) = simulated_sources("breast", 1, 12, 7)
        self._pictures = [shot for shot in self._source.read() if isinstance(shot, CapturedFrame)]

    def spread(self, each: int) -> list[Item]:
        """Frames of a screening with one sweep of `each` frames in each of PARTITIONS."""
        return self._items(sweeps(), each)

    def hot(self, frames: int) -> list[Item]:
        """Frames of one sweep."""
        return self._items([mint_id()], frames)

    def send(self, items: Iterable[Item]) -> None:
        """Send them all."""
        with BoundedProducer(load_kafka(self._vault, VAN), in_flight_bytes=8 * MIB) as producer:
            for item in items:
                producer.send(item.topic, item.key, item.value, item.headers)
            producer.flush(_WITHIN_S)

    def results(self, items: list[Item], tail: Tail) -> list[datetime]:
        """When each frame's first result came, by the broker's time, sorted; waits for all of them."""
        screening, moments = items[0].screening_id, dict[str, datetime]()
        for message in tail.messages(deadline_s=_WITHIN_S):
            if message.key == screening.encode() and message.value is not None:
                moments.setdefault(FrameSegmented.decode(message.value).frame_id, message.appended_at)
            if len(moments) == len(items):
                return sorted(moments.values())
        raise RuntimeError(f"only {len(moments)} of {len(items)} results came")

    def tail(self) -> Tail:
        """Reads results from now on."""
        return Tail(self._scene.centre.kafka("reader"), Topic.FRAME_SEGMENTED, "now")

    def _items(self, sequences: list[str], each: int) -> list[Item]:
        found: list[Item] = []
        sources = [self._repeated(each) for _ in sequences]
        compose(sources, VISIT, self._signer, found.append, ids=Ids(mint_id(), tuple(sequences)))
        frames = [item for item in found if item.topic is Topic.FRAME_CAPTURED]
        return [item for index in range(each) for item in frames[index::each]]  # sweeps in turn, as vans send at once

    def _repeated(self, frames: int) -> Source:
        def read() -> Iterator[CapturedFrame | LostFrame]:
            for index in range(frames):
                yield numbered(self._pictures[index % len(self._pictures)], index)

        return replace(self._source, read=read, frame_count=frames)


def sweeps() -> list[str]:
    """Fresh ids of sweeps that fall into each of PARTITIONS once, by the hash of Kafka's clients."""
    found: dict[int, str] = {}
    while not found.keys() >= set(PARTITIONS):
        name = mint_id()
        found.setdefault((murmur2(name.encode()) & 0x7FFFFFFF) % FRAME_PARTITIONS, name)
    return [found[number] for number in PARTITIONS]


def law(scene: Scene, rounds: int) -> dict[str, Any]:
    """Measure; the workers of WORKERS run when this begins."""
    queue = Queue(scene)
    rates: dict[int, list[float]] = {1: [], 2: [], MOST: []}
    hot: list[float] = []
    leaves: list[float] = []
    joins: list[float] = []
    usual: list[float] = []
    for number in range(1, rounds + 1):
        scene.start_workers(WORKERS)
        rates[MOST].append(_rate(queue, queue.spread(MOST), MOST))
        hot.append(_rate(queue, queue.hot(HOT_FRAMES), 1))
        gap, before = _gap_while(queue, lambda: services.stop_one(scene.state, worker_name(*WORKERS[-1][:2])))
        leaves.append(gap)
        usual.append(before)
        joins.append(_gap_while(queue, lambda: scene.start_workers(WORKERS[-1:]))[0])
        for workers in (2, 1):
            for stage, instance, _ in WORKERS[workers : 2 * workers]:
                services.stop_one(scene.state, worker_name(stage, instance))
            for stage, instance, _ in WORKERS[:workers]:
                scene.await_ready(worker_name(stage, instance))
            rates[workers].append(_rate(queue, queue.spread(workers), workers))
        told = {count: each[-1] for count, each in rates.items()}
        say(f"round {number}: {told} frames/s, hot {hot[-1]}, leaves {leaves[-1]} s, joins {joins[-1]} s")
    one = statistics.median(rates[1])
    return {
        "stub_ms": STUB_MS,
        "rounds": rounds,
        "frames_per_s": {str(count): _summed_up(each) for count, each in sorted(rates.items())},
        "times_one_worker": {
            str(count): round(statistics.median(each) / one, 2) for count, each in sorted(rates.items())
        },
        "one_hot_sweep_with_4_workers_frames_per_s": _summed_up(hot),
        "longest_pause_s": {
            "without a rebalance": _summed_up(usual),
            "a worker leaves": _summed_up(leaves),
            "a worker joins": _summed_up(joins),
        },
    }


def _rate(queue: Queue, items: list[Item], workers: int) -> float:
    """Results a second while every worker is busy."""
    with queue.tail() as tail:
        queue.send(items)
        moments = queue.results(items, tail)
    middle = moments[RAMP * workers : -RAMP * workers]
    return round((len(middle) - 1) / (middle[-1] - middle[0]).total_seconds(), 2)


def _gap_while(queue: Queue, happening: Callable[[], object]) -> tuple[float, float]:
    """The longest time without a result from when something happens, and the longest before that, in seconds."""
    items = queue.spread(3)
    with queue.tail() as tail:
        queue.send(items)
        time.sleep(LEAD_S)
        before_s = time.time()
        happening()
        moments = [each.timestamp() for each in queue.results(items, tail)]
    gaps = [(later - sooner, later) for sooner, later in pairwise(moments)]
    earlier = [gap for gap, later in gaps[RAMP * MOST :] if later <= before_s]
    return round(max(gap for gap, later in gaps if later > before_s), 2), round(max(earlier, default=0.0), 2)


def _summed_up(values: list[float]) -> dict[str, float]:
    return {"least": min(values), "median": round(statistics.median(values), 2), "most": max(values)}
