"""A data set's picture, made anew from cleaned frames, or taken away."""

from collections.abc import Sequence
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydicom import DataElement, Dataset

Frames: TypeAlias = Sequence[NDArray[np.uint8] | NDArray[np.uint16]]

_OF_PICTURES: Final = [
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "Rows",
    "Columns",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "PlanarConfiguration",
    "LossyImageCompression",
    "LossyImageCompressionRatio",
    "LossyImageCompressionMethod",
    "SmallestImagePixelValue",
    "LargestImagePixelValue",
    "PixelPaddingValue",
    "RedPaletteColorLookupTableDescriptor",
    "GreenPaletteColorLookupTableDescriptor",
    "BluePaletteColorLookupTableDescriptor",
    "RedPaletteColorLookupTableData",
    "GreenPaletteColorLookupTableData",
    "BluePaletteColorLookupTableData",
    "BurnedInAnnotation",
]


def drop_pixels(dataset: Dataset) -> None:
    """Take away what describes a picture that is not there; how many frames there were stays."""
    for keyword in (*_OF_PICTURES,):
        if keyword in dataset and keyword not in ("Rows", "Columns"):
            del dataset[keyword]


def put_pixels(dataset: Dataset, frames: Frames) -> None:
    """Put cleaned frames in, uncompressed: grey or RGB, 8 or 16 bits, as they are.

    frames: (rows, columns) or (rows, columns, 3), uint8 or uint16, all of one shape.
    Raises ValueError for none, or for frames of different shapes or types.
    """
    if not frames or len({(frame.shape, frame.dtype) for frame in frames}) != 1:
        raise ValueError("the frames of one object have one shape, and there is at least one")
    first, lossy = frames[0], str(dataset.get("LossyImageCompression", ""))
    if (
        first.ndim not in (2, 3)
        or (first.ndim == 3 and first.shape[2] != 3)
        or first.dtype not in (np.uint8, np.uint16)
    ):
        raise ValueError(f"frames are grey or RGB, 8 or 16 bits; these are {first.shape} {first.dtype}")
    drop_pixels(dataset)
    bits = 8 * first.dtype.itemsize
    dataset.Rows, dataset.Columns = int(first.shape[0]), int(first.shape[1])
    dataset.SamplesPerPixel = 1 if first.ndim == 2 else 3
    dataset.PhotometricInterpretation = "MONOCHROME2" if first.ndim == 2 else "RGB"
    if first.ndim == 3:
        dataset.PlanarConfiguration = 0
    dataset.BitsAllocated = dataset.BitsStored = bits
    dataset.HighBit, dataset.PixelRepresentation = bits - 1, 0
    dataset.BurnedInAnnotation = "NO"
    if lossy:  # what was once lossy stays so (PS3.3 C.7.6.1.1.5)
        dataset.LossyImageCompression = lossy
    if len(frames) > 1 or "NumberOfFrames" in dataset:
        dataset.NumberOfFrames = len(frames)
    data = b"".join(np.ascontiguousarray(frame).astype(frame.dtype.newbyteorder("<")).tobytes() for frame in frames)
    dataset.add(DataElement(0x7FE00010, "OW" if bits == 16 else "OB", data + b"\0" * (len(data) % 2)))
