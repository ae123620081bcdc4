"""The seam between segmenting and computing: what every runtime must offer."""

from pathlib import Path
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

Batch = NDArray[np.float32]
Outputs = dict[str, Batch]
"""What a graph gives, by the names of its outputs; (N, channels, rows, columns) float32 each."""

GPU_DRIVER: Final = Path("/proc/driver/nvidia/version")


class Runner(Protocol):
    """One compiled network. Every method may be called from several threads at once."""

    @property
    def name(self) -> str:
        """What really runs, `provider/precision`: `openvino/bf16`, `cpu/fp32`."""

    def run(self, batch: Batch) -> Outputs:
        """(N, 1, side, side) float32 grey 0..255 → probabilities (N, channels, side, side), and the entry's features.

        The same frame gives the same bits whatever runs beside it, as long as N is the same.
        """
