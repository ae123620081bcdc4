"""Find text that a scanner drew into a picture: where it stands, not what it says."""

from sonovan.models.text.change import Seen
from sonovan.models.text.finder import FoundText, TextFinder, open_finder
from sonovan.models.text.lines import Line, drawn

__all__ = ["FoundText", "Line", "Seen", "TextFinder", "drawn", "open_finder"]
