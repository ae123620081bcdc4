"""Numbers of a DICOM header, read one attribute at a time, so that a bad one condemns nothing but itself.

pydicom (3.0.2) raises when a decimal string with a comma is looked at, and with it a whole file would be lost. Here
an attribute is read from its own bytes: a comma counts as the decimal point, and what is no finite number makes the
attribute unreadable and is named.
"""

import math
from dataclasses import dataclass
from typing import Any, Final

from pydicom import Dataset
from pydicom.datadict import tag_for_keyword
from pydicom.dataelem import RawDataElement

_TEXT: Final = ("DS", "IS")
_MOST: Final = 64  # characters of a value that a message shows


@dataclass(frozen=True, slots=True)
class Numbers:
    """The numbers of one attribute. told: its value as it stands in the file, shortened; "" where it is absent.

    values: finite numbers, () where the attribute is absent, empty or unreadable. readable: False if something stands
    there that is no finite number. comma: a decimal comma was read as a point.
    """

    values: tuple[float, ...] = ()
    told: str = ""
    readable: bool = True
    comma: bool = False


def numbers(dataset: Dataset, keyword: str) -> Numbers:
    """The numbers of the attribute `keyword`; never raises for what stands in it."""
    try:
        value = _value(dataset, keyword)
    except Exception as error:  # pydicom has no common base for what a malformed value makes it raise
        return Numbers(told=f"unreadable ({type(error).__name__})", readable=False)
    parts = [str(part).strip(" \0") for part in (value if isinstance(value, list) else [value])]
    told = "\\".join(parts)[:_MOST]
    if not any(parts):
        return Numbers()
    comma = any("," in part for part in parts)
    try:
        found = tuple(float(part.replace(",", ".")) for part in parts)
    except ValueError:
        return Numbers(told=told, readable=False)
    if not all(math.isfinite(number) for number in found):
        return Numbers(told=told, readable=False)
    return Numbers(found, told, comma=comma)


def whole(dataset: Dataset, keyword: str) -> int | None:
    """The one whole number of an attribute; None where it is absent, unreadable, several, or no whole number."""
    found = numbers(dataset, keyword)
    if len(found.values) != 1 or not found.values[0].is_integer():
        return None
    return int(found.values[0])


def _value(dataset: Dataset, keyword: str) -> Any:
    """One value, or a list of them: of a text attribute the parts as they stand in the file."""
    tag = tag_for_keyword(keyword)
    element = None if tag is None else dataset.get_item(tag)
    if element is None:
        return ""
    if isinstance(element, RawDataElement):
        raw = element.value or b""
        if element.VR in _TEXT:
            return raw.decode("latin-1").split("\\")
        if element.VR is None and keyword in _DECIMAL:
            return raw.decode("latin-1").split("\\")
        element = dataset[keyword]
    value = element.value
    if value is None:
        return ""
    if isinstance(value, (list, tuple)) or type(value).__name__ == "MultiValue":
        return list(value)
    return value


_DECIMAL: Final = frozenset(
    {
        "PixelSpacing",
        "FrameTime",
        "FrameTimeVector",
        "CineRate",
        "RecommendedDisplayFrameRate",
        "NumberOfFrames",
        "PixelAspectRatio",
    }
)
"""Attributes that are text in the standard's dictionary; an implicit file does not say so itself."""
