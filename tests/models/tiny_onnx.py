"""A real ONNX file of five nodes, written by hand: probability = grey / 255 for breast, its complement for thyroid.

So tests know what any picture must give, whatever the shipped weights have learnt. Wire format: protobuf, onnx.proto3.
"""

import hashlib
import json
import struct
from pathlib import Path

FLOAT = 1
MODEL_ID = "tiny-1"


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out + bytes([value]))


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _bytes(field: int, value: bytes | str) -> bytes:
    data = value.encode() if isinstance(value, str) else value
    return _varint(field << 3 | 2) + _varint(len(data)) + data


def _scalar(name: str, value: float) -> bytes:
    return _number(2, FLOAT) + _bytes(8, name) + _bytes(9, struct.pack("<f", value))


def _operands(*names: str) -> bytes:
    return b"".join(_bytes(1, name) for name in names)


def _node(operator: str, inputs: list[str], output: str, attribute: bytes = b"") -> bytes:
    return _operands(*inputs) + _bytes(2, output) + _bytes(4, operator) + attribute


def _value(name: str, channels: int, side: int) -> bytes:
    sizes = [_bytes(2, "batch"), _number(1, channels), _number(1, side), _number(1, side)]
    shape = b"".join(_bytes(1, size) for size in sizes)
    return _bytes(1, name) + _bytes(2, _bytes(1, _number(1, FLOAT) + _bytes(2, shape)))


def tiny_model(side: int) -> bytes:
    """frames (N, 1, side, side) 0..255 → masks (N, 2, side, side): grey / 255 and 1 - grey / 255."""
    axis = _bytes(5, _bytes(1, "axis") + _number(3, 1) + _number(20, 2))
    nodes = [
        _node("Mul", ["frames", "share"], "bright"),
        _node("Sub", ["one", "bright"], "dark"),
        _node("Concat", ["bright", "dark"], "masks", axis),
    ]
    graph = b"".join(_bytes(1, node) for node in nodes) + _bytes(2, "tiny")
    graph += _bytes(5, _scalar("share", 1 / 255)) + _bytes(5, _scalar("one", 1.0))
    graph += _bytes(11, _value("frames", 1, side)) + _bytes(12, _value("masks", 2, side))
    return _number(1, 8) + _bytes(7, graph) + _bytes(8, _bytes(1, "") + _number(2, 17))


def write_weights(
    folder: Path,
    *,
    side: int = 224,
    precisions: tuple[str, ...] = ("fp32", "bf16"),
    variants: tuple[str, ...] = (),
) -> Path:
    """A weights folder with this model and its registry.

    variants: precisions with a file of their own, in which the two channels are swapped: so tests see which file ran.
    """
    folder.mkdir(parents=True, exist_ok=True)
    data = tiny_model(side)
    (folder / "tiny.onnx").write_bytes(data)
    swapped = data.replace(_operands("bright", "dark"), _operands("dark", "bright"))
    for precision in variants:
        (folder / f"tiny-{precision}.onnx").write_bytes(swapped)
    entry = {
        "id": MODEL_ID, "file": "tiny.onnx", "sha256": hashlib.sha256(data).hexdigest(),
        "organs": {"breast": 0, "thyroid": 1}, "input": {"name": "frames", "rows": side, "columns": side},
        "output": {"name": "masks"}, "threshold": 0.5, "min_area_px": 4, "precisions": precisions,
        "variants": {
            precision: {"file": f"tiny-{precision}.onnx", "sha256": hashlib.sha256(swapped).hexdigest()}
            for precision in variants
        },
        "licence": "test", "card": "none.md",
    }  # fmt: skip
    (folder / "registry.json").write_text(json.dumps({"version": 1, "models": [entry]}), encoding="utf-8")
    return folder
