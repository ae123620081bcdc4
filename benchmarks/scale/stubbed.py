"""A worker of `segment` whose network is a stub, as only benchmarks start it: no setting of the product leads here.

    python -m benchmarks.scale.stubbed INSTANCE MILLISECONDS

The stub outlines one square in each frame and takes so many milliseconds for it without computing, as a network on an
accelerator would. So workers share two cores, and what is measured is what stands around the network: Kafka, decoding,
measuring, the store, the consumer group.
"""

import sys
import time
from collections.abc import Sequence
from functools import partial
from typing import Any

from benchmarks.live import Stub
from sonovan import models
from sonovan.models.picture.letterbox import Box
from sonovan.models.segmenter import Segmentation
from sonovan.stream_apps import agent


class Waiting(Stub):
    """The stub, and a wait."""

    def __init__(self, takes_s: float) -> None:
        self._takes_s = takes_s

    def segment(
        self,
        pixels: Any,
        organ: str,
        panels: Sequence[Box] = (),
        spacing_mm: Sequence[tuple[float, float] | None] = (),
    ) -> Segmentation:
        """The same square in every frame, after the wait."""
        time.sleep(self._takes_s)
        return super().segment(pixels, organ, panels, spacing_mm)


def _load(takes_s: float, _model_id: str | None = None) -> Waiting:
    return Waiting(takes_s)


def main(instance: int, takes_ms: float) -> int:
    """Run the worker until SIGTERM; its exit code."""
    models.load = partial(_load, takes_ms / 1000)  # type: ignore[assignment]
    return agent.run("segment", instance)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), float(sys.argv[2])))
