"""The pipeline against its floor: `make bench` writes `results/pipeline.json`.

Floor: the same messages through the same decode, graph, measure, encode and MinIO puts, with the same concurrency,
in a plain loop: no Kafka, no Faust. Both sides alternate in one run on the same running services, warmed alike; medians
are reported, since machines are noisy. Both are measured with the network and with a stub in its place, as a fast GPU
would leave it (`benchmarks.stub`), and with the frames in two sweeps and in twelve: those of a sweep stand in one
partition.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any, Final

from benchmarks.processes import PEAK, memory_mib
from benchmarks.queued import (
    RAMP,
    VAN,
    Bench,
    items_of,
    latency,
    queue,
    queued_fps,
    ready,
    results,
    sweeps_of,
    the_worker,
)
from benchmarks.shared import say
from benchmarks.stub import ENVIRONMENT, write_stub
from sonovan import models
from sonovan.centre import down
from sonovan.contracts.signatures import public_key
from sonovan.contracts.topics import Topic
from sonovan.contracts.van import VanEnrolled
from sonovan.deploy import services
from sonovan.models.engine.cpu import cpu_name
from sonovan.producers.items import Item
from sonovan.storage.minio_store import MinioStore
from sonovan.stream_apps.segment.step import put_objects, segment_envelope
from sonovan.stream_apps.vans import VanRegistry
from sonovan.transport.tail import Tail

RESULTS: Final = Path(__file__).parent / "results" / "pipeline.json"
SWEEPS: Final = (2, 12)
RATES: Final = (10, 25)
WARM: Final = 100
BARS: Final = {"network": 0.95, "stub": 0.75}
MOST_MIB: Final = 1536


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and write the results; the exit code is 1 where a bar is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pipeline", description=__doc__)
    parser.add_argument("--frames", type=int, default=600, help="queued before the worker starts, per round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--queued", type=int, default=5000, help="frames queued for the memory measurement")
    parser.add_argument("--only", choices=tuple(BARS), help="with the network alone, or with the stub alone")
    parser.add_argument("--input", type=Path, help="DICOM, clip or folder to take frames from [default: simulated]")
    parser.add_argument("--out", type=Path, default=RESULTS)
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="sonovan-bench-") as folder:
        state = Path(folder) / "state"
        try:
            bench = ready(state, chosen.input)
            sides = {"network": bench, "stub": stubbed(bench, Path(folder) / "stub")}
            found = {
                name: raced(side, name, chosen.frames, chosen.rounds)
                for name, side in sides.items()
                if chosen.only in (None, name)
            }
            document = _document(bench, found, chosen.frames, chosen.queued)
        finally:
            down(state)
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    chosen.out.write_text(json.dumps(document, indent=2) + "\n")
    say(json.dumps(document, indent=2))
    missed = misses(document)
    say("the bars are met" if not missed else f"missed: {'; '.join(missed)}")
    return 1 if missed else 0


def stubbed(bench: Bench, folder: Path) -> Bench:
    """The same services, with the stub in the network's place on both sides."""
    weights = write_stub(folder)
    segmenter = models.load(provider="cpu", precision="fp32", weights_dir=weights)
    environment = {**os.environ, **ENVIRONMENT, "SONOVAN_MODELS_WEIGHTS_DIR": str(weights)}
    return replace(bench, segmenter=segmenter, environment=environment)


def raced(bench: Bench, name: str, frames: int, rounds: int) -> dict[str, Any]:
    """Pipeline and floor in turns, by the number of sweeps; both are warmed before anything counts."""
    worker = the_worker(bench)
    queued_fps(bench, worker, WARM, max(SWEEPS))  # connections, caches, the broker's compiler
    floor_fps(bench, WARM, max(SWEEPS))
    found = {}
    for sweeps in SWEEPS:
        pipeline, floor = [], []
        for number in range(rounds):
            pipeline.append(queued_fps(bench, worker, frames, sweeps))
            floor.append(floor_fps(bench, frames, sweeps))
            say(f"{name}, {sweeps} sweeps, round {number + 1}: {pipeline[-1]:.1f} frames/s, floor {floor[-1]:.1f}")
        found[f"{sweeps}_sweeps"] = {
            "pipeline_fps": round(statistics.median(pipeline), 1),
            "floor_fps": round(statistics.median(floor), 1),
            "ratio": round(statistics.median(a / b for a, b in zip(pipeline, floor, strict=True)), 3),
            "rounds": [
                {"pipeline_fps": round(a, 1), "floor_fps": round(b, 1), "ratio": round(a / b, 3)}
                for a, b in zip(pipeline, floor, strict=True)
            ],
        }
    return found


def misses(document: dict[str, Any]) -> list[str]:
    """A line for each bar that is missed."""
    lines = [
        f"{name}, {sweeps}: ratio {row['ratio']} < {BARS[name]}"
        for name, rows in document["against_the_floor"].items()
        for sweeps, row in rows.items()
        if row["ratio"] < BARS[name]
    ]
    return lines + ([f"{document['peak_rss_mib']} MiB"] if document["peak_rss_mib"] >= MOST_MIB else [])


def _document(bench: Bench, found: dict[str, Any], frames: int, queued: int) -> dict[str, Any]:
    late = {f"at_{fps}_fps": latency(bench, the_worker(bench), fps) for fps in RATES}
    first = bench.frames[0].pixels
    return {
        "against_the_floor": found,
        "p50_ms": {name: one["p50_ms"] for name, one in late.items()},
        "p95_ms": {name: one["p95_ms"] for name, one in late.items()},
        "peak_rss_mib": _peak_rss(bench, queued),
        "frames_per_round": frames,
        "frames_queued_for_peak_rss": queued,
        "frame": f"{first.shape[1]}x{first.shape[0]} {first.dtype}",
        "provider": bench.segmenter.provider,
        "model": bench.segmenter.model_id,
        "weights_sha256": bench.segmenter.weights_sha256,
        "cpu": cpu_name(),
        "load_after": round(os.getloadavg()[0], 1),
        "concurrency": bench.settings.model_dump(include={"in_flight", "compute_threads", "store_threads"}),
        "measured_on": datetime.now(UTC).date().isoformat(),
    }


def floor_fps(bench: Bench, frames: int, sweeps: int) -> float:
    """Frames per second of the plain loop, the same ramp left out."""
    items = list(items_of(bench, frames, sweeps))
    store, registry = MinioStore(bench.centre.store("segment")), VanRegistry()
    registry.learn(VanEnrolled.first(VAN, public_key(bench.signer.private_key), datetime.now(UTC)))
    now, settings = datetime.now(UTC), bench.settings
    room = BoundedSemaphore(settings.in_flight)
    moments: list[float] = []

    with (
        ThreadPoolExecutor(settings.compute_threads) as compute,
        ThreadPoolExecutor(settings.store_threads) as put,
    ):

        def finish(stored: Future[None]) -> None:
            moments.append(time.perf_counter())
            room.release()

        def segmented(item: Item) -> None:
            frame = segment_envelope(
                item.value, append_time=now, registry=registry, segmenter=bench.segmenter, key=item.key
            )
            done = put.submit(put_objects, store, frame)
            stored.append(done)
            done.add_done_callback(finish)

        stored: list[Future[None]] = []
        computed = []
        for item in items:
            room.acquire()
            computed.append(compute.submit(segmented, item))
        for future in computed:
            future.result()
        for future in stored:
            future.result()
    moments.sort()
    return (frames - RAMP) / (moments[-1] - moments[RAMP - 1])


def _peak_rss(bench: Bench, queued: int) -> float:
    """The worker's peak resident memory in MiB while it works through a long queue, to its end."""
    worker = the_worker(bench)
    with Tail(bench.centre.kafka("reader"), Topic.FRAME_SEGMENTED, "now") as tail:
        screening = queue(bench, items_of(bench, queued, sweeps_of(queued)))
        worker.start()
        try:
            results(tail, screening, queued)
            row = next(row for row in services.status(bench.centre.state) if row.name == "segment")
            return memory_mib(row.pid or 0, PEAK)
        finally:
            worker.stop()


if __name__ == "__main__":
    sys.exit(main())
