"""Many frames in one answer: each with its own header, so that a browser shows the first one while others follow.

A part is two whole numbers of 32 bits, little-endian (the header's and the payload's length in bytes), the header as
JSON and the payload. Every header names its frame. What could not be read has a header with `refused` and no payload,
so that a frame is never passed over without a word.
"""

import asyncio
import json
import struct
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, Final

from sonovan.contracts.errors import Fatal, InvalidRecord, Transient
from sonovan.models.errors import ModelError
from sonovan.storage.catalogue.cine import StoredPicture

LENGTHS: Final = struct.Struct("<II")
AHEAD: Final = 3
"""So many frames are read and coded beside the one that is being sent."""

CHUNKS: Final = "application/octet-stream"

Made = tuple[dict[str, Any], bytes]
"""What a header says beside the frame's name, and the payload."""


def part(header: dict[str, Any], payload: bytes = b"") -> bytes:
    """One part of an answer."""
    told = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    return LENGTHS.pack(len(told), len(payload)) + told + payload


def parts_of(data: bytes) -> list[tuple[dict[str, Any], bytes]]:
    """The parts of a whole answer. Raises ValueError where it is cut."""
    found, at = [], 0
    while at < len(data):
        if len(data) < at + LENGTHS.size:
            raise ValueError("the answer is cut in the lengths of a part")
        header, payload = LENGTHS.unpack_from(data, at)
        behind = at + LENGTHS.size + header + payload
        if len(data) < behind:
            raise ValueError("the answer is cut within a part")
        at += LENGTHS.size
        found.append((json.loads(data[at : at + header]), data[at + header : behind]))
        at = behind
    return found


async def streamed(pictures: Sequence[StoredPicture], make: Callable[[StoredPicture], Made]) -> AsyncIterator[bytes]:
    """The parts of an answer, in the order of frames. make: reads and codes one frame; it runs in threads."""
    waiting: deque[asyncio.Task[bytes]] = deque()
    rest = iter(pictures)
    try:
        while True:
            while len(waiting) < AHEAD and (picture := next(rest, None)) is not None:
                waiting.append(asyncio.create_task(asyncio.to_thread(_made, picture, make)))
            if not waiting:
                return
            yield await waiting.popleft()
    finally:
        for task in waiting:
            task.cancel()


def _made(picture: StoredPicture, make: Callable[[StoredPicture], Made]) -> bytes:
    header = {"frame": picture.frame_id, "index": picture.frame_index, "rows": picture.rows, "columns": picture.columns}
    try:
        more, payload = make(picture)
    except KeyError:
        return part({**header, "refused": "object_gone"})
    except InvalidRecord as error:
        return part({**header, "refused": error.reason})
    except ModelError:
        return part({**header, "refused": "object_contradicts_record"})
    except Transient:
        return part({**header, "refused": "not_now"})
    except Fatal:
        return part({**header, "refused": "store_refuses"})
    return part({**header, **more}, payload)
