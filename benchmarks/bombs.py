"""Messages of msgpack that take hundreds of times their own size once they are unpacked."""

from collections.abc import Callable
from typing import Final

from sonovan.contracts.limits import MIB

LARGEST: Final = 31 * MIB
"""About the largest message that the broker takes."""

_START: Final = b"\x85\xa1v\x01\xa6header"
"""How an envelope begins, up to its first field's value."""


def _of(kind: bytes, count: int, filling: bytes) -> bytes:
    """A msgpack value whose length has 32 bits."""
    return kind + count.to_bytes(4, "big") + filling


_MADE: Final[dict[str, Callable[[int], bytes]]] = {
    "millions of small lists": lambda size: b"\x81\xa6header" + _of(b"\xdd", size, b"\x90" * size),
    "a huge map": lambda size: _of(b"\xdf", size // 2, b"\x01\x90" * (size // 2)),
    "lists within lists": lambda size: _START + b"\x91" * size,
    "maps within maps": lambda size: _START + b"\x81\xa1a" * (size // 3),
    "strings in a list": lambda size: _START + _of(b"\xdd", size // 2, b"\xa1a" * (size // 2)),
    "an ext type": lambda size: _START + _of(b"\xc9", size - 64, b"\x05" + b"e" * (size - 64)),
    "a key as long as the message": lambda size: b"\x85" + _of(b"\xdb", size - 64, b"k" * (size - 64)),
    "a list in the version's place": lambda size: b"\x85\xa1v" + _of(b"\xdd", size, b"\x01" * size),
}

BOMBS: Final = tuple(_MADE)
"""The names of all of them."""


def bomb(name: str, size: int) -> bytes:
    """The bomb of this name, of about so many bytes."""
    return _MADE[name](size)
