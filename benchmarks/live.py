"""A device's live loop over minutes: frames per second and memory, at the start, in the middle and at the end.

    nice python -m benchmarks.live --minutes 2 --json benchmarks/results/live.json

Simulated frames are pushed one after the other as fast as this machine answers. `--stub` puts a network in place that
costs nothing, so that what is left is the loop's own cost: signing, coding, checking, keeping.
"""

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.processes import memory_mib
from sonovan import Analyser, models
from sonovan.models.phantom.sweep import simulate_sweep
from sonovan.models.picture.letterbox import Box
from sonovan.models.regions import FoundRegion
from sonovan.models.segmenter import Segmentation

FPS: Final = 30
SIZE: Final = (480, 640)
_PAGE_KIB: Final = 4


class Stub:
    """Stands for a network: one square region, at no cost."""

    model_id, weights_sha256, fingerprint, provider = "stub-1", "ab" * 32, "cd" * 32, "none/fp32"

    def segment(
        self,
        pixels: NDArray[Any],
        organ: str,
        panels: Sequence[Box] = (),
        spacing_mm: Sequence[tuple[float, float] | None] = (),
    ) -> Segmentation:
        """The same square in every frame."""
        grey = np.asarray(pixels, np.uint8)
        labels = np.zeros(grey.shape, np.uint8)
        labels[10:30, 10:30] = 1
        corners = ((10.0, 10.0), (29.0, 10.0), (29.0, 29.0), (10.0, 29.0))
        square = FoundRegion(
            panel=0,
            polygon=corners,
            box=(10, 10, 20, 20),
            centroid=(19.5, 19.5),
            area_px=400,
            score_mean=0.9,
            score_max=0.9,
            mask=np.ones((20, 20), np.bool_),
        )
        return Segmentation((square,), labels, 0.5, True, None, grey, {"network": 0.0})


def live(frames: int, network: Any, size: tuple[int, int] = SIZE) -> dict[str, Any]:
    """Push so many frames through one Analyser and close it.

    Returns frames per second of the first, middle and last tenth, and MiB in RAM: after the first tenth (everything is
    loaded and warm), in the middle, at the end, after the close; bytes that are kept of a frame in the temporary file.
    """
    pictures = simulate_sweep("breast", frames=24, seed=7, size=size).frames
    marks = {max(1, frames // 10): "start", frames // 2: "middle", frames: "end"}
    tenth = max(1, frames // 10)
    memory: dict[str, float] = {}
    rate: dict[str, float] = {}
    done: list[float] = [time.perf_counter()]
    analyser = Analyser(organ="breast", side="left", pixel_spacing_mm=0.1, network=network)
    for number in range(1, frames + 1):
        analyser.push(pictures[number % len(pictures)])
        done = [*done, time.perf_counter()][-tenth - 1 :]
        if number in marks:
            memory[marks[number]] = memory_mib("self")
            rate[marks[number]] = round((len(done) - 1) / (done[-1] - done[0]), 1)
    kept = analyser.kept_bytes
    closing = time.perf_counter()
    analysis = analyser.close()
    return {
        "frames": len(analysis.frames),
        "size": list(size),
        "frames_per_s": rate,
        "resident_mib": {**memory, "closed": memory_mib("self")},
        "kept_bytes_per_frame": round(kept / frames),
        "close_s": round(time.perf_counter() - closing, 1),
        "findings": len(analysis.findings),
    }


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.live", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=1.0, help=f"of {FPS} frames a second")
    parser.add_argument("--stub", action="store_true", help="a network that costs nothing")
    parser.add_argument("--json", type=Path, help="where to write the figures")
    given = parser.parse_args()
    network = Stub() if given.stub else models.load()
    figures = {"network": network.model_id, "provider": network.provider}
    figures |= live(round(given.minutes * 60 * FPS), network)
    text = json.dumps(figures, indent=1)
    print(text)
    if given.json:
        given.json.write_text(text + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
