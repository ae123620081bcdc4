"""Which runtime and precision this machine uses: what the operator fixed, else the GPU, else what was measured fastest.

A measurement is remembered per user, weights, CPU and runtime versions; the first process that measured decides for
all, so that two workers of one machine compute alike.
"""

import contextlib
import hashlib
import importlib.metadata
import json
import logging
import os
import platform
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Final

from models.engine.measure import measure
from models.engine.onnx_runner import OnnxRunner
from models.engine.openvino_runner import OpenVinoRunner, usable_cores
from models.engine.runner import GPU_DRIVER, Runner
from models.errors import ProviderNotGiven
from models.registry import Entry, Precision

log = logging.getLogger(__name__)

Pair = tuple[str, str]
"""(provider, precision)."""

PRECISIONS: Final[dict[str, tuple[Precision, ...]]] = {
    "openvino": ("fp32", "bf16"),
    "cpu": ("fp32",),
    "cuda": ("fp32",),
    "tensorrt": ("fp32", "fp16"),
}
_ON_CPU: Final = ("openvino", "cpu")
_PACKAGES: Final = ("onnxruntime-gpu", "openvino")


def open_runner(weights: bytes, entry: Entry, provider: str, precision: str) -> Runner:
    """The network on exactly this provider, in exactly this precision.

    Raises ProviderNotGiven when the machine does not have it or the registry does not allow it for these weights.
    """
    if precision not in PRECISIONS.get(provider, ()):
        raise ProviderNotGiven(f"there is no {provider}/{precision}; there is: {_listed(PRECISIONS)}")
    if precision not in entry.precisions:
        allowed = ", ".join(entry.precisions)
        raise ProviderNotGiven(f"{provider}/{precision} was asked for, but {entry.id} is allowed in {allowed} only")
    if provider == "openvino":
        return OpenVinoRunner(weights, entry, precision)
    return OnnxRunner(weights, entry, provider, precision)


def choose(weights: bytes, entry: Entry, provider: str = "auto", precision: str = "auto") -> Runner:
    """The runner for this machine. `auto` leaves open what is left open.

    Raises ProviderNotGiven when nothing fits what was asked for.
    """
    if provider == "auto" and precision in ("auto", "fp32") and GPU_DRIVER.exists():
        try:
            return open_runner(weights, entry, "cuda", "fp32")
        except ProviderNotGiven as error:
            log.warning("a GPU is here but cannot be used, falling back to the CPU: %s", error)
    pairs: list[Pair] = [
        (name, each)
        for name in (_ON_CPU if provider == "auto" else (provider,))
        for each in PRECISIONS.get(name, ())
        if precision in ("auto", each) and each in entry.precisions
    ]
    if len(pairs) < 2:
        fixed = pairs[0] if pairs else (provider, precision)
        return open_runner(weights, entry, *fixed)
    place = cache_folder() / f"{_key(entry, pairs)}.json"
    known = _remembered(place, pairs)
    if known is not None:
        return open_runner(weights, entry, *known)
    return _measured(weights, entry, pairs, place)


def cache_folder() -> Path:
    """`$XDG_CACHE_HOME/sonovan/engine`, or `~/.cache/sonovan/engine`."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if base.startswith("/") else Path.home() / ".cache") / "sonovan" / "engine"


def _measured(weights: bytes, entry: Entry, pairs: list[Pair], place: Path) -> Runner:
    runners = list(_openable(weights, entry, pairs))
    if not runners:
        raise ProviderNotGiven(f"none of {', '.join(map('/'.join, pairs))} runs on this machine")
    speeds = measure(runners, entry.side)
    best = max(range(len(runners)), key=lambda number: speeds[number].frames_per_s)
    chosen = runners[best].name
    log.info("measured %s: %s is fastest", ", ".join(f"{s.name} {s.frames_per_s}/s" for s in speeds), chosen)
    written = _remember(place, {"runs": chosen, "measured": [asdict(speed) for speed in speeds]})
    first = _remembered(place, pairs) if written else None  # another process may have been first
    decided = "/".join(first) if first else chosen
    return next((runner for runner in runners if runner.name == decided), runners[best])


def _openable(weights: bytes, entry: Entry, pairs: list[Pair]) -> Iterator[Runner]:
    for pair in pairs:
        try:
            yield open_runner(weights, entry, *pair)
        except ProviderNotGiven as error:
            log.info("%s", error)


def _remembered(place: Path, pairs: list[Pair]) -> Pair | None:
    try:
        runs = json.loads(place.read_bytes())["runs"]
        return next(pair for pair in pairs if "/".join(pair) == runs)
    except OSError:
        return None
    except (ValueError, KeyError, TypeError, StopIteration):
        log.warning("the remembered choice of runtime is damaged: measuring again")
        with contextlib.suppress(OSError):  # a cache that cannot be written is told when it is written
            place.unlink()
        return None


def _remember(place: Path, document: dict[str, object]) -> bool:
    """Writes the choice unless one is there. False when this user's cache cannot be written."""
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=place.parent, suffix=".part", encoding="utf-8") as part:
            json.dump(document, part, indent=1)
            part.flush()
            try:
                os.link(part.name, place)
            except FileExistsError:
                log.info("another process has chosen meanwhile")
    except OSError as error:
        log.warning("the choice of runtime cannot be remembered: %s", error.strerror)
        return False
    return True


def _key(entry: Entry, pairs: list[Pair]) -> str:
    machine = {
        "weights": entry.sha256,
        "pairs": pairs,
        "cpu": _cpu(),
        "cores": usable_cores(),
        "versions": {name: importlib.metadata.version(name) for name in _PACKAGES},
    }
    return hashlib.sha256(json.dumps(machine, sort_keys=True).encode()).hexdigest()[:32]


def _cpu() -> list[str]:
    """Model and flags of the first core; the processor's name where there is no /proc."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return [platform.machine(), platform.processor()]
    told = dict(line.split(":", 1) for line in reversed(lines) if ":" in line)
    return [value.strip() for key, value in sorted(told.items()) if key.strip() in ("model name", "flags", "Features")]


def _listed(table: dict[str, tuple[Precision, ...]]) -> str:
    return ", ".join(f"{name}/{each}" for name, all_of in table.items() for each in all_of)
