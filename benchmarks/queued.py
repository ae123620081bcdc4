"""What benchmarks of the stream share: running services, frames queued or paced, their results by the broker's time.

Every frame differs from every other in its first two pixels, for one with the pixels of another is not computed again.
"""

import statistics
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from benchmarks.shared import VISIT, numbered, say
from benchmarks.van_vault import vault_of
from sonovan import models
from sonovan.centre import Centre, start_worker, up
from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.frames import FrameSegmented
from sonovan.contracts.ids import mint_id
from sonovan.contracts.topics import Topic
from sonovan.deploy import services
from sonovan.producers.enrol import enrol, load_kafka, load_signer
from sonovan.producers.items import Item, Signer, mint_ids
from sonovan.producers.screening import compose
from sonovan.producers.simulate import simulated_sources
from sonovan.producers.sources import CapturedFrame, LostFrame, Source, capture_options, open_source
from sonovan.stream_apps.segment.settings import SegmentSettings
from sonovan.transport.producer import BoundedProducer
from sonovan.transport.tail import Tail

VAN: Final = "bench"
RAMP: Final = 24
"""Results left out at the start of a round: the pipeline fills."""
GIVE_UP_S: Final = 1800.0
LOOK_EVERY_S: Final = 1.0
IN_FLIGHT: Final = 8 << 20


@dataclass(frozen=True, slots=True)
class Bench:
    """The running services, and what one round needs. environment: further SONOVAN_ variables of the worker."""

    centre: Centre
    signer: Signer
    frames: tuple[CapturedFrame, ...]
    source: Source
    segmenter: models.Segmenter
    settings: SegmentSettings
    environment: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Contender:
    """Whoever turns captured frames into results: how it is started (it reads from then on) and ended."""

    start: Callable[[], None]
    stop: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Result:
    """Of one frame: when it was captured, and when the broker took its first result."""

    captured: datetime
    appended: datetime


@dataclass(slots=True)
class Counted:
    """What the topic of results has of a screening. twice: results beyond the first of a frame."""

    first: dict[str, Result] = field(default_factory=dict)
    twice: int = 0


def ready(state: Path, given: Path | None) -> Bench:
    """Start the services in a folder. given: a file to take frames from; None simulates them."""
    centre = up(state, apps=(), progress=say)
    enrol(vault_of(state, VAN), VAN, centre.enrol_van(VAN, None), centre.kafka("registrar"))
    source = simulated_sources("breast", 1, 40, 7)[0]
    if given is not None:
        source = open_source(given, capture_options(organ="breast"))
    return Bench(
        centre, load_signer(vault_of(state, VAN), VAN), frames_of(source), source, models.load(), SegmentSettings()
    )


def frames_of(source: Source) -> tuple[CapturedFrame, ...]:
    """A source's frames; where it ends early, those before that, and why on stderr. Raises InvalidRecord for none."""
    frames: list[CapturedFrame] = []
    try:
        frames.extend(frame for frame in source.read() if isinstance(frame, CapturedFrame))
    except InvalidRecord as error:
        if not frames:
            raise
        print(error, file=sys.stderr)
    return tuple(frames)


def the_worker(bench: Bench) -> Contender:
    """The product's own `sonovan worker segment`."""
    return Contender(
        lambda: start_worker(bench.centre, "segment", app_environment=bench.environment),
        lambda: services.stop_one(bench.centre.state, "segment"),
    )


def sweeps_of(frames: int) -> int:
    """In how many sweeps so many frames come where each has 300 at most: ten seconds at 30 frames a second."""
    return -(-frames // 300)


def items_of(bench: Bench, frames: int, sweeps: int) -> Iterator[Item]:
    """The frame messages of a fresh screening, in so many sweeps of the same length (the last may be shorter).

    One sweep at a time is held, so that thousands of frames need little memory here.
    """
    each = -(-frames // sweeps)
    lengths = [min(each, frames - start) for start in range(0, frames, each)]
    ids = mint_ids(len(lengths))
    found: list[Item] = []
    for length, sequence_id in zip(lengths, ids.sequence_ids, strict=True):
        one = replace(ids, sequence_ids=(sequence_id,))
        compose([_sweep(bench, length)], VISIT, bench.signer, found.append, ids=one)
        yield from (item for item in found if item.topic is Topic.FRAME_CAPTURED)
        found.clear()


def queue(bench: Bench, items: Iterable[Item]) -> str:
    """Send them all; the screening's id."""
    screening = ""
    with BoundedProducer(load_kafka(vault_of(bench.centre.path, VAN), VAN), in_flight_bytes=IN_FLIGHT) as producer:
        for item in items:
            screening = item.screening_id
            producer.send(item.topic, item.key, item.value, item.headers)
        producer.flush(600.0)
    return screening


def paced(bench: Bench, frames: int, fps: float) -> str:
    """Capture and send a frame every 1/fps seconds; the screening's id."""
    start = time.monotonic()

    def read() -> Iterator[CapturedFrame | LostFrame]:
        for index in range(frames):
            time.sleep(max(start + index / fps - time.monotonic(), 0.0))
            yield numbered(bench.frames[index % len(bench.frames)], index)

    source = replace(bench.source, read=read, frame_count=frames)
    ids = replace(mint_ids(1), screening_id=mint_id())
    with BoundedProducer(load_kafka(vault_of(bench.centre.path, VAN), VAN), in_flight_bytes=IN_FLIGHT) as producer:

        def send(item: Item) -> None:
            if item.topic is Topic.FRAME_CAPTURED:
                producer.send(item.topic, item.key, item.value, item.headers)

        compose([source], VISIT, bench.signer, send, ids=ids)
        producer.flush(600.0)
    return ids.screening_id


def queued_fps(bench: Bench, contender: Contender, frames: int, sweeps: int) -> float:
    """Frames per second over a queue that was there before the contender started, by the broker's times."""
    moments = queued(bench, contender, frames, sweeps)
    return (frames - RAMP) / (moments[-1] - moments[RAMP - 1]).total_seconds()


def queued(bench: Bench, contender: Contender, frames: int, sweeps: int) -> list[datetime]:
    """When the broker took the first result of each frame of such a queue, in order.

    The results are read when all are there: reading along takes time from the cores that it runs on.
    """
    items = list(items_of(bench, frames, sweeps))
    with Tail(bench.centre.kafka("reader"), Topic.FRAME_SEGMENTED, "now") as tail:
        expected = sum(tail.ends().values()) + frames
        screening = queue(bench, items)
        contender.start()
        try:
            give_up_at = time.monotonic() + GIVE_UP_S
            while sum(tail.ends().values()) < expected and time.monotonic() < give_up_at:
                time.sleep(LOOK_EVERY_S)
            return sorted(each.appended for each in results(tail, screening, frames).first.values())
        finally:
            contender.stop()


def latency(bench: Bench, contender: Contender, fps: int, seconds: float = 10.0) -> dict[str, float]:
    """From a frame's capture to its result on the topic, one sweep of frames coming at a steady rate."""
    frames = round(fps * seconds)
    with Tail(bench.centre.kafka("reader"), Topic.FRAME_SEGMENTED, "now") as tail:
        contender.start()
        try:
            found = results(tail, paced(bench, frames, fps), frames).first.values()
        finally:
            contender.stop()
    late = [1000 * (each.appended - each.captured).total_seconds() for each in found]
    cuts = statistics.quantiles(late, n=20)
    return {"p50_ms": round(statistics.median(late), 1), "p95_ms": round(cuts[18], 1)}


def results(tail: Tail, screening_id: str, count: int, deadline_s: float = GIVE_UP_S) -> Counted:
    """Reads on until `count` frames of a screening have a result. Raises RuntimeError where they do not come."""
    found = Counted()
    for message in tail.messages(deadline_s=deadline_s):
        if message.value is None or message.key != screening_id.encode():
            continue
        _count(found, FrameSegmented.decode(message.value), message.appended_at)
        if len(found.first) == count:
            return found
    raise RuntimeError(f"only {len(found.first)} of {count} results came")


def counted(tail: Tail, screening_id: str, messages: int) -> Counted:
    """What the next so many messages of the topic say of a screening."""
    found = Counted()
    for read, message in enumerate(tail.messages(deadline_s=GIVE_UP_S), start=1):
        if message.value is not None and message.key == screening_id.encode():
            _count(found, FrameSegmented.decode(message.value), message.appended_at)
        if read == messages:
            break
    return found


def _count(found: Counted, result: FrameSegmented, appended_at: datetime) -> None:
    if result.frame_id in found.first:
        found.twice += 1
    else:
        found.first[result.frame_id] = Result(result.captured_at, appended_at)


def _sweep(bench: Bench, frames: int) -> Source:
    def read() -> Iterator[CapturedFrame | LostFrame]:
        for index in range(frames):
            yield numbered(bench.frames[index % len(bench.frames)], index)

    return replace(bench.source, read=read, frame_count=frames)
