"""Clips that the tests read, encoded here."""

import io
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np


def shades(count: int, rows: int = 48, columns: int = 64) -> list[np.ndarray]:
    """Pictures that tell their number: its bits as bright blocks, and a bright top left corner."""
    pictures = []
    for number in range(count):
        picture = np.full((rows, columns), 40, np.uint8)
        picture[: rows // 4, : columns // 4] = 250
        for bit in range(6):
            if number >> bit & 1:
                left = bit * columns // 6
                picture[rows // 2 :, left : left + columns // 6] = 220
        pictures.append(picture)
    return pictures


def number_of(pixels: np.ndarray) -> int:
    """The number that a picture of `shades` tells."""
    grey = pixels[..., 0] if pixels.ndim == 3 else pixels
    rows, columns = grey.shape
    middles = [bit * columns // 6 + columns // 12 for bit in range(6)]
    return sum(int(grey[rows * 3 // 4, middle] > 130) << bit for bit, middle in enumerate(middles))


def write_clip(
    path: Path,
    pictures: Sequence[np.ndarray],
    codec: str = "libx264",
    *,
    kind: str | None = None,
    rate: int = 25,
    pixels: str = "yuv420p",
    shape: Fraction | None = None,
    turned: int = 0,
    times: Sequence[int] | None = None,
    options: dict[str, str] | None = None,
) -> Path:
    """kind: FFmpeg's name of the container, else the suffix. shape: a pixel's width over its height. times: in ms."""
    held = io.BytesIO()
    with av.open(held, "w", format=kind or path.suffix[1:]) as container:
        stream: Any = container.add_stream(codec, rate=rate, options=options or {})
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = pixels
        if shape is not None:
            stream.codec_context.sample_aspect_ratio = shape
        if times is not None:
            stream.codec_context.time_base = Fraction(1, 1000)
        if turned:
            stream.set_display_rotation(turned)
        for number, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="gray").reformat(format=pixels)
            frame.pts = number if times is None else times[number]
            frame.time_base = Fraction(1, rate) if times is None else Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    path.write_bytes(held.getvalue())
    return path


def packets(path: Path) -> list[tuple[int, int]]:
    """(place, length) of every packet of a clip's pictures, in the order of the file."""
    with av.open(io.BytesIO(path.read_bytes())) as container:
        return [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size]
