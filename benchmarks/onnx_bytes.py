"""ONNX files of a few nodes, written by hand, for networks that give what is known beforehand.

Wire format: protobuf, with the fields of onnx.proto3. The package `onnx` belongs to the training room alone.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

FLOAT: Final = 1
INT64: Final = 7
"""`TensorProto.DataType`."""
_STORED: Final = {FLOAT: "<f4", INT64: "<i8"}
_OPSET: Final = 17
_IR_VERSION: Final = 8


def _varint(value: int) -> bytes:
    """A number as protobuf has it: seven bits in a byte, the lowest first."""
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out + bytes([value]))


def number(field: int, value: int) -> bytes:
    """A field that holds a number."""
    return _varint(field << 3) + _varint(value)


def field(field: int, value: bytes | str) -> bytes:
    """A field that holds a text, bytes or a message of its own."""
    data = value.encode() if isinstance(value, str) else value
    return _varint(field << 3 | 2) + _varint(len(data)) + data


def operands(*names: str) -> bytes:
    """What a node reads, in order."""
    return b"".join(field(1, name) for name in names)


def node(operator: str, inputs: Sequence[str], output: str, attribute: bytes = b"") -> bytes:
    """A `NodeProto` of one output. attribute: as a field of the node."""
    return operands(*inputs) + field(2, output) + field(4, operator) + attribute


def tensor(name: str, values: NDArray[np.float32] | NDArray[np.int64]) -> bytes:
    """A `TensorProto`: a constant of the graph, of any shape."""
    kind = INT64 if values.dtype == np.int64 else FLOAT
    sizes = b"".join(number(1, size) for size in values.shape)
    return sizes + number(2, kind) + field(8, name) + field(9, values.astype(_STORED[kind]).tobytes())


def value(name: str, sizes: Sequence[int | str], kind: int = FLOAT) -> bytes:
    """A `ValueInfoProto`: what goes into the graph or comes out of it. sizes: a text names one that is not fixed."""
    shape = b"".join(field(1, field(2, size) if isinstance(size, str) else number(1, size)) for size in sizes)
    return field(1, name) + field(2, field(1, number(1, kind) + field(2, shape)))


def pictures(name: str, channels: int, side: int) -> bytes:
    """`value` for pictures: (batch, channels, side, side) float32."""
    return value(name, ("batch", channels, side, side))


def model(
    name: str, nodes: Sequence[bytes], constants: Sequence[bytes], read: Sequence[bytes], given: Sequence[bytes]
) -> bytes:
    """A `ModelProto` of one graph. constants: of `tensor`; read, given: its inputs and outputs, of `value`."""
    graph = b"".join(field(1, each) for each in nodes) + field(2, name)
    for of_field, parts in ((5, constants), (11, read), (12, given)):
        graph += b"".join(field(of_field, each) for each in parts)
    return number(1, _IR_VERSION) + field(7, graph) + field(8, field(1, "") + number(2, _OPSET))
