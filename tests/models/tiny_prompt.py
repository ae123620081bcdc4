"""A real prompt decoder of a dozen nodes, written by hand: what it answers is known in advance.

Unasked it outlines what is bright; a point draws a disc of radius 8 around itself, a mask is given back as it came. Its
three masks are alike but for their size, and the last one claims to be best.
"""

import hashlib
import json
import struct
from pathlib import Path

from tests.models.tiny_onnx import FLOAT, MODEL_ID, _bytes, _node, _number, write_weights

SIDE = 64
INT64 = 7
IOUS = (0.5, 0.2, 0.75)
RADIUS = 8


def _tensor(name: str, sizes: tuple[int, ...], values: list[float], kind: int = FLOAT) -> bytes:
    raw = struct.pack(f"<{len(values)}{'f' if kind == FLOAT else 'q'}", *values)
    return b"".join(_number(1, size) for size in sizes) + _number(2, kind) + _bytes(8, name) + _bytes(9, raw)


def _shaped(name: str, sizes: tuple[int | str, ...], kind: int = FLOAT) -> bytes:
    shape = b"".join(_bytes(1, _bytes(2, size) if isinstance(size, str) else _number(1, size)) for size in sizes)
    return _bytes(1, name) + _bytes(2, _bytes(1, _number(1, kind) + _bytes(2, shape)))


def _axis(value: int) -> bytes:
    return _bytes(5, _bytes(1, "axis") + _number(3, value) + _number(20, 2))


def tiny_decoder() -> bytes:
    """Inputs and outputs as docs/prompts.md names them; masks at the full 64×64."""
    nodes = [
        _node("Gather", ["masks", "organ"], "own", _axis(1)),
        _node("Sub", ["own", "half"], "lit"),
        _node("Mul", ["lit", "twenty"], "bright"),
        _node("Sub", ["one", "has_mask_input"], "free"),
        _node("Mul", ["bright", "free"], "unasked"),
        _node("Mul", ["mask_input", "has_mask_input"], "before"),
        _node("Gather", ["point_coords", "first"], "columns", _axis(2)),
        _node("Gather", ["point_coords", "second"], "rows", _axis(2)),
        _node("Reshape", ["columns", "spread"], "px"),
        _node("Reshape", ["rows", "spread"], "py"),
        _node("Relu", ["point_labels"], "counts"),
        _node("Reshape", ["counts", "spread"], "weight"),
        _node("Sub", ["across", "px"], "dx"),
        _node("Sub", ["down", "py"], "dy"),
        _node("Mul", ["dx", "dx"], "dx2"),
        _node("Mul", ["dy", "dy"], "dy2"),
        _node("Add", ["dx2", "dy2"], "far"),
        _node("Sub", ["reach", "far"], "near"),
        _node("Relu", ["near"], "disc"),
        _node("Mul", ["disc", "weight"], "discs"),
        _node("ReduceSum", ["discs", "channel"], "clicked"),
        _node("Add", ["unasked", "before"], "base"),
        _node("Add", ["base", "clicked"], "single"),
        _node("Sub", ["single", "twenty"], "smaller"),
        _node("Add", ["single", "half"], "larger"),
        _node("Concat", ["single", "smaller", "larger"], "logits", _axis(1)),
        _node("Identity", ["claims"], "iou"),
    ]
    grid = range(SIDE)
    tensors = [
        _tensor("half", (), [0.5]), _tensor("one", (), [1.0]), _tensor("twenty", (), [20.0]),
        _tensor("reach", (), [RADIUS**2 + 10.0]), _tensor("claims", (1, 3), list(IOUS)),
        _tensor("across", (1, 1, SIDE, SIDE), [float(x) for _ in grid for x in grid]),
        _tensor("down", (1, 1, SIDE, SIDE), [float(y) for y in grid for _ in grid]),
        _tensor("first", (), [0], INT64), _tensor("second", (), [1], INT64), _tensor("channel", (1,), [1], INT64),
        _tensor("spread", (4,), [1, -1, 1, 1], INT64),
    ]  # fmt: skip
    inputs = [
        _shaped("masks", (1, 2, SIDE, SIDE)), _shaped("organ", (1,), INT64), _shaped("point_coords", (1, "points", 2)),
        _shaped("point_labels", (1, "points")), _shaped("mask_input", (1, 1, SIDE, SIDE)),
        _shaped("has_mask_input", (1,)),
    ]  # fmt: skip
    outputs = [_shaped("logits", (1, 3, SIDE, SIDE)), _shaped("iou", (1, 3))]
    graph = (
        b"".join(_bytes(1, node) for node in nodes) + _bytes(2, "tiny") + b"".join(_bytes(5, one) for one in tensors)
    )
    graph += b"".join(_bytes(11, one) for one in inputs) + b"".join(_bytes(12, one) for one in outputs)
    return _number(1, 8) + _bytes(7, graph) + _bytes(8, _bytes(1, "") + _number(2, 17))


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
