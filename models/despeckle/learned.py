"""The learned despeckler: the exported residual network, on the plain CPU runtime."""

import functools
from pathlib import Path
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from sonovan.models.engine.runtimes import onnxruntime
from sonovan.models.registry import WEIGHTS_DIR, read_verified

Plane = NDArray[np.float32]

FILE: Final = "despeckle-1.onnx"
SHA256: Final = "4326f0baddff03fde2ce73dcf7c55bf0425cfa48248521e4fd737b279804dc40"
MULTIPLE: Final = 2
"""The network halves the picture inside, so that sides must be even."""


class Session(Protocol):
    """What is used of an onnxruntime session."""

    def run(self, outputs: list[str], inputs: dict[str, Plane]) -> list[Plane]: ...


def learned(image: Plane) -> Plane:
    """The picture without what the network takes for speckle.

    image: (rows, columns) float32, 0..1; any size. Returns the same shape, 0..1.
    Raises WrongWeights when the network's file is not there, or is not the one of the card.
    """
    rows, columns = image.shape
    even = np.pad(image, ((0, rows % MULTIPLE), (0, columns % MULTIPLE)), mode="edge")
    out = _session(WEIGHTS_DIR / FILE).run(["clean"], {"frames": even[None, None] * np.float32(255)})[0]
    return np.asarray(out[0, 0, :rows, :columns] / np.float32(255), np.float32)


def read_network(path: Path) -> bytes:
    """The bytes of the network's file. Raises WrongWeights, with both hashes, when it is another one."""
    return read_verified("despeckle-1", path, SHA256, "its card")


@functools.lru_cache(maxsize=1)
def _session(path: Path) -> Session:
    runtime = onnxruntime()  # silent: imported on its own it reports to its maker
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1
    session: Session = runtime.InferenceSession(read_network(path), options, providers=["CPUExecutionProvider"])
    return session
