"""Masks that were drawn elsewhere, read from files: PNG label masks, COCO, DICOM SEG. Which frame each belongs to, and
no more.

A frame is named by its id, with `_` or a folder for `/`: `SEQUENCE_000012.png`, `SEQUENCE/000012.png`. In DICOM a
sweep's SOP instance is the UID form of its id (`2.25.` and the id as one decimal number, DICOM part 5, B.2) and its
frames are counted from 1; `sops.csv` beside the file (sop_instance_uid, frame_number, frame) names frames that were
stored under other UIDs.
"""

import csv
import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.errors import InvalidDicomError

from sonovan.contracts.ids import frame_id, split_frame_id
from sonovan.models.errors import UnusablePicture
from sonovan.models.labels.coco import mask_of
from sonovan.models.masks import decode_mask

Labels = NDArray[np.uint8]
SEGMENTATION: Final = "1.2.840.10008.5.1.4.1.1.66.4"
PICTURES: Final = "pictures.csv"
SOPS: Final = "sops.csv"
MOST: Final = 255
"""So many lesions fit one label mask."""


@dataclass(frozen=True)
class DrawnMask:
    """A mask of one frame. source: the file, and the entry in it, for whoever reads of a refusal.

    labels: (rows, columns) uint8, 0 where there is no lesion. image_sha256: of the picture that was drawn on, where the
    file says so.
    """

    source: str
    frame: str
    labels: Labels
    image_sha256: str | None = None


@dataclass(frozen=True)
class Refused:
    """What is not taken, and why in one sentence."""

    source: str
    told: str


def read_drawn(path: Path) -> Iterator[DrawnMask | Refused]:
    """The masks in a file or in all files of a folder, in the order of names; each may be refused by itself."""
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.is_file() and file.suffix.lower() in _READERS)
        if not files:
            yield Refused(path.name, "it holds no .png, .json or .dcm file")
        for file in files:
            yield from _read(file, file.relative_to(path).as_posix())
    else:
        yield from _read(path, path.name)


def sop_of(sequence_id: str) -> str:
    """The UID form of a sweep's id."""
    return f"2.25.{uuid.UUID(sequence_id).int}"


def _read(file: Path, name: str) -> Iterator[DrawnMask | Refused]:
    reader = _READERS.get(file.suffix.lower())
    try:
        if reader is None:
            raise ValueError("it is neither .png, .json nor .dcm")
        yield from reader(file, name)
    except (ValueError, KeyError, TypeError, AttributeError, UnusablePicture, InvalidDicomError) as error:
        yield Refused(name, f"it cannot be read: {' '.join(str(error).split())}")
    except OSError as error:
        yield Refused(name, f"it cannot be read: {error.strerror}")


def _png(file: Path, name: str) -> Iterator[DrawnMask | Refused]:
    frame = _frame(file)
    labels = decode_mask(file.read_bytes())
    if set(np.unique(labels).tolist()) == {0, 255}:  # drawn black and white: one lesion
        labels = np.asarray(labels > 0, np.uint8)
    told = {
        row["frame"].replace("_", "/"): row["image_sha256"]
        for row in _table(file.parent / PICTURES, ("frame", "image_sha256"))
    }
    yield DrawnMask(name, frame, labels, told.get(frame))


def _frame(file: Path) -> str:
    for name in (file.stem.replace("_", "/"), f"{file.parent.name}/{file.stem}"):
        try:
            split_frame_id(name)
        except ValueError:
            continue
        return name
    raise ValueError(f"{file.stem} names no frame; call it SEQUENCE_000012.png")


def _coco(file: Path, name: str) -> Iterator[DrawnMask | Refused]:
    document: Any = json.loads(file.read_text(encoding="utf-8"))
    drawn: dict[Any, list[Any]] = {}
    for annotation in document["annotations"]:
        drawn.setdefault(annotation["image_id"], []).append(annotation["segmentation"])
    for image in document["images"]:
        source = f"{name} {image['file_name']}"
        try:
            frame = _frame(Path(image["file_name"]))
            size = (int(image["height"]), int(image["width"]))
            outlines = drawn.pop(image["id"], [])
            if len(outlines) > MOST:
                raise ValueError(f"it has more than {MOST} annotations")
            labels = np.zeros(size, np.uint8)
            for number, segmentation in enumerate(outlines, start=1):
                labels[mask_of(segmentation, size)] = number
        except (ValueError, KeyError, TypeError) as error:
            yield Refused(source, f"it cannot be read: {' '.join(str(error).split())}")
            continue
        yield DrawnMask(source, frame, labels, image.get("sha256"))
    for image_id in drawn:
        yield Refused(f"{name} image_id {image_id}", "annotations name an image that the file does not list")


def _segmentation(file: Path, name: str) -> Iterator[DrawnMask | Refused]:
    data = pydicom.dcmread(file)
    if data.SOPClassUID != SEGMENTATION:
        raise ValueError(f"it is no segmentation but {data.SOPClassUID.name}")
    fractional = data.SegmentationType == "FRACTIONAL"
    lit = int(data.MaximumFractionalValue) / 2 if fractional else 0.5
    planes = np.atleast_3d(np.asarray(data.pixel_array)).reshape(-1, data.Rows, data.Columns)
    groups = data.PerFrameFunctionalGroupsSequence
    if len(groups) != len(planes):
        raise ValueError(f"it has {len(planes)} planes and says of {len(groups)} what they are of")
    named = {
        (row["sop_instance_uid"], row["frame_number"]): row["frame"]
        for row in _table(file.parent / SOPS, ("sop_instance_uid", "frame_number", "frame"))
    }
    masks: dict[str, Labels] = {}
    for number, (plane, group) in enumerate(zip(planes, groups, strict=True), start=1):
        source = f"{name} plane {number}"
        try:
            frame = _referenced(group, named)
            segment = int(group.SegmentIdentificationSequence[0].ReferencedSegmentNumber)
            if not 1 <= segment <= MOST:
                raise ValueError(f"its segment is {segment}")
        except (ValueError, AttributeError, IndexError) as error:
            yield Refused(source, f"which frame it is of cannot be told: {' '.join(str(error).split())}")
            continue
        labels = masks.setdefault(frame, np.zeros((data.Rows, data.Columns), np.uint8))
        labels[plane > lit] = segment
    for frame, labels in masks.items():
        yield DrawnMask(f"{name} {frame}", frame, labels)


def _referenced(group: Any, named: dict[tuple[str, str], str]) -> str:
    """The frame of a plane: of exactly one frame of one object, or it is not said of which."""
    sources = [source for derived in group.DerivationImageSequence for source in derived.SourceImageSequence]
    if len(sources) != 1:
        raise ValueError(f"it names {len(sources)} source images")
    uid = str(sources[0].ReferencedSOPInstanceUID)
    numbers = sources[0].get("ReferencedFrameNumber", 1)
    if not isinstance(numbers, int) and len(numbers) != 1:
        raise ValueError("it names several frames of its source image")
    number = int(numbers if isinstance(numbers, int) else numbers[0])
    if (uid, str(number)) in named:
        frame = named[uid, str(number)].replace("_", "/")
        split_frame_id(frame)
        return frame
    prefix, _, value = uid.rpartition(".")
    if prefix != "2.25" or not value.isdecimal() or int(value) >= 1 << 128 or number < 1:
        raise ValueError(f"its source image {uid} is no sweep of this programme, and {SOPS} does not name it")
    return frame_id(str(uuid.UUID(int=int(value))), number - 1)


def _table(path: Path, columns: tuple[str, ...]) -> list[dict[str, str]]:
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file, restkey="", restval="")
        missing = [column for column in columns if column not in (reader.fieldnames or ())]
        if missing:
            raise ValueError(f"{path.name} has no column {' and no column '.join(missing)}")
        return [{column: row[column].strip() for column in columns} for row in reader]


_READERS: Final = {".png": _png, ".json": _coco, ".dcm": _segmentation}
