"""Choose how a network runs on this machine: as the operator fixed it, else on the GPU, else as a measurement finds.

The measurement takes the fastest way, except that a coarser precision must be WORTH times as fast as a more exact one,
for rounding may change a result. Provider, precision, streams and batch are one choice and are measured together. The
choice is remembered per user, weights, CPU, GPU and versions of the runtimes. The first process that has measured
decides for all, so that two workers on one machine compute alike.
"""

import logging
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Final, Literal

from sonovan.models.engine.batching import Batcher
from sonovan.models.engine.cpu import sums_eight_bits, usable_cores
from sonovan.models.engine.onnx_runner import OnnxRunner
from sonovan.models.engine.openvino_runner import MAX_STREAMS, OpenVinoRunner
from sonovan.models.engine.remembered_choice import Way, place_of, remember, remembered
from sonovan.models.engine.runner import GPU_DRIVER, Runner
from sonovan.models.engine.runtimes import onnxruntime, openvino
from sonovan.models.engine.timing import time_runners
from sonovan.models.errors import ModelError, ProviderNotGiven, WrongWeights, in_one_line
from sonovan.models.registry import Entry, Precision

log = logging.getLogger(__name__)

PRECISIONS: Final[dict[str, tuple[Precision, ...]]] = {
    "openvino": ("fp32", "bf16", "int8"),
    "cpu": ("fp32", "int8"),
    "cuda": ("fp32",),
    "tensorrt": ("fp32", "fp16"),
}
_ON_CPU: Final = ("openvino", "cpu")
EXACTNESS: Final[tuple[Precision, ...]] = ("fp32", "fp16", "bf16", "int8")
"""Most exact first."""
WORTH: Final = 1.5
"""docs/decisions/0015-exact-unless-it-is-slow.md"""
GPU_BATCHES: Final = (1, 4, 8)
"""How many frames a GPU may compute together. A CPU computes one: benchmarks/results/models.json."""


def open_runner(weights: bytes, entry: Entry, provider: str, precision: str, streams: int = 0) -> Runner:
    """A runner for exactly this provider and precision.

    weights: the file for this precision. streams: 0 leaves them to the number of cores.
    Raises ProviderNotGiven when the machine does not have it or the registry does not allow it for these weights.
    """
    if precision not in PRECISIONS.get(provider, ()):
        raise ProviderNotGiven(f"there is no {provider}/{precision}; there is: {_listed(PRECISIONS)}")
    if precision not in entry.precisions:
        allowed = ", ".join(entry.precisions)
        raise ProviderNotGiven(f"{provider}/{precision} was asked for, but {entry.id} is allowed in {allowed} only")
    if f"{provider}/{precision}" in entry.refused:
        raise ProviderNotGiven(f"{provider}/{precision} was asked for, but it costs {entry.id} too much accuracy")
    if precision == "int8" and not sums_eight_bits():
        raise ProviderNotGiven(
            f"{provider}/int8 was asked for, but this CPU has no VNNI: sums of products would overflow"
        )
    check_runtime(entry, "openvino" if provider == "openvino" else "onnxruntime")
    try:
        if provider == "openvino":
            return OpenVinoRunner(weights, entry, precision, streams or None)
        return OnnxRunner(weights, entry, provider, precision)
    except ModelError:
        raise
    except Exception as error:  # the runtimes have no common class for a file or a name that they cannot use
        raise WrongWeights(
            f"{entry.id} does not run on {provider} as the registry says: {in_one_line(error)}"
        ) from None


def check_runtime(entry: Entry, runtime: Literal["openvino", "onnxruntime"]) -> None:
    """Raise ProviderNotGiven if this runtime is older than the oldest one on which the network was measured."""
    least = entry.minimum_runtime.get(runtime)
    module = openvino() if runtime == "openvino" else onnxruntime()
    found = str(module.__version__).partition("-")[0]
    if least is not None and _numbers(found) < _numbers(least):
        raise ProviderNotGiven(f"{entry.id} needs {runtime} {least} or later; here is {found}: install the lock file")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())


def choose(
    weights: bytes,
    entry: Entry,
    provider: str = "auto",
    precision: str = "auto",
    variants: Mapping[Precision, bytes] | None = None,
) -> Runner:
    """The runner for this machine. What is `auto` is chosen here; what is named is taken or refused.

    variants: files of their own for precisions that have one (`read_variants`); int8 needs one.
    Raises ProviderNotGiven when nothing fits what was asked for.
    """
    files: dict[str, bytes] = dict.fromkeys((each for each in entry.precisions if each != "int8"), weights)
    files |= {name: data for name, data in (variants or {}).items()}  # noqa: C416  (its keys are of a narrower type)
    if provider == "auto" and precision in ("auto", "fp32") and GPU_DRIVER.exists():
        try:
            return _fastest(files, entry, ways_of("cuda", "fp32", entry))
        except ProviderNotGiven as error:
            log.warning("a GPU is here but cannot be used, falling back to the CPU: %s", error)
    ways = [
        way
        for name in (_ON_CPU if provider == "auto" else (provider,))
        for each in PRECISIONS.get(name, ())
        if precision in ("auto", each) and each in files
        for way in ways_of(name, each, entry)
    ]
    if not ways:
        if precision == "int8" and "int8" in entry.precisions and "int8" not in files:
            raise ProviderNotGiven(f"int8 was asked for, but {entry.id} has no int8 file: python -m training quantise")
        return open_runner(weights, entry, provider, precision)
    return _fastest(files, entry, ways)


def ways_of(provider: str, precision: str, entry: Entry) -> list[Way]:
    """The ways to run one provider and precision that are worth measuring; none if the registry does not allow it."""
    if precision not in entry.precisions or f"{provider}/{precision}" in entry.refused:
        return []
    if provider == "openvino":
        cores = min(usable_cores(), MAX_STREAMS)
        # two threads of one core share its multipliers: half as many streams may be as fast, and heat less
        halves = [cores // 2] if cores >= 4 else []
        return [Way(provider, precision, streams) for streams in (cores, *halves)]
    if provider == "cuda":
        return [Way(provider, precision, batch=size) for size in GPU_BATCHES]
    return [Way(provider, precision)]


def _fastest(files: Mapping[str, bytes], entry: Entry, ways: list[Way]) -> Runner:
    """The only way there is, else the remembered one, else the one that a measurement finds."""
    place = place_of(entry, ways, WORTH)
    known = ways[0] if len(ways) == 1 else remembered(place, ways)
    return _measured(files, entry, ways, place) if known is None else _opened(files, entry, known)


def _opened(files: Mapping[str, bytes], entry: Entry, way: Way) -> Runner:
    runner = open_runner(files[way.precision], entry, way.provider, way.precision, way.streams)
    return Batcher(runner, way.batch) if way.batch > 1 else runner


def _measured(files: Mapping[str, bytes], entry: Entry, ways: list[Way], place: Path) -> Runner:
    runners: dict[Way, Runner] = {}
    missing: list[ProviderNotGiven] = []
    for way in ways:
        try:
            runners[way] = _opened(files, entry, way)
        except ProviderNotGiven as error:
            log.info("%s", error)
            missing.append(error)
    if not runners:
        raise missing[0]
    callers = max(max(way.streams, way.batch) for way in ways)
    speeds = dict(zip(runners, time_runners(list(runners.values()), entry.side, callers=max(callers, 2)), strict=True))
    best = preferred({way: speed.frames_per_s for way, speed in speeds.items()})
    log.info("measured %s: %s is taken", "; ".join(f"{way}: {s.frames_per_s}/s" for way, s in speeds.items()), best)
    measured = [asdict(way) | asdict(speed) for way, speed in speeds.items()]
    written = remember(place, {"runs": asdict(best), "measured": measured})
    first = remembered(place, ways) if written else None  # another process may have been first
    return runners.get(first or best, runners[best])


def preferred(speeds: Mapping[Way, float]) -> Way:
    """The fastest way of the most exact precision that no coarser one beats by WORTH. speeds: frames per second."""
    best = {
        name: max((way for way in speeds if way.precision == name), key=lambda way: speeds[way], default=None)
        for name in EXACTNESS
    }
    ranked = [way for way in best.values() if way is not None]
    for number, way in enumerate(ranked):
        if all(speeds[coarser] < WORTH * speeds[way] for coarser in ranked[number + 1 :]):
            return way
    raise ValueError("no way was measured")


def _listed(table: dict[str, tuple[Precision, ...]]) -> str:
    return ", ".join(f"{name}/{each}" for name, all_of in table.items() for each in all_of)
