"""How fast a runner is on this machine, in half a second."""

import statistics
import threading
import time
from dataclasses import dataclass
from typing import Final

import numpy as np

from models.engine.runner import Batch, Runner

_CALLERS: Final = 2
_FRAMES: Final = 4


@dataclass(frozen=True)
class Speed:
    """latency_ms: median of one frame alone. frames_per_s: with two callers at once, best of the rounds."""

    name: str
    latency_ms: float
    frames_per_s: float


def measure(runners: list[Runner], side: int, rounds: int = 3) -> list[Speed]:
    """Measures all runners in turn, round by round, so that another load on the machine hits all of them alike."""
    frame = np.random.default_rng(0).uniform(0, 255, (1, 1, side, side)).astype(np.float32)
    alone: list[list[float]] = [[] for _ in runners]
    together: list[float] = [0.0] * len(runners)
    for runner in runners:
        runner.run(frame)
    for _ in range(rounds):
        for number, runner in enumerate(runners):
            alone[number] += [_seconds(runner, frame) for _ in range(_FRAMES)]
            together[number] = max(together[number], _throughput(runner, frame))
    return [
        Speed(runner.name, round(1e3 * statistics.median(seconds), 2), round(rate, 2))
        for runner, seconds, rate in zip(runners, alone, together, strict=True)
    ]


def _seconds(runner: Runner, frame: Batch) -> float:
    started = time.perf_counter()
    runner.run(frame)
    return time.perf_counter() - started


def _throughput(runner: Runner, frame: Batch) -> float:
    def call() -> None:
        for _ in range(_FRAMES):
            runner.run(frame)

    callers = [threading.Thread(target=call) for _ in range(_CALLERS)]
    started = time.perf_counter()
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    return _CALLERS * _FRAMES / (time.perf_counter() - started)
