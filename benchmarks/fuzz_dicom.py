"""DICOM files to damage: small whole ones of every transfer syntax, and mutations of headers and fragments."""

import io
import random
import struct
import warnings
from functools import cache

import imagecodecs
import numpy as np
import numpy.typing as npt
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

_NATIVE = (ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian)
_CODED = (JPEGBaseline8Bit, JPEGLosslessSV1, JPEGLSLossless, JPEG2000Lossless, RLELossless)
_ODD_TEXTS = ("", "0", "-1", "1,5", "nan", "1e308", "99999999", "3\\4", "\\", "x", "RIGHT", "B")
_NUMBERS = ("NumberOfFrames", "PixelSpacing", "FrameTime", "FrameTimeVector", "CineRate")
_MARK = "98765432"
"""Stands for an odd text where pydicom writes numbers alone."""
_TEXTS = ("ImageLaterality", "Laterality", "BodyPartExamined", "BurnedInAnnotation", "PhotometricInterpretation",
          "Modality")  # fmt: skip
_SHORTS = ("Rows", "Columns", "SamplesPerPixel", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation",
           "PlanarConfiguration")  # fmt: skip
_ODD_SHORTS = (0, 1, 3, 7, 9, 12, 15, 16, 17, 31, 33, 64, 255, 32_768, 65_535)
_FRAMES = 3


def damaged_dicom(rng: random.Random) -> bytes:
    """One damaged file: a header with odd values, or a file whose bytes, lengths or fragments were changed."""
    syntax = rng.choice(_NATIVE + _CODED)
    odd = rng.random() < 0.5
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = _file(syntax, rng) if odd else _whole(syntax)
    for _ in range(rng.randint(0 if odd else 1, 4)):
        data = rng.choice((_flip, _cut, _hole, _repeat, _lengthen, _item))(bytearray(data), rng)
    return data


@cache
def _whole(syntax: UID) -> bytes:
    return _written(_dataset(syntax), syntax)


def _file(syntax: UID, rng: random.Random) -> bytes:
    """A file with a few odd values, which pydicom writes without looking at them."""
    dataset = _dataset(syntax)
    odd = rng.choice(_ODD_TEXTS)
    for _ in range(rng.randint(1, 3)):
        kind = rng.randrange(4)
        if kind == 0:
            name = rng.choice((*_NUMBERS, *_TEXTS))
            setattr(dataset, name, _MARK if name in _NUMBERS else odd)
        elif kind == 1:
            setattr(dataset, rng.choice(_SHORTS), rng.choice(_ODD_SHORTS))
        elif kind == 2:
            name = rng.choice((*_NUMBERS, *_TEXTS, *_SHORTS))
            if name in dataset:
                delattr(dataset, name)
        else:
            item = dataset.SequenceOfUltrasoundRegions[0]
            name = rng.choice([element.keyword for element in item] or ["RegionFlags"])
            if rng.random() < 0.3 and name in item:
                delattr(item, name)
            elif name.startswith("PhysicalDelta"):
                setattr(item, name, rng.choice((0.0, -1.0, float("nan"), float("inf"), 1e-300)))
            else:
                setattr(item, name, rng.choice((0, 1, 63, 65_535)))
    return _written(dataset, syntax).replace(_MARK.encode(), odd.ljust(len(_MARK)).encode()[: len(_MARK)])


def _dataset(syntax: UID) -> Dataset:
    frames = [_picture(number) for number in range(_FRAMES)]
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    sop_class, instance = UID("1.2.840.10008.5.1.4.1.1.3.1"), UID("1.2.3.4")
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID = sop_class
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID = instance
    dataset.Modality, dataset.NumberOfFrames = "US", _FRAMES
    dataset.Rows, dataset.Columns = frames[0].shape
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation, dataset.PixelRepresentation = 1, "MONOCHROME2", 0
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 8, 8, 7
    dataset.FrameTime, dataset.FrameIncrementPointer = "40", 0x00181063
    dataset.ImageLaterality, dataset.BodyPartExamined = "L", "BREAST"
    region = Dataset()
    region.RegionLocationMinX0 = region.RegionLocationMinY0 = 0
    region.RegionLocationMaxX1, region.RegionLocationMaxY1 = 63, 47
    region.RegionSpatialFormat, region.RegionDataType, region.RegionFlags = 1, 1, 0
    region.PhysicalUnitsXDirection = region.PhysicalUnitsYDirection = 3
    region.PhysicalDeltaX = region.PhysicalDeltaY = 0.02
    dataset.SequenceOfUltrasoundRegions = [region]
    if syntax in _CODED:
        dataset.PixelData = encapsulate([coded(frame, syntax) for frame in frames])
        dataset["PixelData"].is_undefined_length = True
    else:
        dataset.PixelData = b"".join(frame.tobytes() for frame in frames)
    dataset["PixelData"].VR = "OB"
    return dataset


def _picture(number: int) -> npt.NDArray[np.uint8]:
    y, x = np.mgrid[0:48, 0:64]
    noise = np.random.default_rng(number).integers(0, 40, (48, 64))
    return np.asarray((60 + x + 20 * np.sin(y / 5) + noise).clip(0, 255), np.uint8)


def coded(picture: npt.NDArray[np.uint8], syntax: UID) -> bytes:
    """A grey picture, 64 pixels wide, as one stream of a transfer syntax; run lengths in one segment."""
    if syntax == JPEGBaseline8Bit:
        return bytes(imagecodecs.jpeg8_encode(picture, 90))
    if syntax == JPEGLosslessSV1:
        return bytes(imagecodecs.jpeg8_encode(picture, lossless=True, predictor=1))
    if syntax == JPEGLSLossless:
        return bytes(imagecodecs.jpegls_encode(picture, level=0))
    if syntax == JPEG2000Lossless:
        return bytes(imagecodecs.jpeg2k_encode(picture, level=0, reversible=True, codecformat="j2k"))
    return struct.pack("<16I", 1, 64, *[0] * 14) + bytes(imagecodecs.packbits_encode(picture))


def _written(dataset: Dataset, syntax: UID) -> bytes:
    out = io.BytesIO()
    try:
        dataset.save_as(out, enforce_file_format=True)
    except Exception:  # odd values that pydicom refuses to write: the whole file is damaged in another way
        return _whole(syntax)
    return out.getvalue()


def _flip(data: bytearray, rng: random.Random) -> bytes:
    for _ in range(rng.randint(1, 8)):
        data[rng.randrange(132, len(data))] = rng.randrange(256)
    return bytes(data)


def _cut(data: bytearray, rng: random.Random) -> bytes:
    return bytes(data[: rng.randrange(140, len(data))])


def _hole(data: bytearray, rng: random.Random) -> bytes:
    at = rng.randrange(132, len(data))
    length = rng.randint(1, 400)
    return bytes(data[:at] + bytes(len(data[at : at + length])) + data[at + length :])


def _repeat(data: bytearray, rng: random.Random) -> bytes:
    at = rng.randrange(132, len(data))
    part = data[at : at + rng.randint(1, 2000)]
    return bytes(data[:at] + part + data[at:])


def _lengthen(data: bytearray, rng: random.Random) -> bytes:
    """Another 32-bit number somewhere: lengths of elements, items and sequences, offsets, corners."""
    at = rng.randrange(132, len(data) - 4)
    struct.pack_into("<I", data, at, rng.choice((0, 1, 0xFFFFFFFF, 0x7FFFFFFF, 1 << 24, rng.randrange(1 << 16))))
    return bytes(data)


def _item(data: bytearray, rng: random.Random) -> bytes:
    """A fragment taken out, doubled, emptied, or given another length; the file as it is if it has none."""
    tag = b"\xfe\xff\x00\xe0"
    places = [at for at in range(132, len(data) - 8) if data[at : at + 4] == tag]
    if not places:
        return bytes(data)
    at = rng.choice(places)
    (length,) = struct.unpack_from("<I", data, at + 4)
    end = min(at + 8 + length, len(data))
    change = rng.randrange(4)
    if change == 0:
        return bytes(data[:at] + data[end:])
    if change == 1:
        return bytes(data[:end] + data[at:end] + data[end:])
    if change == 2:
        return bytes(data[:at] + tag + b"\0\0\0\0" + data[end:])
    struct.pack_into("<I", data, at + 4, rng.choice((0, length // 2, length + 2, 0xFFFFFFFF)))
    return bytes(data)
