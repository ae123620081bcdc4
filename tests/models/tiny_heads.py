"""A tiny network with features, and companions for it whose answers are known; real ONNX files.

Its features are the mean brightness of each cell, so that `deep`, `fine` and `edge` have one channel each.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from benchmarks.onnx_bytes import field, model, node, number, pictures, tensor, value
from sonovan.models.heads.lesions import WORDS
from sonovan.models.heads.region_vector import PLAIN

SIDE = 256
EVIDENCE = 4 + 32
"""Mean and deviation of `deep` and of `fine`, then the picture's figures."""
REGION = 3 + 2 + 2 + PLAIN
COLOUR = 4 + 10
"""Where the share of coloured pixels stands in the evidence."""


def _ints(name: str, values: Sequence[int]) -> bytes:
    return field(5, field(1, name) + b"".join(number(8, value) for value in values) + number(20, 7))


def looking_model() -> bytes:
    """frames (N, 1, 256, 256) → masks (bright is breast, dark is thyroid), deep, fine and edge of one channel."""
    axis = field(5, field(1, "axis") + number(3, 1) + number(20, 2))
    nodes = [
        node("Mul", ["frames", "share"], "bright"),
        node("Sub", ["one", "bright"], "dark"),
        node("Concat", ["bright", "dark"], "masks", axis),
    ]
    given = [pictures("masks", 2, SIDE)]
    for name, cell in (("deep", 32), ("fine", 8), ("edge", 4)):
        nodes.append(
            node("AveragePool", ["bright"], name, _ints("kernel_shape", (cell, cell)) + _ints("strides", (cell, cell)))
        )
        given.append(pictures(name, 1, SIDE // cell))
    constants = [tensor(name, np.array(value, np.float32)) for name, value in (("share", 1 / 255), ("one", 1.0))]
    return model("tiny", nodes, constants, [pictures("frames", 1, SIDE)], given)


def linear_model(name: str, width: int, heads: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> bytes:
    """`name` (N, width) → for each head softmax(x · weights (width, words) + offsets (words,))."""
    nodes, constants, given = [], [], []
    for key, (weights, offsets) in heads.items():
        nodes += [
            node("MatMul", [name, f"{key}/w"], f"{key}/x"),
            node("Add", [f"{key}/x", f"{key}/b"], f"{key}/y"),
            node("Softmax", [f"{key}/y"], key),
        ]
        constants += [tensor(f"{key}/w", weights), tensor(f"{key}/b", offsets)]
        given.append(value(key, ("batch", weights.shape[1])))
    return model("tiny", nodes, constants, [value(name, ("batch", width))], given)


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


def _with_constant(network: bytes, malignant: float) -> bytes:
    """The model with an output `malignant` (N, 1) beside: a sigmoid of a constant, protobuf fields appended."""
    offset = np.array([np.log(malignant / (1 - malignant))])
    nodes = [
        node("MatMul", ["regions", "malignant/w"], "malignant/x"),
        node("Add", ["malignant/x", "malignant/b"], "malignant/y"),
        node("Sigmoid", ["malignant/y"], "malignant"),
    ]
    graph = b"".join(field(1, each) for each in nodes)
    for name, values in (("malignant/w", np.zeros((REGION, 1))), ("malignant/b", offset)):
        graph += field(5, tensor(name, values))
    graph += field(12, value("malignant", ("batch", 1)))
    return network + field(7, graph)  # a message that stands twice is merged: protobuf's own rule


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
