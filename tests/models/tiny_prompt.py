"""A real prompt decoder of a dozen nodes: what it answers is known in advance.

Unasked it outlines what is bright; a point draws a disc of radius 8 around itself, a mask is given back as it came. Its
three masks are alike but for their size, and the last one claims to be best.
"""

import hashlib
import json
from pathlib import Path

import numpy as np

from benchmarks.onnx_bytes import INT64, field, model, node, number, tensor, value
from tests.models.tiny_onnx import MODEL_ID, write_weights

SIDE = 64
IOUS = (0.5, 0.2, 0.75)
RADIUS = 8


def _ints(name: str, *values: int, sizes: tuple[int, ...] = ()) -> bytes:
    return tensor(name, np.array(values, np.int64).reshape(sizes))


def _floats(name: str, *values: float, sizes: tuple[int, ...] = ()) -> bytes:
    return tensor(name, np.array(values, np.float32).reshape(sizes))


def _axis(value: int) -> bytes:
    return field(5, field(1, "axis") + number(3, value) + number(20, 2))


def tiny_decoder() -> bytes:
    """Inputs and outputs as docs/prompts.md names them; masks at the full 64×64."""
    nodes = [
        node("Gather", ["masks", "organ"], "own", _axis(1)),
        node("Sub", ["own", "half"], "lit"),
        node("Mul", ["lit", "twenty"], "bright"),
        node("Sub", ["one", "has_mask_input"], "free"),
        node("Mul", ["bright", "free"], "unasked"),
        node("Mul", ["mask_input", "has_mask_input"], "before"),
        node("Gather", ["point_coords", "first"], "columns", _axis(2)),
        node("Gather", ["point_coords", "second"], "rows", _axis(2)),
        node("Reshape", ["columns", "spread"], "px"),
        node("Reshape", ["rows", "spread"], "py"),
        node("Relu", ["point_labels"], "counts"),
        node("Reshape", ["counts", "spread"], "weight"),
        node("Sub", ["across", "px"], "dx"),
        node("Sub", ["down", "py"], "dy"),
        node("Mul", ["dx", "dx"], "dx2"),
        node("Mul", ["dy", "dy"], "dy2"),
        node("Add", ["dx2", "dy2"], "far"),
        node("Sub", ["reach", "far"], "near"),
        node("Relu", ["near"], "disc"),
        node("Mul", ["disc", "weight"], "discs"),
        node("ReduceSum", ["discs", "channel"], "clicked"),
        node("Add", ["unasked", "before"], "base"),
        node("Add", ["base", "clicked"], "single"),
        node("Sub", ["single", "twenty"], "smaller"),
        node("Add", ["single", "half"], "larger"),
        node("Concat", ["single", "smaller", "larger"], "logits", _axis(1)),
        node("Identity", ["claims"], "iou"),
    ]
    along = np.arange(SIDE, dtype=np.float32)
    constants = [
        _floats("half", 0.5), _floats("one", 1.0), _floats("twenty", 20.0), _floats("reach", RADIUS**2 + 10.0),
        _floats("claims", *IOUS, sizes=(1, 3)),
        tensor("across", np.broadcast_to(along, (1, 1, SIDE, SIDE))),
        tensor("down", np.broadcast_to(along[:, None], (1, 1, SIDE, SIDE))),
        _ints("first", 0), _ints("second", 1), _ints("channel", 1, sizes=(1,)),
        _ints("spread", 1, -1, 1, 1, sizes=(4,)),
    ]  # fmt: skip
    read = [
        value("masks", (1, 2, SIDE, SIDE)), value("organ", (1,), INT64), value("point_coords", (1, "points", 2)),
        value("point_labels", (1, "points")), value("mask_input", (1, 1, SIDE, SIDE)), value("has_mask_input", (1,)),
    ]  # fmt: skip
    given = [value("logits", (1, 3, SIDE, SIDE)), value("iou", (1, 3))]
    return model("tiny", nodes, constants, read, given)


def write_prompting(folder: Path, settings: dict[str, float] | None = None) -> Path:
    """A weights folder with the tiny network and this decoder beside it."""
    write_weights(folder, side=SIDE, precisions=("fp32",))
    data = tiny_decoder()
    (folder / "prompt.onnx").write_bytes(data)
    path = folder / "registry.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    companion = {"file": "prompt.onnx", "sha256": hashlib.sha256(data).hexdigest(), "settings": settings or {}}
    document["models"][0]["companions"] = {"prompt": companion}
    path.write_text(json.dumps(document), encoding="utf-8")
    return folder


__all__ = ["IOUS", "MODEL_ID", "RADIUS", "SIDE", "write_prompting"]
