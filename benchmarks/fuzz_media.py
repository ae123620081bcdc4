"""Clips and pictures to damage: small whole ones of every container and format, with bytes changed or cut."""

import io
import random
import struct
from collections.abc import Callable
from functools import cache
from typing import Any, Final

import av
import cv2
import numpy as np
import numpy.typing as npt

_CLIPS: Final = (
    ("mp4", "libx264", "yuv420p"), ("mov", "mpeg4", "yuv420p"), ("avi", "mjpeg", "yuvj420p"),
    ("matroska", "libx264", "yuv420p"), ("webm", "libvpx", "yuv420p"), ("mpeg", "mpeg2video", "yuv420p"),
    ("mpegts", "libx264", "yuv420p"), ("asf", "wmv2", "yuv420p"),
)  # fmt: skip
_PICTURES: Final = (".png", ".jpg", ".webp", ".bmp", ".tif")


def damaged_clip(rng: random.Random) -> bytes:
    """One damaged clip."""
    return _damaged(_clip(*rng.choice(_CLIPS)), rng)


def damaged_picture(rng: random.Random) -> bytes:
    """One damaged picture."""
    return _damaged(_picture(rng.choice(_PICTURES)), rng)


def _damaged(data: bytes, rng: random.Random) -> bytes:
    """data with one to four faults; the first bytes mostly stay, for they say what it is."""
    changes: tuple[Callable[[bytearray, int, random.Random], bytes], ...] = (_flip, _cut, _hole, _repeat, _number)
    for _ in range(rng.randint(1, 4)):
        lowest = 0 if rng.random() < 0.1 else 16
        at = rng.randrange(lowest, min(len(data), 600) if rng.random() < 0.5 else len(data))
        data = rng.choice(changes)(bytearray(data), at, rng)
        if len(data) < 32:
            break
    return data


@cache
def _clip(kind: str, codec: str, pixels: str) -> bytes:
    held = io.BytesIO()
    with av.open(held, "w", format=kind) as container:
        stream: Any = container.add_stream(codec, rate=25, options={"g": "4"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, pixels
        for number in range(8):
            frame = av.VideoFrame.from_ndarray(_grey(number), format="gray").reformat(format=pixels)
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return held.getvalue()


@cache
def _picture(suffix: str) -> bytes:
    return bytes(cv2.imencode(suffix, _grey(0))[1])


def _grey(number: int) -> npt.NDArray[np.uint8]:
    return np.random.default_rng(number).integers(0, 256, (48, 64)).astype(np.uint8)


def _flip(data: bytearray, at: int, rng: random.Random) -> bytes:
    data[at] ^= 1 << rng.randrange(8)
    return bytes(data)


def _cut(data: bytearray, at: int, _rng: random.Random) -> bytes:
    return bytes(data[:at])


def _hole(data: bytearray, at: int, rng: random.Random) -> bytes:
    length = len(data[at : at + rng.randint(1, 400)])
    return bytes(data[:at] + bytes(length) + data[at + length :])


def _repeat(data: bytearray, at: int, rng: random.Random) -> bytes:
    return bytes(data[:at] + data[at : at + rng.randint(1, 2000)] + data[at:])


def _number(data: bytearray, at: int, rng: random.Random) -> bytes:
    """Another 32-bit number: sizes, counts, places, times."""
    at = min(at, len(data) - 4)
    number = rng.choice((0, 1, 0x7FFFFFFF, 0xFFFFFFFF, 1 << 24, rng.randrange(1 << 16)))
    struct.pack_into(rng.choice(("<I", ">I")), data, at, number)
    return bytes(data)
