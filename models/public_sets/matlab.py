"""MATLAB's MAT files of version 5, read without scipy: numbers, text, cells and structures, compressed or not.

scipy would be 35 MB for one file of one public set; the format is a published one of tagged elements. Files of version
7.3 are HDF5 and are refused by name. Source: MathWorks, "MAT-File Format" (R2023b), chapter 1.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sonovan.models.evaluation.index import UnusableData

Value = NDArray[np.number] | str | list["Value"] | list[dict[str, "Value"]]
"""Numbers with their shape; text; the elements of a cell or structure array in column order."""

_NUMBERS: Final = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
_TEXT: Final = {2: "latin-1", 4: "utf-16", 16: "utf-8", 17: "utf-16", 18: "utf-32"}
_MATRIX, _COMPRESSED = 14, 15
_CELL, _STRUCTURE, _CHARACTERS = 1, 2, 4
_CLASSES: Final = {6: "f8", 7: "f4", 8: "i1", 9: "u1", 10: "i2", 11: "u2", 12: "i4", 13: "u4", 14: "i8", 15: "u8"}
_COMPLEX: Final = 0x0800
MAX_UNPACKED: Final = 4 * 1024**3
"""Bytes of one variable once it is unpacked: OASBUD's one variable has a quarter of that."""
MAX_DEPTH: Final = 16


@dataclass(frozen=True)
class _Element:
    kind: int
    data: memoryview


def read_mat(path: Path) -> dict[str, Value]:
    """The variables of a file by their names.

    Raises UnusableData where it is no MAT file of version 5, breaks off, or holds what is read here by nobody (sparse
    or complex numbers, objects, functions).
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UnusableData(f"{path} cannot be read: {error.strerror}") from None
    if data[:19] == b"MATLAB 7.3 MAT-file":
        raise UnusableData(f"{path} is a MAT file of version 7.3 (HDF5); save it again with: save(file, var, '-v7')")
    if len(data) < 128 or data[126:128] not in (b"IM", b"MI"):
        raise UnusableData(f"{path} is no MAT file of version 5")
    reader = _Reader("<" if data[126:128] == b"IM" else ">")
    found: dict[str, Value] = {}
    try:
        for element in reader.elements(memoryview(data)[128:]):
            unpacked = reader.unpacked(element)
            if unpacked.kind == _MATRIX:
                name, value = reader.matrix(unpacked.data, 0)
                found[name] = value
    except (struct.error, zlib.error, ValueError, KeyError, IndexError) as error:
        raise UnusableData(f"{path} is no intact MAT file: {error}") from None
    return found


class _Reader:
    """Elements of one byte order. Every method raises ValueError, struct.error or zlib.error for damaged data."""

    def __init__(self, order: str) -> None:
        self._order = order

    def elements(self, data: memoryview) -> Iterator[_Element]:
        """The elements that follow each other, until the data ends."""
        place = 0
        while place + 8 <= len(data):
            first, second = struct.unpack_from(f"{self._order}II", data, place)
            if first >> 16:  # a small element: its size and data stand in the tag
                kind, size, start, step = first & 0xFFFF, first >> 16, place + 4, 8
            else:
                kind, size, start = first, second, place + 8
                step = 8 + (size if kind == _COMPRESSED else -(-size // 8) * 8)
            if start + size > len(data):
                raise ValueError("an element is longer than the file")
            yield _Element(kind, data[start : start + size])
            place += step

    def unpacked(self, element: _Element) -> _Element:
        if element.kind != _COMPRESSED:
            return element
        machine = zlib.decompressobj()
        data = machine.decompress(element.data, MAX_UNPACKED)
        if not machine.eof:
            raise ValueError("a compressed variable breaks off, or is too large")
        return next(self.elements(memoryview(data)))

    def matrix(self, data: memoryview, depth: int) -> tuple[str, Value]:
        """Name and value of a matrix element; an element of no bytes is an empty array."""
        if depth > MAX_DEPTH:
            raise ValueError("structures are nested too deeply")
        if not len(data):
            return "", np.zeros((0, 0))
        parts = self.elements(data)
        flags = int(self._numbers(next(parts))[0])
        shape = tuple(int(size) for size in self._numbers(next(parts)))
        name = bytes(next(parts).data).decode("latin-1")
        kind, count = flags & 0xFF, int(np.prod(shape, dtype=np.int64))
        if flags & _COMPLEX:
            raise ValueError("complex numbers are not read")
        if kind == _CELL:
            return name, [self._inner(next(parts), depth) for _ in range(count)]
        if kind == _STRUCTURE:
            return name, self._structures(parts, count, depth)
        if kind == _CHARACTERS:
            return name, self._characters(next(parts), shape)
        if kind not in _CLASSES:
            raise ValueError(f"arrays of class {kind} are not read")
        numbers = self._numbers(next(parts))
        if numbers.size != count:
            raise ValueError(f"an array of {count} numbers has {numbers.size}")
        return name, numbers.astype(np.dtype(_CLASSES[kind]), copy=False).reshape(shape, order="F")

    def _inner(self, element: _Element, depth: int) -> Value:
        if element.kind != _MATRIX:
            raise ValueError("a cell or field holds no matrix")
        return self.matrix(element.data, depth + 1)[1]

    def _structures(self, parts: Iterator[_Element], count: int, depth: int) -> list[dict[str, Value]]:
        width = int(self._numbers(next(parts))[0])
        names = bytes(next(parts).data)
        if width < 1 or len(names) % width:
            raise ValueError("the names of the fields are damaged")
        fields = [names[at : at + width].split(b"\0")[0].decode("latin-1") for at in range(0, len(names), width)]
        return [{field: self._inner(next(parts), depth) for field in fields} for _ in range(count)]

    def _characters(self, element: _Element, shape: tuple[int, ...]) -> str:
        """The text of a row of characters; the rows of several are joined by line ends."""
        encoding = _TEXT[element.kind]
        if encoding in ("utf-16", "utf-32"):
            encoding += "-le" if self._order == "<" else "-be"
        text = bytes(element.data).decode(encoding)
        rows = shape[0] if shape else 0
        return text if rows <= 1 else "\n".join(text[row::rows] for row in range(rows))

    def _numbers(self, element: _Element) -> NDArray[np.number]:
        return np.frombuffer(element.data, np.dtype(self._order + _NUMBERS[element.kind]))
