"""How fast every provider, precision and batch runs a network here; `benchmarks.models` makes the table.

The reference is the plain CPU provider: onnxruntime in float32 at its default settings, all cores, called by one thread
or by one per core, whichever is faster. All contestants take turns, round by round, and a ratio is taken within its
round, so that another load on the machine hits both sides.
"""

import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.processes import PEAK, memory_mib
from sonovan.models.engine.choose import PRECISIONS, open_runner
from sonovan.models.engine.cpu import usable_cores
from sonovan.models.engine.runner import Batch, Outputs, Runner
from sonovan.models.engine.runtimes import onnxruntime
from sonovan.models.errors import ProviderNotGiven
from sonovan.models.registry import Entry, Precision, read_registry, read_variants, read_weights

PLAIN: Final = "plain"
BATCHES: Final = (1, 2, 4)
CALLS: Final = 6
"""Batches per caller in a round."""


@dataclass(frozen=True)
class Timed:
    """One contestant's figures.

    ms: median of a batch alone. cpu_ms: of all cores per frame, least of the rounds: what it costs on a machine that
    others use too. frames_per_s: with one caller per core, median of the rounds. ratio: to the plain provider, median,
    lowest and highest of the rounds. peak_mib: of a process that does nothing else.
    """

    provider: str
    precision: str
    batch: int
    ms: float
    cpu_ms: float
    frames_per_s: float
    ratio: float
    ratio_range: tuple[float, float]
    peak_mib: int


@dataclass(frozen=True)
class Network:
    """A registered network with the file of every precision; each may be opened, allowed or not: that is measured."""

    entry: Entry
    files: dict[str, bytes]

    def runners(self) -> dict[tuple[str, str], Runner]:
        """Every provider and precision that this machine has."""
        found: dict[tuple[str, str], Runner] = {}
        for provider, precisions in PRECISIONS.items():
            for precision in precisions:
                if precision not in self.files:
                    continue
                try:
                    found[provider, precision] = self.open(provider, precision)
                except ProviderNotGiven as error:
                    print(error, file=sys.stderr)
        return found

    def open(self, provider: str, precision: str) -> Runner:
        """Raises ProviderNotGiven where this machine has no such thing."""
        if provider == PLAIN:
            return Plain(self.files["fp32"], self.entry)
        return open_runner(self.files[precision], self.entry, provider, precision)


class Plain:
    """What anybody gets who opens the file with onnxruntime and sets nothing."""

    name = PLAIN

    def __init__(self, weights: bytes, entry: Entry) -> None:
        self._session = onnxruntime().InferenceSession(weights, providers=["CPUExecutionProvider"])
        self._input, self._outputs = entry.input.name, [entry.output.name, *entry.output.features]

    def run(self, batch: Batch) -> Outputs:
        """See `Runner.run`."""
        return dict(zip(self._outputs, self._session.run(self._outputs, {self._input: batch}), strict=True))


def read_network(weights: Path, model: str | None) -> Network:
    """Raises WrongWeights where a file is not what the registry names."""
    entry = read_registry(weights).entry(model)
    every: tuple[Precision, ...] = ("fp32", "bf16", "fp16", "int8")
    files: dict[str, bytes] = dict.fromkeys(every[:3], read_weights(entry, weights))
    files |= {str(name): data for name, data in read_variants(entry, weights).items()}
    return Network(entry.model_copy(update={"precisions": every, "refused": ()}), files)


def race(network: Network, weights: Path, rounds: int) -> list[Timed]:
    """Every provider and precision at every batch, and the plain provider, in alternating rounds."""
    plain = network.open(PLAIN, "fp32")
    runners = {(PLAIN, "fp32"): plain} | network.runners()
    cores, side = usable_cores(), network.entry.side
    frames = {size: _frames(size, side) for size in BATCHES}
    turns = [(*name, size) for name in runners for size in BATCHES]
    alone: dict[tuple[str, str, int], list[float]] = {turn: [] for turn in turns}
    rates: dict[tuple[str, str, int], list[float]] = {turn: [] for turn in turns}
    ratios: dict[tuple[str, str, int], list[float]] = {turn: [] for turn in turns}
    costs: dict[tuple[str, str, int], list[float]] = {turn: [] for turn in turns}
    for provider, precision, size in turns:
        runners[provider, precision].run(frames[size])  # compiles for this size
    for _ in range(rounds):
        for provider, precision, size in turns:
            runner, batch = runners[provider, precision], frames[size]
            alone[provider, precision, size] += [_seconds(runner, batch, 1, 1)[0] for _ in range(3)]
            tries = []
            for callers in {1, cores} if provider == PLAIN else {cores}:
                done, (wall, used) = size * CALLS * callers, _seconds(runner, batch, callers, CALLS)
                tries.append((done / wall, used / done))
            rate, used = max(tries)
            rates[provider, precision, size].append(rate)
            costs[provider, precision, size].append(used)
        reference = rates[PLAIN, "fp32", 1][-1]
        for turn in turns:
            ratios[turn].append(rates[turn][-1] / reference)
    return [
        Timed(
            *turn,
            round(1e3 * statistics.median(alone[turn]), 1),
            round(1e3 * min(costs[turn]), 1),
            round(statistics.median(rates[turn]), 1),
            round(statistics.median(ratios[turn]), 2),
            (round(min(ratios[turn]), 2), round(max(ratios[turn]), 2)),
            _peak_mib(weights, network.entry.id, turn),
        )
        for turn in turns
    ]


def _frames(size: int, side: int) -> Batch:
    return np.random.default_rng(0).uniform(0, 255, (size, 1, side, side)).astype(np.float32)


def _seconds(runner: Runner, batch: Batch, callers: int, calls: int) -> tuple[float, float]:
    """Of the clock, and of all cores together."""

    def call() -> None:
        for _ in range(calls):
            runner.run(batch)

    threads = [threading.Thread(target=call) for _ in range(callers)]
    started, used = time.perf_counter(), time.process_time()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - started, time.process_time() - used


def _peak_mib(weights: Path, model: str, turn: tuple[str, str, int]) -> int:
    command = [sys.executable, "-m", __name__, str(weights), model, *map(str, turn)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return int(done.stdout.splitlines()[-1])


def _alone(words: Sequence[str]) -> None:
    """What `_peak_mib` starts: prints the peak memory in MiB of opening one contestant and running it."""
    weights, model, provider, precision, size = words
    network = read_network(Path(weights), model)
    runner = network.open(provider, precision)
    _seconds(runner, _frames(int(size), network.entry.side), usable_cores(), 2)
    # not ru_maxrss: a child starts with its parent's
    print(int(memory_mib("self", PEAK)))


if __name__ == "__main__":
    _alone(sys.argv[1:])
