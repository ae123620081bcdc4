"""A source whose frames come cleaned, for whatever composes them to be sent."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from sonovan.contracts.errors import Fatal
from sonovan.models.errors import WrongWeights
from sonovan.models.text import open_finder
from sonovan.producers.privacy.clean import Cleaner, Doubt, Finder
from sonovan.producers.privacy.layouts import ScreenLayout, read_layouts
from sonovan.producers.sources import CapturedFrame, LostFrame, Source


def cleaned_source(
    source: Source, finder: Finder, *, layouts: Sequence[ScreenLayout] = (), doubt: Doubt = "hold"
) -> Source:
    """The same sequence; its frames come without text, and say how many pixels are black and why they are held.

    Frames come in the same order, each up to a block later than it was read.
    """

    def read() -> Iterator[CapturedFrame | LostFrame]:
        for shot, cleaned in Cleaner(source, finder, layouts=layouts, doubt=doubt).shots(source.read()):
            if cleaned is None or isinstance(shot, LostFrame):
                yield shot
            else:
                yield replace(shot, pixels=cleaned.pixels, blackened_px=cleaned.blackened_px, held=cleaned.held)

    return replace(source, read=read)


def open_cleaning(screens: Path | None = None) -> Callable[[Source], Source]:
    """What makes cleaned sources of sources on this van, with the network loaded once.

    screens: the file of what the site knows of its scanners' screens (`read_layouts`).
    Raises Fatal where the network is not installed as it was measured: a van that cannot look for text sends nothing.
    InvalidRecord `layouts_unreadable`.
    """
    layouts = () if screens is None else read_layouts(screens)
    try:
        finder = open_finder()
    except WrongWeights as error:
        raise Fatal(f"text in pictures cannot be looked for: {error}") from None
    return lambda source: cleaned_source(source, finder, layouts=layouts)
