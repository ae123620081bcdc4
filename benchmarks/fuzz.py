"""Read damaged inputs: `python -m benchmarks.fuzz --minutes 10`, or `--count N`; `--keep FOLDER` keeps what went wrong.

Each input is read in a process of its own, with a bound on time and memory. It must end with frames, a named reason or
a named warning. A traceback, a signal, a bound that was broken, a reason that is not in the list, and a line that a
native library wrote to stderr are faults: the program keeps such inputs and ends with 1.

A kind of input is one more entry of `KINDS`: a suffix, and a function from a random generator to a file's bytes.
"""

import argparse
import json
import os
import random
import resource
import select
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.fuzz_dicom import damaged_dicom
from benchmarks.fuzz_media import damaged_clip, damaged_picture
from sonovan.contracts.errors import InvalidRecord
from sonovan.producers.sources import SOURCE_REASONS, CapturedFrame, CaptureOptions, open_sources

BOUND_S: Final = 10.0
BOUND_BYTES: Final = 2**30
"""What an input may take beyond what the program itself has."""


@dataclass(frozen=True, slots=True)
class Kind:
    """name: what `--kind` takes. suffix: of the file. make: a damaged file's bytes."""

    name: str
    suffix: str
    make: Callable[[random.Random], bytes]


KINDS: Final = (
    Kind("dicom", ".dcm", damaged_dicom),
    Kind("clip", ".clip", damaged_clip),
    Kind("picture", ".picture", damaged_picture),
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """seed: makes the same input again. told: reasons and `read`; fault: what must not be, None where all is well."""

    kind: str
    seed: int
    told: tuple[str, ...]
    fault: str | None
    elapsed_s: float


def fuzz(kinds: Sequence[Kind], seeds: Iterator[int], folder: Path) -> Iterator[Outcome]:
    """The outcome of one input per seed, of each kind in turn. folder: where the input of the moment lies."""
    for number, seed in enumerate(seeds):
        kind = kinds[number % len(kinds)]
        path = folder / f"{kind.name}-{seed}{kind.suffix}"
        path.write_bytes(kind.make(random.Random(seed)))
        told, fault, elapsed = _read_apart(path)
        yield Outcome(kind.name, seed, told, fault, elapsed)
        if fault is None:
            path.unlink()


def _read_apart(path: Path) -> tuple[tuple[str, ...], str | None, float]:
    """Read a file in a child process: what it came to, the fault if there is one, and seconds."""
    out, inlet = os.pipe()
    began = time.monotonic()
    with tempfile.TemporaryFile() as noise, os.fdopen(out, "rb") as pipe:
        child = os.fork()
        if child == 0:
            _child(path, inlet, noise.fileno())
        os.close(inlet)
        late = not select.select([pipe], [], [], BOUND_S)[0]
        if late:
            os.kill(child, signal.SIGKILL)
        answer = pipe.read()
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        elapsed = time.monotonic() - began
        noise.seek(0)
        written = noise.read().decode("utf-8", "replace").strip()
    if late:
        return (), f"longer than {BOUND_S:.0f} s", elapsed
    if status != 0 or not answer:
        return (), f"exit {status}: {written[-600:]}", elapsed
    told = tuple(json.loads(answer))
    unknown = [reason for reason in told if reason != "read" and reason not in SOURCE_REASONS]
    fault = f"unnamed {unknown}" if unknown else f"stderr: {written[:200]}" if written else None
    return told, fault or (None if told else "neither a frame nor a reason"), elapsed


def _child(path: Path, inlet: int, noise: int) -> None:
    """Never returns."""
    code = 1
    try:
        os.dup2(noise, 2)
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + BOUND_BYTES, used + BOUND_BYTES))
        os.write(inlet, json.dumps(sorted(_told(path))).encode())
        code = 0
    except BaseException:
        os.write(noise, traceback.format_exc().encode())
    finally:
        os._exit(code)


def _told(path: Path) -> set[str]:
    inputs = open_sources([path], CaptureOptions(organ="breast", side="left", max_frames=500))
    told = {error.reason for error in inputs.refused}
    for source in inputs.sources:
        try:
            for shot in source.read():
                told.add("read" if isinstance(shot, CapturedFrame) else shot.reason)
        except InvalidRecord as error:
            told.add(error.reason)
    return told


def _until(deadline: float | None, count: int | None, seed: int) -> Iterator[int]:
    number = seed
    while (deadline is None or time.monotonic() < deadline) and (count is None or number - seed < count):
        yield number
        number += 1


def main() -> int:
    """Fuzz, print what came of it, and keep what must not be."""
    parser = argparse.ArgumentParser(description="read damaged inputs")
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--count", type=int)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kind", action="append", choices=[kind.name for kind in KINDS])
    parser.add_argument("--keep", type=Path, help="folder for inputs that went wrong")
    asked = parser.parse_args()
    count = 1000 if asked.minutes is None and asked.count is None else asked.count
    deadline = None if asked.minutes is None else time.monotonic() + 60 * asked.minutes
    kinds = [kind for kind in KINDS if not asked.kind or kind.name in asked.kind]
    tally: Counter[str] = Counter()
    faults, slowest = 0, 0.0
    with tempfile.TemporaryDirectory() as scratch:
        folder = asked.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        for outcome in fuzz(kinds, _until(deadline, count, asked.seed), folder):
            tally[f"{outcome.kind}: {', '.join(outcome.told) or outcome.fault}"[:120]] += 1
            slowest = max(slowest, outcome.elapsed_s)
            if outcome.fault is not None:
                faults += 1
                print(f"FAULT {outcome.kind} seed {outcome.seed}: {outcome.fault}", flush=True)
    for line, number in tally.most_common():
        print(f"{number:8d}  {line}")
    print(f"{sum(tally.values())} inputs, {faults} faults, the slowest took {slowest:.2f} s")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
