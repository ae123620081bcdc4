"""The product against other libraries around the same step: `make bench-peers` writes `results/peers.json` and a table.

    python -m benchmarks.peers [--frames 300] [--rounds 3] [--only sonovan --only confluent-kafka]

All contenders take their turns in each round, on the same running broker and object store, over a queue that was there
before they started; then each gets a sweep at a steady rate; then each is killed by SIGKILL in the middle of a queue
and started again. Each commits an offset only after the frame's objects are stored and its result is on the broker;
what it guarantees beyond that stands beside its figures.
The exit code is 1 where a peer that loses nothing is faster than the product, by frames or by p95 at the highest rate.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

from benchmarks.outlines import write_part
from benchmarks.peers.contenders import PEERS, PRODUCT, ProductRunning, Running, contenders, from_now_on
from benchmarks.queued import Bench, Contender, counted, items_of, latency, queue, queued, queued_fps, ready, results
from benchmarks.shared import say
from sonovan.centre import down
from sonovan.contracts.topics import Topic
from sonovan.models.engine.cpu import cpu_name
from sonovan.transport.tail import Tail

RESULTS: Final = Path(__file__).parents[1] / "results" / "peers.json"
PAGE: Final = Path(__file__).parents[2] / "docs" / "performance.md"
MARKS: Final = ("<!-- peers: begin -->", "<!-- peers: end -->")
SWEEPS: Final = 12
RATES: Final = (10, 25)
KILLED_AFTER: Final = 0.4
"""Of the queue: so much has a result when the contender is killed."""
FIRST: Final = 24
"""Frames that a contender has done before it is given any at a steady rate."""
STILL_S: Final = 90.0
"""A frame that has no result so long after the last one came is lost."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and write; the exit code is 1 where a peer is ahead."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.peers", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = (PRODUCT, *PEERS)
    parser.add_argument("--frames", type=int, default=300, help="queued before a contender starts, per round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=10.0, help="of frames at each steady rate")
    parser.add_argument("--only", choices=names, action="append", help="these contenders; repeat [default: all]")
    parser.add_argument("--out", type=Path, default=RESULTS)
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="sonovan-peers-") as temporary:
        folder = Path(temporary)
        try:
            bench = ready(folder / "state", None)
            found = measured(bench, folder, asked.only or names, asked.frames, asked.rounds, asked.seconds)
        finally:
            down(folder / "state")
    document = {
        "contenders": found,
        "frames_per_round": asked.frames,
        "sweeps": SWEEPS,
        "provider": bench.segmenter.provider,
        "model": bench.segmenter.model_id,
        "cpu": cpu_name(),
        "load_after": round(os.getloadavg()[0], 1),
        "measured_on": datetime.now(UTC).date().isoformat(),
    }
    asked.out.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    if asked.out == RESULTS:
        write_part(PAGE, table(document), MARKS)
    say(table(document))
    ahead = ahead_of_the_product(found)
    say("no peer is ahead" if not ahead else "; ".join(ahead))
    return 1 if ahead else 0


def measured(
    bench: Bench, folder: Path, names: Sequence[str], frames: int, rounds: int, seconds: float
) -> dict[str, dict[str, Any]]:
    """By contender: frames a second of each round, latency at each rate, what a kill loses and doubles."""
    running = contenders(bench, folder, names)
    rates: dict[str, list[float]] = {name: [] for name in running}
    for name, one in running.items():  # to warm up: connections, caches, the broker's compiler
        from_now_on(bench.centre.kafka(), name)
        queued(bench, Contender(one.start, one.stop), max(frames // 5, 30), SWEEPS)
        say(f"{name} is warm")
    for number in range(1, rounds + 1):
        for name, one in running.items():
            from_now_on(bench.centre.kafka(), name)
            rates[name].append(queued_fps(bench, Contender(one.start, one.stop), frames, SWEEPS))
            say(f"round {number}: {name} {rates[name][-1]:.1f} frames/s")
    found: dict[str, dict[str, Any]] = {}
    for name, one in running.items():
        late = {}
        for fps in RATES:
            from_now_on(bench.centre.kafka(), name)
            late[f"at_{fps}_fps"] = latency(bench, Contender(partial(begun, bench, one), one.stop), fps, seconds)
        from_now_on(bench.centre.kafka(), name)
        lost, doubled = killed(bench, one, frames)
        found[name] = {
            "fps": round(statistics.median(rates[name]), 1) if rates[name] else None,
            "rounds": [round(each, 1) for each in rates[name]],
            **{f"{part}_{rate}": row[part] for rate, row in late.items() for part in ("p50_ms", "p95_ms")},
            "lost_by_a_kill": lost,
            "doubled_by_a_kill": doubled,
            "gives": "at least once; offsets at the broker" if name == PRODUCT else PEERS[name].gives,
        }
        say(f"{name}: {found[name]}")
    return found


def begun(bench: Bench, running: Running | ProductRunning) -> None:
    """Start a contender and return once it works on every partition: its first results have come."""
    running.start()
    running.await_open()
    with Tail(bench.centre.kafka("reader"), Topic.FRAME_SEGMENTED, "now") as tail:
        results(tail, queue(bench, items_of(bench, FIRST, SWEEPS)), FIRST)


def killed(bench: Bench, running: Running | ProductRunning, frames: int) -> tuple[int, int]:
    """Frames that never get a result, and results beyond a frame's first, where SIGKILL comes in the middle."""
    items = list(items_of(bench, frames, SWEEPS))
    with Tail(bench.centre.kafka("reader"), Topic.FRAME_SEGMENTED, "now") as tail:
        before = sum(tail.ends().values())
        screening = queue(bench, items)
        running.start()
        try:
            give_up_at = time.monotonic() + STILL_S
            while (there := sum(tail.ends().values()) - before) < KILLED_AFTER * frames:
                if time.monotonic() > give_up_at:
                    raise RuntimeError(f"only {there} of {frames} results came before the kill")
                time.sleep(0.05)
            running.kill()
            running.start()
            there, seen_s = 0, time.monotonic()
            while there < frames or time.monotonic() - seen_s < 3.0:  # doubled ones may come behind the last
                if (now := sum(tail.ends().values()) - before) > there:
                    there, seen_s = now, time.monotonic()
                elif time.monotonic() - seen_s > STILL_S:
                    break
                time.sleep(0.25)
        finally:
            running.stop()
        found = counted(tail, screening, there)
    return frames - len(found.first), found.twice


def ahead_of_the_product(found: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """A line for each peer that loses nothing and is faster than the product."""
    if PRODUCT not in found:
        return []
    own, lines, rate = found[PRODUCT], [], f"at_{max(RATES)}_fps"
    for name, row in found.items():
        if name == PRODUCT or row["lost_by_a_kill"]:
            continue
        if own["fps"] is not None and row["fps"] > own["fps"]:
            lines.append(f"{name} makes {row['fps']} frames/s, the product {own['fps']}")
        if row[f"p95_ms_{rate}"] < own[f"p95_ms_{rate}"]:
            lines.append(f"{name}: p95 {row[f'p95_ms_{rate}']} ms, the product's {own[f'p95_ms_{rate}']}")
    return lines


def table(document: Mapping[str, Any]) -> str:
    """The page's part between its marks."""
    lines = [
        f"{document['model']}, {document['provider']} on {document['cpu']}, load after {document['load_after']}, "
        f"{document['measured_on']}; {document['frames_per_round']} frames in {document['sweeps']} sweeps a round.",
        "",
        f"| | frames/s (rounds) | {' | '.join(f'p95 at {fps} frames/s' for fps in RATES)} | lost, doubled by SIGKILL "
        "| guarantees |",
        "|---|---|---|---|---|---|",
    ]
    for name, row in document["contenders"].items():
        late = " | ".join(f"{row[f'p95_ms_at_{fps}_fps']:.0f} ms" for fps in RATES)
        rounds = ", ".join(map(str, row["rounds"]))
        lines.append(
            f"| {name} | {row['fps']} ({rounds}) | {late} | {row['lost_by_a_kill']}, {row['doubled_by_a_kill']} "
            f"| {row['gives']} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
