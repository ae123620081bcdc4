"""Files that the tests read: made here, so that every pixel is known."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import imagecodecs
import numpy as np
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID, ExplicitVRLittleEndian, generate_uid

US_MULTI_FRAME = "1.2.840.10008.5.1.4.1.1.3.1"


def grey(rows: int = 48, columns: int = 64, seed: int = 0, bits: int = 8) -> np.ndarray:
    """Noise: every pixel matters."""
    kind = np.uint8 if bits <= 8 else np.uint16
    return np.random.default_rng(seed).integers(0, 1 << bits, (rows, columns)).astype(kind)


def colour(rows: int = 48, columns: int = 64, seed: int = 0) -> np.ndarray:
    """A smooth coloured picture: lossy codecs keep it."""
    y, x = np.mgrid[0:rows, 0:columns]
    return np.stack([x * 3 + seed, y * 4, 200 - x - y], axis=-1).clip(0, 255).astype(np.uint8)


def region(left: int, top: int, right: int, bottom: int, **more: Any) -> Dataset:
    """One ultrasound region, 2D, cm, 0.02 cm per pixel."""
    item = Dataset()
    item.RegionLocationMinX0, item.RegionLocationMinY0 = left, top
    item.RegionLocationMaxX1, item.RegionLocationMaxY1 = right, bottom
    item.RegionSpatialFormat, item.RegionDataType, item.RegionFlags = 1, 1, 0
    item.PhysicalUnitsXDirection = item.PhysicalUnitsYDirection = 3
    item.PhysicalDeltaX, item.PhysicalDeltaY = 0.02, 0.03
    for name, value in more.items():
        setattr(item, name, value)
    return item


def write_dicom(
    path: Path,
    frames: Sequence[np.ndarray] | Sequence[bytes],
    *,
    syntax: UID = ExplicitVRLittleEndian,
    shape: tuple[int, ...] = (48, 64),
    photometric: str = "MONOCHROME2",
    stored: int = 8,
    allocated: int = 8,
    **tags: Any,
) -> Path:
    """An ultrasound file. frames: pictures where `syntax` is native, coded streams where it is not."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID = UID(US_MULTI_FRAME)
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID = generate_uid()
    dataset.Modality = "US"
    dataset.Rows, dataset.Columns = shape[:2]
    dataset.SamplesPerPixel = shape[2] if len(shape) == 3 else 1
    dataset.PhotometricInterpretation = photometric
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = allocated, stored, stored - 1
    dataset.PixelRepresentation = 0
    if dataset.SamplesPerPixel == 3:
        dataset.PlanarConfiguration = 0
    dataset.NumberOfFrames = len(frames)
    for name, value in tags.items():
        setattr(dataset, name, value)
    if syntax.is_encapsulated:
        dataset.PixelData = encapsulate([bytes(frame) for frame in frames])
        dataset["PixelData"].VR = "OB"
    else:
        order: Literal["<", ">"] = "<" if syntax.is_little_endian else ">"
        data = b"".join(
            frame if isinstance(frame, bytes) else frame.astype(frame.dtype.newbyteorder(order)).tobytes()
            for frame in frames
        )
        dataset.PixelData = data + b"\0" * (len(data) % 2)
        dataset["PixelData"].VR = "OW" if allocated == 16 else "OB"
    dataset.save_as(path, enforce_file_format=True)
    return path


def write_png(path: Path, pixels: np.ndarray) -> Path:
    """A picture file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(imagecodecs.png_encode(pixels))
    return path


def png_header(columns: int, rows: int) -> bytes:
    """A PNG that declares a size and holds next to nothing."""
    import struct
    import zlib

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", columns, rows, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")
