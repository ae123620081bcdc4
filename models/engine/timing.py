"""How fast a runner is on this machine, in half a second."""

import statistics
import threading
import time
from dataclasses import dataclass
from typing import Final

import numpy as np

from sonovan.models.engine.runner import Batch, Runner

_FRAMES: Final = 4


@dataclass(frozen=True)
class Speed:
    """How fast a runner is.

    latency_ms: median for one frame alone. frames_per_s: with several callers at once, best of the rounds.
    """

    name: str
    latency_ms: float
    frames_per_s: float


def time_runners(runners: list[Runner], side: int, rounds: int = 3, callers: int = 2) -> list[Speed]:
    """Measure all runners in turn, in several rounds, so that other load on the machine affects all of them alike."""
    frame = np.random.default_rng(0).uniform(0, 255, (1, 1, side, side)).astype(np.float32)
    alone: list[list[float]] = [[] for _ in runners]
    together: list[float] = [0.0] * len(runners)
    for runner in runners:
        runner.run(frame)
    for _ in range(rounds):
        for number, runner in enumerate(runners):
            alone[number] += [_seconds(runner, frame) for _ in range(_FRAMES)]
            together[number] = max(together[number], _throughput(runner, frame, callers))
    return [
        Speed(runner.name, round(1e3 * statistics.median(seconds), 2), round(rate, 2))
        for runner, seconds, rate in zip(runners, alone, together, strict=True)
    ]


def _seconds(runner: Runner, frame: Batch) -> float:
    started = time.perf_counter()
    runner.run(frame)
    return time.perf_counter() - started


def _throughput(runner: Runner, frame: Batch, callers: int) -> float:
    def call() -> None:
        for _ in range(_FRAMES):
            runner.run(frame)

    threads = [threading.Thread(target=call) for _ in range(callers)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return callers * _FRAMES / (time.perf_counter() - started)
