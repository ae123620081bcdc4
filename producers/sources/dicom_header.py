"""A DICOM file's header: read once, checked, turned into plain values; the pixels stay on the disk.

pydicom reads lazily and raises many kinds of error on malformed input, some only when a value is looked at. So
everything that is needed is looked at here, inside one boundary.
"""

import io
import re
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
from pydantic import TypeAdapter, ValidationError
from pydicom import Dataset, dcmread
from pydicom.filereader import read_file_meta_info
from pydicom.pixels.processing import apply_color_lut
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from sonovan.contracts.errors import InvalidRecord, Transient
from sonovan.contracts.words import ScannerModel, maker_of
from sonovan.producers.sources.bounds import check_size
from sonovan.producers.sources.decode import CODED, JPEG, JPEG_2000, PHOTOMETRICS, Array, PixelLayout
from sonovan.producers.sources.dicom_frames import FramePlaces, find_frames
from sonovan.producers.sources.dicom_moving import MOVING, find_moving
from sonovan.producers.sources.dicom_numbers import numbers, whole
from sonovan.producers.sources.dicom_places import Stated, stated_places
from sonovan.producers.sources.dicom_scale import read_regions, read_spacing
from sonovan.producers.sources.dicom_times import frame_times
from sonovan.producers.sources.reasons import Warned, refusal, warned
from sonovan.producers.sources.regions import UltrasoundRegion
from sonovan.producers.sources.source import MAX_INFLATED_BYTES

_NATIVE: Final = frozenset({ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian})
_ULTRASOUND: Final = frozenset(
    {
        "1.2.840.10008.5.1.4.1.1.6.1",  # US image
        "1.2.840.10008.5.1.4.1.1.6",  # US image, retired
        "1.2.840.10008.5.1.4.1.1.3.1",  # US multi-frame image
        "1.2.840.10008.5.1.4.1.1.3",  # US multi-frame image, retired
        "1.2.840.10008.5.1.4.1.1.6.2",  # enhanced US volume
    }
)
_DIRECTORY: Final = "1.2.840.10008.1.3.10"
_SECONDARY_CAPTURE: Final = "1.2.840.10008.5.1.4.1.1.7"
_UNDEFINED_LENGTH: Final = 0xFFFFFFFF
_ALMOST_SQUARE: Final = 0.01
_PIXEL_DATA: Final = (0x7FE0, 0x0010)


OLDEST_YEAR: Final = 1970
"""Whoever removes dates from a file may leave 1900 or 1 in their place."""

_MODEL: Final[TypeAdapter[str]] = TypeAdapter(ScannerModel)


@dataclass(frozen=True, slots=True)
class DicomHeader:
    """What the van uses of a file. times_ms: of every frame, None where the file does not say.

    regions: those whose place is certain, of region_items declared ones. spacing_mm: (column, row) of PixelSpacing.
    oblong: the file's PixelAspectRatio is not 1.
    """

    frames: FramePlaces
    times_ms: tuple[float, ...] | None
    regions: list[UltrasoundRegion]
    region_items: int
    spacing_mm: tuple[float, float] | None
    places: Stated
    burned_in: bool
    oblong: bool
    instance: str | None
    warnings: tuple[Warned, ...]
    manufacturer: str | None
    model: str | None
    acquired_on: date | None


@contextmanager
def guarded(path: Path) -> Iterator[None]:
    """Whatever a malformed file makes pydicom raise becomes InvalidRecord `unreadable`."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except (InvalidRecord, Transient):
        raise
    except PermissionError as error:
        raise refusal("no_permission", path, "this account may not read it") from error
    except Exception as error:  # pydicom has no common base for them; a RecursionError is among them
        raise refusal("unreadable", path, f"broken DICOM file ({type(error).__name__})") from error


def open_stream(path: Path) -> BinaryIO:
    """The file as a stream that is not deflated, at its start. A deflated one is inflated up to a limit.

    Raises InvalidRecord `too_large` when it inflates beyond that, OSError when it cannot be opened.
    """
    stream = path.open("rb")
    try:
        head = stream.read(132)
        meta = read_file_meta_info(path) if head[128:] == b"DICM" else None
        if meta is None or meta.get("TransferSyntaxUID") != DeflatedExplicitVRLittleEndian:
            stream.seek(0)
            return stream
        stream.seek(132 + 12 + meta.FileMetaInformationGroupLength)
        inflated = _inflated(path, stream.read())
    except BaseException:
        stream.close()
        raise
    stream.close()
    return io.BytesIO(inflated)  # without a preamble, explicit little endian: as pydicom then reads it


def _inflated(path: Path, data: bytes) -> bytes:
    engine = zlib.decompressobj(-zlib.MAX_WBITS)
    inflated = engine.decompress(data, MAX_INFLATED_BYTES)
    if engine.unconsumed_tail:
        raise refusal("too_large", path, f"the file inflates to more than {MAX_INFLATED_BYTES >> 20} MiB")
    return inflated


def read_header(path: Path, stream: BinaryIO) -> DicomHeader:
    """The header of the file in `stream`.

    Raises InvalidRecord: `not_ultrasound`, `no_frames`, `transfer_syntax_unknown`, `pixels_not_supported`,
    `unreadable`. Call it inside `guarded`.
    """
    dataset = dcmread(stream, stop_before_pixels=True, force=True)
    _refuse_unless_ultrasound(path, dataset)
    syntax = _transfer_syntax(path, dataset)
    at, length, words = _find_pixels(path, stream, syntax)
    layout = _pixel_layout(path, dataset, syntax)
    check_size(path, layout.rows, layout.columns, layout.decoded_bytes_per_pixel)
    swapped = words and layout.allocated == 8 and not syntax.is_little_endian
    if syntax in MOVING:
        places = find_moving(path, stream, dataset, layout, at)
    else:
        places = find_frames(path, stream, dataset, layout, at, length, swapped=swapped)
    regions, items, of_regions = read_regions(path, dataset, layout.rows, layout.columns)
    spacing, of_spacing = read_spacing(path, dataset)
    times, of_times = frame_times(path, dataset, places.count)
    stated = stated_places(path, dataset)
    of_sign: tuple[Warned, ...] = ()
    if layout.signed and syntax not in JPEG | JPEG_2000:  # whose own streams say it
        of_sign = (warned("samples_signed", path, "PixelRepresentation is 1"),)
    instance = dataset.get("SOPInstanceUID") or getattr(dataset, "file_meta", {}).get("MediaStorageSOPInstanceUID")
    return DicomHeader(
        frames=places,
        times_ms=times,
        regions=regions,
        region_items=items,
        spacing_mm=spacing,
        places=stated,
        burned_in=str(dataset.get("BurnedInAnnotation") or "").strip().upper() not in ("", "NO"),
        oblong=places.oblong or _oblong(dataset),
        instance=str(instance) if instance else None,
        warnings=(*places.warnings, *stated.warnings, *of_regions, *of_spacing, *of_times, *of_sign),
        manufacturer=maker_of(str(dataset.get("Manufacturer") or "")),
        model=_model(dataset.get("ManufacturerModelName")),
        acquired_on=_day(dataset),
    )


def _day(dataset: Dataset) -> date | None:
    """The day on which the pictures were taken, the study's where no nearer one is named; None where none is."""
    for name in ("AcquisitionDateTime", "AcquisitionDate", "ContentDate", "SeriesDate", "StudyDate"):
        digits = str(dataset.get(name) or "")[:10].replace(".", "")[:8]
        with suppress(ValueError):
            day = datetime.strptime(digits, "%Y%m%d").date() if len(digits) == 8 else None
            if day is not None and day.year >= OLDEST_YEAR:
                return day
    return None


def _oblong(dataset: Dataset) -> bool:
    told = numbers(dataset, "PixelAspectRatio").values
    return len(told) == 2 and min(told) > 0 and abs(told[0] / told[1] - 1) > _ALMOST_SQUARE


def _refuse_unless_ultrasound(path: Path, dataset: Dataset) -> None:
    modality = str(dataset.get("Modality") or "").strip().upper()
    sop_class = str(dataset.get("SOPClassUID") or "")
    if sop_class == _DIRECTORY or str(getattr(dataset, "file_meta", {}).get("MediaStorageSOPClassUID")) == _DIRECTORY:
        raise refusal("dicomdir", path, "it lists the files of a medium and holds no picture")
    if not modality and not sop_class and "Rows" not in dataset:
        raise refusal("unreadable", path, "no DICOM picture: it says neither what it is nor how large")
    secondary = sop_class == _SECONDARY_CAPTURE or sop_class.startswith(_SECONDARY_CAPTURE + ".")
    if (modality == "US" and (secondary or not sop_class)) or (modality in ("US", "") and sop_class in _ULTRASOUND):
        return
    what = UID(sop_class).name if sop_class else "of unknown kind"
    raise refusal("not_ultrasound", path, f"modality {modality or 'not given'}, {what}")


def _transfer_syntax(path: Path, dataset: Dataset) -> UID:
    meta = getattr(dataset, "file_meta", None)
    told = meta.get("TransferSyntaxUID") if meta is not None else None
    if told is None:
        implicit, little = dataset.original_encoding
        told = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian if little else ExplicitVRBigEndian
    syntax = UID(told)
    if syntax not in _NATIVE | CODED | MOVING:
        raise refusal("transfer_syntax_unknown", path, f"transfer syntax {syntax.name}")
    return syntax


def _find_pixels(path: Path, stream: BinaryIO, syntax: UID) -> tuple[int, int | None, bool]:
    """Where the value of PixelData starts, its length unless encapsulated, and whether it is made of 16-bit words.

    The stream stands before its tag.
    """
    order = "little" if syntax.is_little_endian else "big"
    head = stream.read(8)
    tag = int.from_bytes(head[:2], order), int.from_bytes(head[2:4], order)  # type: ignore[arg-type]  # a Literal
    if tag != _PIXEL_DATA:
        raise refusal("no_frames", path, "the file has no pixel data")
    length = int.from_bytes(head[4:] if syntax.is_implicit_VR else stream.read(4), order)  # type: ignore[arg-type]
    encapsulated = syntax in CODED | MOVING
    if encapsulated != (length == _UNDEFINED_LENGTH):
        raise refusal("unreadable", path, f"the pixel data do not fit transfer syntax {syntax.name}")
    return stream.tell(), None if encapsulated else length, head[4:6] == b"OW"


def _pixel_layout(path: Path, dataset: Dataset, syntax: UID) -> PixelLayout:
    photometric = str(dataset.get("PhotometricInterpretation") or "").strip().upper()
    rows, columns, allocated = (_needed(path, dataset, name) for name in ("Rows", "Columns", "BitsAllocated"))
    samples = whole(dataset, "SamplesPerPixel") or 1
    stored = whole(dataset, "BitsStored") or allocated
    high_bit = whole(dataset, "HighBit") or stored - 1
    if syntax in MOVING:  # the stream itself says how its pixels are coded; they are read as RGB of 8 bits
        photometric, samples, allocated, stored, high_bit = "RGB", 3, 8, 8, 7
    fits = photometric in PHOTOMETRICS and allocated in (8, 16) and samples == (3 if photometric[:3] in _THREE else 1)
    if not fits or not 0 < stored <= allocated or not stored - 1 <= high_bit < allocated:
        raise refusal("pixels_not_supported", path, f"{photometric}, {samples} samples of {stored} in {allocated} bits")
    palette, first = _palette(dataset, syntax) if photometric == "PALETTE COLOR" else (None, 0)
    return PixelLayout(
        rows=rows, columns=columns, samples=samples, allocated=allocated, stored=stored,
        high_bit=high_bit, signed=bool(whole(dataset, "PixelRepresentation")),
        planar=bool(whole(dataset, "PlanarConfiguration")), photometric=photometric, transfer_syntax=syntax,
        little_endian=syntax.is_little_endian, palette=palette, palette_first=first, overlays=_in_unused_bits(dataset),
    )  # fmt: skip


def _in_unused_bits(dataset: Dataset) -> bool:
    """Whether a bit of an overlay lies among the samples (OverlayBitPosition, retired)."""
    positions = [tag for tag in tuple(dataset.keys()) if tag.group & 0xFF00 == 0x6000 and tag.element == 0x0102]
    return any(dataset[tag].value for tag in positions)


_THREE: Final = ("RGB", "YBR")


def _needed(path: Path, dataset: Dataset, name: str) -> int:
    """A number without which no pixel can be read."""
    found = whole(dataset, name)
    if found is None:
        raise refusal("unreadable", path, f"its {name} is '{numbers(dataset, name).told or 'missing'}'")
    return found


def _palette(dataset: Dataset, syntax: UID) -> tuple[Array, int]:
    """The palette as (entries, 3), in 8 bits where 16 add nothing, and the pixel value of its first entry."""
    entries, first, _bits = (int(value) for value in dataset.RedPaletteColorLookupTableDescriptor)
    entries = entries or 65_536
    if "RedPaletteColorLookupTableData" in dataset:
        table = np.stack([_channel(dataset, name, entries, syntax) for name in ("Red", "Green", "Blue")], axis=-1)
    else:
        index = np.arange(first, first + entries).clip(0, 65_535).astype(np.uint16)
        table = np.asarray(apply_color_lut(index, dataset))[..., :3]
    if table.dtype == np.uint8:
        return table, first
    high, low = table >> 8, table & 0xFF
    if not low.any() or np.array_equal(high, low):
        return high.astype(np.uint8), first
    return (table.astype(np.uint8) if not high.any() else table.astype(np.uint16)), first


def _channel(dataset: Dataset, name: str, entries: int, syntax: UID) -> Array:
    """One plain table. pydicom's own reading (3.0.2) takes 16-bit entries of big-endian files for little-endian."""
    data = bytes(dataset[f"{name}PaletteColorLookupTableData"].value)
    if len(data) < 2 * entries:
        return np.frombuffer(data, np.uint8)[:entries]
    return np.frombuffer(data, "<u2" if syntax.is_little_endian else ">u2")[:entries].astype(np.uint16)


def _model(text: object) -> str | None:
    """A scanner's model as a code, spaces as hyphens; None for what does not look like one."""
    word = re.sub(r"[^A-Za-z0-9]+", "-", str(text or "")).strip("-")
    try:
        return _MODEL.validate_python(word)
    except ValidationError:
        return None
