"""A tiny network with features, and companions for it whose answers are known; ONNX files written by hand.

Its features are the mean brightness of each cell, so that `deep`, `fine` and `edge` have one channel each.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from sonovan.models.heads.lesions import WORDS
from sonovan.models.heads.region_vector import PLAIN
from tests.models.tiny_onnx import FLOAT, _bytes, _node, _number, _scalar, _value

SIDE = 256
EVIDENCE = 4 + 32
"""Mean and deviation of `deep` and of `fine`, then the picture's figures."""
REGION = 3 + 2 + 2 + PLAIN
COLOUR = 4 + 10
"""Where the share of coloured pixels stands in the evidence."""


def _ints(name: str, values: Sequence[int]) -> bytes:
    return _bytes(5, _bytes(1, name) + b"".join(_number(8, value) for value in values) + _number(20, 7))


def _matrix(name: str, values: np.ndarray) -> bytes:
    sizes = b"".join(_number(1, size) for size in values.shape)
    return sizes + _number(2, FLOAT) + _bytes(8, name) + _bytes(9, values.astype("<f4").tobytes())


def _rows(name: str, width: int) -> bytes:
    shape = _bytes(1, _bytes(2, "batch")) + _bytes(1, _number(1, width))
    return _bytes(1, name) + _bytes(2, _bytes(1, _number(1, FLOAT) + _bytes(2, shape)))


def _model(graph: bytes) -> bytes:
    return _number(1, 8) + _bytes(7, graph) + _bytes(8, _bytes(1, "") + _number(2, 17))


def looking_model() -> bytes:
    """frames (N, 1, 256, 256) → masks (bright is breast, dark is thyroid), deep, fine and edge of one channel."""
    axis = _bytes(5, _bytes(1, "axis") + _number(3, 1) + _number(20, 2))
    nodes = [
        _node("Mul", ["frames", "share"], "bright"),
        _node("Sub", ["one", "bright"], "dark"),
        _node("Concat", ["bright", "dark"], "masks", axis),
    ]
    graph = b""
    for name, cell in (("deep", 32), ("fine", 8), ("edge", 4)):
        nodes.append(
            _node("AveragePool", ["bright"], name, _ints("kernel_shape", (cell, cell)) + _ints("strides", (cell, cell)))
        )
        graph += _bytes(12, _value(name, 1, SIDE // cell))
    whole = b"".join(_bytes(1, node) for node in nodes) + _bytes(2, "tiny")
    whole += _bytes(5, _scalar("share", 1 / 255)) + _bytes(5, _scalar("one", 1.0))
    return _model(whole + _bytes(11, _value("frames", 1, SIDE)) + _bytes(12, _value("masks", 2, SIDE)) + graph)


def linear_model(name: str, width: int, heads: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> bytes:
    """`name` (N, width) → for each head softmax(x · weights (width, words) + offsets (words,))."""
    nodes, graph = [], _bytes(11, _rows(name, width))
    for key, (weights, offsets) in heads.items():
        nodes += [
            _node("MatMul", [name, f"{key}/w"], f"{key}/x"),
            _node("Add", [f"{key}/x", f"{key}/b"], f"{key}/y"),
            _node("Softmax", [f"{key}/y"], key),
        ]
        graph += _bytes(5, _matrix(f"{key}/w", weights)) + _bytes(5, _matrix(f"{key}/b", offsets))
        graph += _bytes(12, _rows(key, weights.shape[1]))
    return _model(b"".join(_bytes(1, node) for node in nodes) + _bytes(2, "tiny") + graph)


def trust_model() -> bytes:
    """Bright pictures are breasts, dark ones thyroids (mean of `deep` above or below .5), coloured ones foreign."""
    weights = np.zeros((EVIDENCE, 3))
    weights[0] = (40, -40, 0)
    weights[COLOUR] = (0, 0, 400)
    return linear_model("evidence", EVIDENCE, {"classes": (weights, np.array([-20.0, 20.0, -10.0]))})


def lesions_model(shares: Mapping[str, Sequence[float]], malignant: float) -> bytes:
    """The same answers for every region: logarithms of shares as offsets; heads that are not named say the first."""
    heads = {}
    for organ, names in WORDS.items():
        for name, words in names.items():
            given = shares.get(f"{organ}.{name}", [1.0, *[1e-6] * (len(words) - 1)])
            heads[f"{organ}.{name}"] = (np.zeros((REGION, len(words))), np.log(np.asarray(given, np.float64)))
    return _with_constant(linear_model("regions", REGION, heads), malignant)


def _with_constant(model: bytes, malignant: float) -> bytes:
    """The model with an output `malignant` (N, 1) beside: a sigmoid of a constant, protobuf fields appended."""
    offset = float(np.log(malignant / (1 - malignant)))
    nodes = [
        _node("MatMul", ["regions", "malignant/w"], "malignant/x"),
        _node("Add", ["malignant/x", "malignant/b"], "malignant/y"),
        _node("Sigmoid", ["malignant/y"], "malignant"),
    ]
    graph = b"".join(_bytes(1, node) for node in nodes)
    graph += _bytes(5, _matrix("malignant/w", np.zeros((REGION, 1)))) + _bytes(
        5, _matrix("malignant/b", np.array([offset]))
    )
    graph += _bytes(12, _rows("malignant", 1))
    return model + _bytes(7, graph)  # a message that stands twice is merged: protobuf's own rule


def write_heads(folder: Path, companions: Mapping[str, tuple[bytes, Mapping[str, float]]]) -> Path:
    """A weights folder with the looking model and these companions: role → graph, settings."""
    folder.mkdir(parents=True, exist_ok=True)
    data = looking_model()
    (folder / "tiny.onnx").write_bytes(data)
    named = {}
    for role, (graph, settings) in companions.items():
        (folder / f"tiny.{role}.onnx").write_bytes(graph)
        digest = hashlib.sha256(graph).hexdigest()
        named[role] = {"file": f"tiny.{role}.onnx", "sha256": digest, "settings": dict(settings)}
    entry = {
        "id": "tiny-heads-1", "file": "tiny.onnx", "sha256": hashlib.sha256(data).hexdigest(),
        "organs": {"breast": 0, "thyroid": 1}, "input": {"name": "frames", "rows": SIDE, "columns": SIDE},
        "output": {"name": "masks", "features": ["deep", "fine", "edge"]}, "threshold": 0.5, "min_area_px": 4,
        "precisions": ["fp32"], "licence": "test", "card": "none.md", "companions": named,
    }  # fmt: skip
    (folder / "registry.json").write_text(json.dumps({"version": 1, "models": [entry]}), encoding="utf-8")
    return folder
