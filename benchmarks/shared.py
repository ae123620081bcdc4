"""What several benchmarks have in common: a made-up visit, and lines for whoever watches."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from sonovan.contracts.van import Consent
from sonovan.producers.items import Visit
from sonovan.producers.sources import CapturedFrame

VISIT: Final = Visit(subject_key="0" * 64, site_code="site-1", consent=Consent(screening=True, ai=True))


def say(line: str) -> None:
    """A line on stdout at once, with the time in UTC."""
    print(f"{datetime.now(UTC):%H:%M:%S} {line}", flush=True)


def numbered(frame: CapturedFrame, index: int) -> CapturedFrame:
    """The frame at another place of its sweep, its number in its first two pixels.

    Frames that are shown again must differ: one with the pixels of another of its sweep is not computed again.
    """
    pixels = frame.pixels.copy()
    pixels.reshape(-1)[:2] = divmod(index, 256)
    return replace(frame, frame_index=index, pixels=pixels)
