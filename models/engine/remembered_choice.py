"""Remember in the user's cache folder which way to run a network was chosen on this machine."""

import contextlib
import hashlib
import importlib.metadata
import json
import logging
import os
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from sonovan.models.engine.cpu import cpu_flags, cpu_name, usable_cores
from sonovan.models.engine.runner import GPU_DRIVER
from sonovan.models.registry import Entry

log = logging.getLogger(__name__)

_PACKAGES: Final = ("onnxruntime-gpu", "openvino")


@dataclass(frozen=True)
class Way:
    """One way to run a network. streams: frames side by side in openvino, else 0. batch: frames computed as one."""

    provider: str
    precision: str
    streams: int = 0
    batch: int = 1

    def __str__(self) -> str:
        more = [f"{self.streams} streams"] * bool(self.streams) + [f"batches of {self.batch}"] * (self.batch > 1)
        return ", ".join([f"{self.provider}/{self.precision}", *more])


def cache_folder() -> Path:
    """`$XDG_CACHE_HOME/sonovan/engine`, or `~/.cache/sonovan/engine`."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if base.startswith("/") else Path.home() / ".cache") / "sonovan" / "engine"


def place_of(entry: Entry, ways: list[Way], worth: float) -> Path:
    """The file that remembers which of `ways` is taken for these weights, on this CPU and GPU, in these runtimes.

    worth: how much faster a coarser precision must be, part of the rule by which it was taken.
    """
    machine = {
        "worth": worth,
        "weights": [entry.sha256, *(variant.sha256 for variant in entry.variants.values())],
        "ways": [str(way) for way in ways],
        "cpu": [cpu_name(), *sorted(cpu_flags())],
        "gpu": _gpu(),
        "cores": usable_cores(),
        "versions": {name: importlib.metadata.version(name) for name in _PACKAGES},
    }
    key = hashlib.sha256(json.dumps(machine, sort_keys=True).encode()).hexdigest()[:32]
    return cache_folder() / f"{key}.json"


def _gpu() -> str:
    return GPU_DRIVER.read_text(encoding="utf-8") if GPU_DRIVER.is_file() else ""


def remembered(place: Path, ways: list[Way]) -> Way | None:
    """The way that was taken when it was measured; None where nothing, or nothing usable, is remembered."""
    try:
        runs = json.loads(place.read_bytes())["runs"]
        return next(way for way in ways if asdict(way) == runs)
    except OSError:
        return None
    except (ValueError, KeyError, TypeError, StopIteration):
        log.warning("the remembered choice of runtime is damaged: measuring again")
        with contextlib.suppress(OSError):  # a cache that cannot be written is told when it is written
            place.unlink()
        return None


def remember(place: Path, document: dict[str, object]) -> bool:
    """Write the choice unless there is one already. Returns False if this user's cache cannot be written."""
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
