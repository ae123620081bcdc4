"""The Basic Profile of PS3.15 with four of its options, stricter where a rule would let text through.

Options: Clean Pixel Data, Clean Descriptors, Retain Longitudinal Temporal Information with Modified Dates, Retain
Device Identity. What Table E.1-1 lists is done as it says. For what it does not list this is done, so that nothing
passes because nobody thought of it: numbers and codes stay; UIDs are mapped; dates are shifted; names, texts, binary
data and private attributes are removed, but for texts that are listed here.
"""

import copy
from collections.abc import Callable, Sequence
from typing import Final

from pydicom import DataElement, Dataset
from pydicom.datadict import keyword_for_tag
from pydicom.dataset import FileMetaDataset
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence as Items
from pydicom.uid import UID, ExplicitVRLittleEndian

from sonovan.producers.deidentify.keyed import Keyed, to_the_minute
from sonovan.producers.deidentify.pixels import Frames, drop_pixels, put_pixels
from sonovan.producers.deidentify.table import (
    BASIC,
    CLEANED,
    NEVER_DATED,
    PLACES_OF_DEVICES,
    RETAINED_DEVICE,
    Action,
)
from sonovan.producers.deidentify.words import cleaned, is_standard_scheme

METHOD: Final = "PS3.15 Table E.1-1 2026c, stricter on texts"
_CODES: Final = {
    "113100": "Basic Application Confidentiality Profile",
    "113101": "Clean Pixel Data Option",
    "113105": "Clean Descriptors Option",
    "113107": "Retain Longitudinal Temporal Information Modified Dates Option",
    "113109": "Retain Device Identity Option",
}
_NUMBERS: Final = frozenset(["CS", "DS", "IS", "FL", "FD", "SS", "US", "SL", "UL", "SV", "UV", "AT"])
_TEXTS_THAT_STAY: Final = frozenset(
    [
        "Manufacturer",
        "ManufacturerModelName",
        "SoftwareVersions",
        "CodeValue",
        "LongCodeValue",
        "CodingSchemeDesignator",
        "CodingSchemeVersion",
        "CodeMeaning",
        "TransducerData",
        "RescaleType",
    ]
)
_BINARY_THAT_STAYS: Final = frozenset(
    ["RedPaletteColorLookupTableData", "GreenPaletteColorLookupTableData", "BluePaletteColorLookupTableData"]
)
_MADE_HERE: Final = frozenset(
    {0x00120062, 0x00120063, 0x00120064, 0x00280301, 0x00280303}
)  # what an earlier program said of its own work would be repeated as ours
_PIXELS: Final = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010, 0x7FE00001, 0x7FE00002, 0x7FE00003})
_PATIENT_ID: Final = 0x00100020
_DUMMY: Final = {"DA": "19000101", "DT": "19000101", "TM": "0000", "PN": "REMOVED", "AS": "000Y", "UI": "2.25.0"}
_MOST_NESTED: Final = 32


class _TooDeep(ValueError):
    def __init__(self) -> None:
        super().__init__(f"the data set is nested more than {_MOST_NESTED} deep")


def deidentify(dataset: Dataset, keyed: Keyed, frames: Frames | None = None) -> Dataset:
    """A new data set without whatever names her; the given one is not changed.

    dataset: an object as a scanner made it, of any SOP class. keyed: secrets and the name under which she is known.
    frames: its pictures, cleaned of text (`producers/privacy`), which take the place of its own; None for none, and
    then the result has no picture at all: pixels that nobody cleaned never pass.
    The result is Explicit VR Little Endian, uncompressed, with a file meta group of its own.
    Raises ValueError for frames of different shapes, or a data set nested more than 32 deep.
    """
    result = _level(copy.deepcopy(dataset), keyed, 0)
    if frames is None:
        drop_pixels(result)
    else:
        put_pixels(result, frames)
    codes = [code for code in _CODES if code != "113101" or frames is not None]
    result.PatientIdentityRemoved = "YES"
    result.DeidentificationMethod = METHOD
    result.DeidentificationMethodCodeSequence = Items([_code(code) for code in codes])
    result.LongitudinalTemporalInformationModified = "MODIFIED"
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = result.get("SOPClassUID", "")
    meta.MediaStorageSOPInstanceUID = result.get("SOPInstanceUID", "")
    result.file_meta = meta
    return result


def _level(dataset: Dataset, keyed: Keyed, depth: int) -> Dataset:
    """The attributes of one level, and of the items below it."""
    if depth > _MOST_NESTED:
        raise _TooDeep
    kept = Dataset()
    for tag in sorted(dataset.keys()):
        if tag in _PIXELS and depth == 0:
            continue  # `put_pixels` makes them anew
        element = _element(dataset, int(tag), keyed, depth)
        if element is not None:
            kept.add(element)
    return kept


def _element(dataset: Dataset, tag: int, keyed: Keyed, depth: int) -> DataElement | None:
    """The attribute as it may stay; None where it is removed. What cannot be read is removed."""
    group = tag >> 16
    if group % 2 or tag in _MADE_HERE or group in (0x0000, 0x0002) or 0x5000 <= group <= 0x50FF:
        return None
    if 0x6000 <= group <= 0x60FF:
        return None
    try:
        element = dataset[tag]
        if element.VR == "SQ":
            return _sequence(element, tag, keyed, depth)
        return _value(element, tag, keyed)
    except RecursionError:
        raise _TooDeep from None
    except _TooDeep:
        raise
    except Exception:  # pydicom has no common base for what a malformed value makes it raise
        return None  # what nobody can read does not leave


def _sequence(element: DataElement, tag: int, keyed: Keyed, depth: int) -> DataElement | None:
    action = BASIC.get(tag)
    if tag in RETAINED_DEVICE or action in ("X/Z/U*", None):
        items = [_level(item, keyed, depth + 1) for item in element.value if _may_stay(item)]
        return DataElement(tag, "SQ", Items(items))
    return None if action == "X" or action is None else DataElement(tag, "SQ", Items([]))


def _may_stay(item: Dataset) -> bool:
    """Whether an item is no code, or one of a standard: what a site's own scheme means is not known."""
    return "CodingSchemeDesignator" not in item or is_standard_scheme(str(item.CodingSchemeDesignator))


def _value(element: DataElement, tag: int, keyed: Keyed) -> DataElement | None:
    action, vr = BASIC.get(tag), str(element.VR)
    if tag == _PATIENT_ID:
        return DataElement(tag, "LO", keyed.patient())
    if tag in RETAINED_DEVICE:
        return _of(tag, vr, element.value)
    if tag in PLACES_OF_DEVICES:
        return _each(element, tag, vr, lambda text: keyed.pseudonym("station", text) if text.strip() else "")
    if tag in CLEANED:
        return _each(element, tag, vr, cleaned)
    if vr in ("DA", "DT", "TM") and tag not in NEVER_DATED:
        return _each(
            element, tag, vr, {"DA": keyed.shifted_date, "DT": keyed.shifted_date_time, "TM": to_the_minute}[vr]
        )
    if action is not None:
        return _by_table(element, tag, vr, action, keyed)
    if vr == "UI":
        return _each(element, tag, vr, lambda uid: _mapped(uid, keyed))
    keyword = keyword_for_tag(tag)
    if not keyword:
        return None  # not in the standard's dictionary: nobody knows what it says
    stays = vr in _NUMBERS or keyword in _TEXTS_THAT_STAY or keyword in _BINARY_THAT_STAYS
    if stays:
        return _of(tag, vr, element.value)
    return DataElement(tag, "PN", "") if vr == "PN" else None


def _by_table(element: DataElement, tag: int, vr: str, action: Action, keyed: Keyed) -> DataElement | None:
    if action == "X":
        return None
    if action == "U":
        return _each(element, tag, vr, lambda uid: _mapped(uid, keyed))
    if "D" in action and vr in ("OB", "OW", "UN"):
        return None
    return DataElement(tag, vr, _DUMMY.get(vr, "REMOVED") if "D" in action else "")


def _mapped(uid: str, keyed: Keyed) -> str:
    """UIDs of the standard itself (SOP classes, syntaxes) stay: they say what an object is, not whose."""
    known = UID(uid.strip())
    return uid if not known or known.name != known else keyed.uid(uid)  # pydicom names those of the standard


def _each(element: DataElement, tag: int, vr: str, change: Callable[[str], str | None]) -> DataElement:
    """Every value of an attribute changed; those that cannot be are empty."""
    value = element.value
    values: Sequence[object] = value if isinstance(value, MultiValue | list | tuple) else [value]
    changed = [(change(str(one)) or "") if one is not None else "" for one in values]
    return DataElement(tag, vr, changed[0] if len(changed) == 1 else [one for one in changed if one] or "")


def _of(tag: int, vr: str, value: object) -> DataElement:
    return DataElement(tag, vr, value)


def _code(code: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = code, "DCM", _CODES[code]
    return item
