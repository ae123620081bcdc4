"""Letterbox before the graph or inside it: time and likeness of the two on pictures of common sizes.

    nice python -m benchmarks.letterbox

Inside means openvino's Interpolate (linear, antialiased: its nearest to OpenCV's area average) with open rows and
columns, as a graph for any input size needs it; one thread each, alternating. Prints a table for
docs/decisions/0010-letterbox.md.
"""

import statistics
import sys
import time
from collections.abc import Callable
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from sonovan.models.engine.runtimes import openvino
from sonovan.models.phantom.sweep import simulate_sweep
from sonovan.models.picture.letterbox import letterbox

SIDE: Final = 256
SIZES: Final = ((480, 640), (768, 1024), (1080, 1920))
ROUNDS: Final = 30


def inside() -> Callable[[NDArray[np.uint8]], NDArray[np.float32]]:
    """A compiled graph: grey (rows, columns) of any size → (rows, columns) float32, the longer side 256 pixels."""
    module = openvino()
    from openvino import opset13 as ops

    picture = ops.parameter(module.PartialShape([1, 1, -1, -1]), np.float32, name="picture")
    sizes = ops.parameter(module.PartialShape([2]), np.int64, name="sizes")
    shrunk = ops.interpolate(picture, sizes, "linear", "sizes", antialias=True, axes=np.array([2, 3], np.int64))
    model = module.Model([shrunk], [picture, sizes])
    compiled = module.Core().compile_model(model, "CPU", {"INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1})
    request = compiled.create_infer_request()

    def run(frame: NDArray[np.uint8]) -> NDArray[np.float32]:
        rows, columns = frame.shape
        scale = SIDE / max(rows, columns)
        target = np.array([round(rows * scale), round(columns * scale)], np.int64)
        request.infer({0: frame.astype(np.float32)[None, None], 1: target})
        return np.array(request.get_output_tensor(0).data[0, 0], np.float32)

    return run


def outside(frame: NDArray[np.uint8]) -> NDArray[np.float32]:
    """What the segmenter does: (256, 256) float32."""
    return letterbox(frame, SIDE)[0].astype(np.float32)


def main() -> int:
    """Prints a line per size."""
    cv2.setNumThreads(1)
    graph = inside()
    drawn = simulate_sweep("breast", 1, 5).frames[0]
    print("| picture | before the graph | inside | difference: mean, largest (grey levels) |\n|---|---|---|---|")
    for rows, columns in SIZES:
        frame = np.asarray(cv2.resize(drawn, (columns, rows), interpolation=cv2.INTER_CUBIC), np.uint8)
        spent: dict[str, list[float]] = {"outside": [], "inside": []}
        for _ in range(ROUNDS):
            for name, how in (("outside", outside), ("inside", graph)):
                started = time.perf_counter()
                how(frame)
                spent[name].append(1e3 * (time.perf_counter() - started))
        square, fit = letterbox(frame, SIDE)
        own = square[fit.top : fit.top + fit.height, fit.left : fit.left + fit.width].astype(np.float32)
        off = np.abs(own - graph(frame))
        before, within = (statistics.median(spent[name]) for name in ("outside", "inside"))
        print(f"| {columns}×{rows} | {before:.2f} ms | {within:.2f} ms | {off.mean():.2f}, {off.max():.0f} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
