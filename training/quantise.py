"""An int8 file of a network: calibrated on training pictures, with layers left out where Dice asks for it.

Weights get one scale per channel, activations eight bits without sign. All eight bits of the weights are used (seven,
which CPUs without VNNI would need, lost .011 Dice on busi), so the engine offers int8 only where sums cannot overflow.
Which layers stay in float32 is decided by Dice on the validation split: none first, and while that loses more than BAR,
whichever group's return to float32 restores most, measured by the figure that is worst against its own bar.
"""

from __future__ import annotations

import hashlib
import json
import logging
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray

from sonovan.models.engine.choose import open_runner
from sonovan.models.engine.runtimes import onnxruntime
from sonovan.models.evaluation.index import INDEX, SETS, read_rows, spread
from sonovan.models.evaluation.precision import allowed, figures, loss, read_cases, share_of_bar
from sonovan.models.registry import Entry, read_registry, read_weights
from sonovan.models.segmenter import Segmenter, assembled
from training.graphs import own_constants, read_past_quantisation, share_alike, whole
from training.samples import load

OPERATORS: Final = ("Conv", "Add", "Concat", "Resize", "Clip", "Relu")
GROUPS: Final = (
    "/stem/",
    "/head/",
    "/blocks.0/",
    "/ups.3/",
    "/ups.2/",
    "/ups.1/",
    "/ups.0/",
    "/depthwise/",
    "/project/",
)
"""Parts of nodes' names that may be left out: the ends of the network, the decoder's stages, kinds of convolution."""
MARGIN: Final = 0.001
"""Kept between the loss measured here and the bar: another CPU's rounding is not this one's."""

Frames = NDArray[np.float32]
Say = Callable[[str], None]
Attempt = Callable[[tuple[str, ...]], tuple[bytes, dict[str, float]]]


def quantise(weights: Path, model: str | None, data: Path, pictures: int, say: Say) -> None:
    """Writes `ID-int8.onnx` beside a registered network's file and enters it into the registry.

    weights: the registry's folder. pictures: how many training pictures calibrate.
    Whether int8 is then allowed is decided by `python -m benchmarks.models --register`.
    """
    entry = read_registry(weights).entry(model)
    cases = read_cases(data)
    exact = figures(_segmenter(entry, read_weights(entry, weights), "fp32", weights), cases)
    say(f"float32 {exact}")
    with tempfile.TemporaryDirectory() as folder:
        frames = calibration_frames(data, entry.side, pictures)
        quantiser = _Quantiser(entry, read_weights(entry, weights), frames, Path(folder))

        def attempt(groups: tuple[str, ...]) -> tuple[bytes, dict[str, float]]:
            file = quantiser.make(groups)
            lost = loss(exact, figures(_segmenter(entry, file, "int8", weights), cases))
            say(f"in float32: {', '.join(groups) or 'nothing'}; loses {lost}")
            return file, lost

        left_out, best = search(attempt)
    path = weights / f"{entry.id}-int8.onnx"
    path.write_bytes(best)
    _register(weights / "registry.json", entry.id, path, left_out)
    say(f"{path} {path.stat().st_size / 1e6:.1f} MB, in float32: {', '.join(left_out) or 'nothing'}")


def calibration_frames(data: Path, side: int, count: int) -> list[Frames]:
    """About `count` training pictures, as many of each set, (1, 1, side, side) float32 each."""
    names = [name for name in SETS if (data / name / INDEX).is_file()]
    rows = [row for name in names for row in spread(read_rows(data, name, "train"), -(-count // len(names)))]
    return [sample.image.astype(np.float32)[None, None] for sample in load(rows, side)]


class _Quantiser:
    """Quantises one network again and again; its activations' ranges are measured once."""

    def __init__(self, entry: Entry, weights: bytes, frames: list[Frames], folder: Path) -> None:
        self._input = entry.input.name
        self._frames, self._folder = frames, folder
        model = onnx.load_from_string(weights)
        whole(model)
        own_constants(model)
        onnx.save(model, str(self._folder / "float32.onnx"))
        self._exact = model
        self._names = [node.name for node in model.graph.node if node.op_type in OPERATORS]

    def make(self, left_out: tuple[str, ...]) -> bytes:
        """The file with these groups in float32."""
        onnxruntime()  # before anything imports it: it must not report home
        from onnxruntime.quantization import QuantFormat, QuantType, quantize_static

        made = self._folder / "int8.onnx"
        logging.disable(logging.WARNING)  # it asks for a pre-processing that the export has done
        try:
            quantize_static(
                str(self._folder / "float32.onnx"), str(made), _Reader(self._input, self._frames),
                quant_format=QuantFormat.QDQ, op_types_to_quantize=list(OPERATORS), per_channel=True,
                activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
                nodes_to_exclude=[name for name in self._names if any(part in name for part in left_out)],
                calibration_cache_path=str(self._folder / "ranges.json"),
            )  # fmt: skip
        finally:
            logging.disable(logging.NOTSET)
        model = onnx.load(str(made))
        read_past_quantisation(model, self._exact)
        share_alike(model)
        return bytes(model.SerializeToString())


class _Reader:
    """As onnxruntime's CalibrationDataReader."""

    def __init__(self, name: str, frames: list[Frames]) -> None:
        self._inputs: Iterator[dict[str, Frames]] = iter({name: frame} for frame in frames)

    def get_next(self) -> dict[str, Frames] | None:
        return next(self._inputs, None)


def search(attempt: Attempt) -> tuple[tuple[str, ...], bytes]:
    """Which groups stay in float32, and the file; the best that was found where none is good enough.

    attempt: groups → the file without them, and what it loses.
    """
    left_out: tuple[str, ...] = ()
    file, lost = attempt(left_out)
    while not allowed({name: value + MARGIN for name, value in lost.items()}):
        others = [(*left_out, group) for group in GROUPS if group not in left_out]
        tries = {groups: attempt(groups) for groups in others}
        best = min(tries, key=lambda groups: share_of_bar(tries[groups][1]), default=None)
        if best is None or share_of_bar(tries[best][1]) >= share_of_bar(lost):
            break
        left_out, (file, lost) = best, tries[best]
    return left_out, file


def _segmenter(entry: Entry, weights: bytes, precision: str, folder: Path) -> Segmenter:
    measured = entry.model_copy(update={"precisions": ("fp32", "int8")})
    return assembled(measured, open_runner(weights, measured, "openvino", precision), folder)


def _register(registry: Path, model: str, path: Path, left_out: tuple[str, ...]) -> None:
    document: dict[str, Any] = json.loads(registry.read_text(encoding="utf-8"))
    entry = next(each for each in document["models"] if each["id"] == model)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    entry["variants"] = {"int8": {"file": path.name, "sha256": sha256, "in_float32": list(left_out)}}
    entry["precisions"] = [each for each in entry["precisions"] if each != "int8"]  # this file is not measured yet
    entry["refused"] = [each for each in entry.get("refused", []) if not each.endswith("/int8")]
    registry.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
