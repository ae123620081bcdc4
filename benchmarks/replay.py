"""What live work loses while frames are replayed on the same machine: `make bench-replay`.

One worker of `segment` works through a queue that was there before it started, in turns alone and beside a
`sonovan replay` of the frames that stand there by then. The candidate is the shipped network with another threshold of
trust, so that it has a fingerprint of its own and costs the same. Written to `results/replay.json`; the exit code is 1
where live work loses more than a tenth in the median of the rounds.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from benchmarks.queued import Bench, queued_fps, ready, sweeps_of, the_worker
from benchmarks.shared import say
from sonovan.centre import down
from sonovan.contracts.topics import Topic
from sonovan.models.registry import WEIGHTS_DIR
from sonovan.transport.tail import Tail

RESULTS: Final = Path(__file__).parent / "results" / "replay.json"
CANDIDATE: Final = "candidate-1"
MOST: Final = 0.10
"""Live work may lose so much of its frames a second."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and write the results; the exit code is 1 where the bar is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.replay", description=__doc__)
    parser.add_argument("--frames", type=int, default=600, help="queued before the worker starts, per round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=RESULTS)
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="sonovan-replay-") as folder:
        state = Path(folder) / "state"
        try:
            results = _measure(ready(state, None), candidate(Path(folder)), chosen.frames, chosen.rounds)
        finally:
            down(state)
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    chosen.out.write_text(json.dumps(results, indent=2) + "\n")
    say(json.dumps(results, indent=2))
    return 0 if results["lost"] <= MOST else 1


def candidate(folder: Path) -> Path:
    """A folder of weights in which the shipped network stands under another name and with another fingerprint."""
    made = folder / "weights"
    shutil.copytree(WEIGHTS_DIR, made)
    registry = json.loads((made / "registry.json").read_text())
    entry = registry["models"][0]
    entry["id"] = CANDIDATE
    settings = entry["companions"]["trust"]["settings"]
    entry["companions"]["trust"]["settings"] = {name: value - 0.01 for name, value in settings.items()}
    registry["models"] = [entry]
    (made / "registry.json").write_text(json.dumps(registry))
    return made


def _measure(bench: Bench, weights: Path, frames: int, rounds: int) -> dict[str, Any]:
    since = datetime.now(UTC) - timedelta(seconds=1)
    worker, sweeps = the_worker(bench), sweeps_of(frames)
    queued_fps(bench, worker, frames, sweeps)  # warm, and frames to replay
    alone, beside, replayed = [], [], []
    for number in range(rounds):
        alone.append(queued_fps(bench, worker, frames, sweeps))
        with Tail(bench.centre.kafka("console"), Topic.FRAME_REPLAYED, "now") as shadows:
            before = sum(shadows.ends().values())
            with _replaying(bench, weights, since):
                beside.append(queued_fps(bench, worker, frames, sweeps))
            replayed.append(sum(shadows.ends().values()) - before)
        say(f"round {number + 1}: {alone[-1]:.1f} frames/s alone, {beside[-1]:.1f} beside {replayed[-1]} replayed")
    return {
        "alone_fps": round(statistics.median(alone), 1),
        "beside_fps": round(statistics.median(beside), 1),
        "lost": round(statistics.median(1 - b / a for a, b in zip(alone, beside, strict=True)), 3),
        "rounds": [
            {"alone_fps": round(a, 1), "beside_fps": round(b, 1), "replayed": count}
            for a, b, count in zip(alone, beside, replayed, strict=True)
        ],
        "frames_per_round": frames,
        "provider": bench.segmenter.provider,
        "measured_on": datetime.now(UTC).date().isoformat(),
    }


@contextmanager
def _replaying(bench: Bench, weights: Path, since: datetime) -> Iterator[None]:
    """A replay of everything that stands there, from when its network is loaded; killed at the end, and gone on with by
    the next one."""
    argv = [
        sys.executable, "-m", "sonovan", "replay", "--from", since.isoformat(), "--model", CANDIDATE,
        "--state", str(bench.centre.path),
    ]  # fmt: skip
    with Tail(bench.centre.kafka("console"), Topic.FRAME_REPLAYED, "now") as shadows:
        environment = os.environ | {"SONOVAN_MODELS_WEIGHTS_DIR": str(weights)}
        quiet = subprocess.DEVNULL
        process = subprocess.Popen(argv, env=environment, stdout=quiet, stderr=quiet, start_new_session=True)
        try:
            for _ in shadows.messages(until=lambda _: True, deadline_s=300.0):
                break
            else:
                raise RuntimeError("nothing was replayed within five minutes")
            yield
        finally:
            process.kill()
            process.wait()


if __name__ == "__main__":
    raise SystemExit(main())
