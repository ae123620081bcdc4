"""The seam between what is segmented and what computes."""

from pathlib import Path
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

Batch = NDArray[np.float32]

GPU_DRIVER: Final = Path("/proc/driver/nvidia/version")


class Runner(Protocol):
    """One compiled network. Every method may be called from several threads at once."""

    @property
    def name(self) -> str:
        """What really runs, `provider/precision`: `openvino/bf16`, `cpu/fp32`."""

    def run(self, batch: Batch) -> Batch:
        """(N, 1, side, side) float32 grey 0..255 → (N, channels, side, side) float32 probabilities.

        The same frame gives the same bits whatever runs beside it, as long as N is the same.
        """
