"""A network that costs next to nothing and always outlines one oval: what a fast GPU would leave to everything else.

It is a real ONNX file with a registry, run by the engine like any other, so that a worker needs no switch for it.
"""

import hashlib
import json
import struct
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

MODEL_ID: Final = "stub-1"
SIDE: Final = 256
ENVIRONMENT: Final = {"SONOVAN_MODELS_PROVIDER": "cpu", "SONOVAN_MODELS_PRECISION": "fp32"}
"""Of a worker that runs it, beside SONOVAN_MODELS_WEIGHTS_DIR: nothing is measured first."""
_FLOAT: Final = 1
_OPSET: Final = 17


def write_stub(folder: Path) -> Path:
    """The folder with the file and its registry."""
    folder.mkdir(parents=True, exist_ok=True)
    data = stub()
    (folder / "stub.onnx").write_bytes(data)
    entry = {
        "id": MODEL_ID, "file": "stub.onnx", "sha256": hashlib.sha256(data).hexdigest(),
        "organs": {"breast": 0, "thyroid": 1}, "input": {"name": "frames", "rows": SIDE, "columns": SIDE},
        "output": {"name": "masks"}, "threshold": 0.5, "min_area_px": 4, "precisions": ["fp32"],
        "licence": "none", "card": "none",
    }  # fmt: skip
    (folder / "registry.json").write_text(json.dumps({"version": 1, "models": [entry]}), encoding="utf-8")
    return folder


def stub() -> bytes:
    """frames (N, 1, side, side) → masks (N, 2, side, side): .9 in an oval in the middle, .05 elsewhere.

    Wire format: protobuf, onnx.proto3.
    """
    row, column = np.ogrid[:SIDE, :SIDE]
    oval = ((row - SIDE / 2) / 30) ** 2 + ((column - SIDE / 2) / 50) ** 2 < 1
    shown = np.broadcast_to(np.where(oval, np.float32(0.9), np.float32(0.05)), (1, 2, SIDE, SIDE))
    nodes = [_node("Mul", ["frames", "nothing"], "black"), _node("Max", ["black", "shown"], "masks")]
    graph = b"".join(_field(1, node) for node in nodes) + _field(2, b"stub")
    graph += _field(5, _tensor("nothing", np.zeros((), np.float32))) + _field(5, _tensor("shown", shown))
    graph += _field(11, _value("frames", 1)) + _field(12, _value("masks", 2))
    return _number(1, 8) + _field(7, graph) + _field(8, _field(1, b"") + _number(2, _OPSET))


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out + bytes([value]))


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _field(field: int, data: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(data)) + data


def _node(operator: str, inputs: list[str], output: str) -> bytes:
    named = b"".join(_field(1, name.encode()) for name in inputs)
    return named + _field(2, output.encode()) + _field(4, operator.encode())


def _tensor(name: str, values: NDArray[np.float32]) -> bytes:
    sizes = b"".join(_number(1, size) for size in values.shape)
    raw = struct.pack(f"<{values.size}f", *values.ravel().tolist())
    return sizes + _number(2, _FLOAT) + _field(8, name.encode()) + _field(9, raw)


def _value(name: str, channels: int) -> bytes:
    sizes = [_field(2, b"batch"), _number(1, channels), _number(1, SIDE), _number(1, SIDE)]
    shape = b"".join(_field(1, size) for size in sizes)
    return _field(1, name.encode()) + _field(2, _field(1, _number(1, _FLOAT) + _field(2, shape)))
