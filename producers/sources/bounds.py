"""How large a picture may claim to be, judged before a byte of it is allocated."""

from pathlib import Path

from sonovan.contracts.limits import MAX_FRAME_BYTES, MAX_FRAME_PIXELS
from sonovan.producers.sources.origin import Origin
from sonovan.producers.sources.reasons import refusal
from sonovan.producers.sources.source import MAX_SIDE, MIN_SIDE


def check_size(path: Origin, rows: int, columns: int, bytes_per_pixel: int) -> None:
    """Raise InvalidRecord `too_small` or `too_large` unless such a frame can be used.

    bytes_per_pixel: samples times bytes per sample of the decoded picture.
    """
    if rows < MIN_SIDE or columns < MIN_SIDE:
        raise refusal(
            "too_small", path, f"the picture is {columns} x {rows}, at least {MIN_SIDE} x {MIN_SIDE} is needed"
        )
    size = rows * columns * bytes_per_pixel
    if rows > MAX_SIDE or columns > MAX_SIDE or rows * columns > MAX_FRAME_PIXELS or size > MAX_FRAME_BYTES:
        limit = f"{MAX_SIDE} on a side, {MAX_FRAME_PIXELS >> 20} megapixels and {MAX_FRAME_BYTES >> 20} MiB"
        raise refusal("too_large", path, f"the picture is {columns} x {rows} ({size >> 20} MiB), above {limit}")


def check_frames(path: Path, frames: int, limit: int) -> None:
    """Raise InvalidRecord `no_frames` or `too_large` unless a file may hold so many frames."""
    if frames < 1:
        raise refusal("no_frames", path, "the file holds no frame")
    if frames > limit:
        raise refusal("too_large", path, f"the file declares {frames} frames, above {limit}")
