"""What `analyse` may be given, as sources: arrays, DICOM datasets, paths."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeAlias, cast

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset

from sonovan.contracts.errors import InvalidRecord
from sonovan.producers.sources import CapturedFrame, CaptureOptions, Inputs, Pixels, Source, open_source, open_sources
from sonovan.producers.sources.bounds import check_size
from sonovan.producers.sources.source import whole_panel

Frames: TypeAlias = (
    NDArray[np.uint8] | NDArray[np.uint16] | Sequence[NDArray[np.uint8]] | Dataset | str | Path | Sequence[str | Path]
)
"""One picture, one sweep of pictures, one DICOM dataset, or paths to files and folders."""

_ARRAY = Path("array")


def sources_of(frames: Frames, options: CaptureOptions, scratch: Path) -> Inputs:
    """Sources for whatever was given. scratch: a folder that outlives the reading, for a dataset in memory.

    Raises InvalidRecord for an array of another shape or type.
    """
    if isinstance(frames, (str, Path)):
        return open_sources([Path(frames)], options)
    if isinstance(frames, Dataset):
        return Inputs((_dataset(frames, options, scratch),), ())
    if isinstance(frames, np.ndarray):
        return Inputs((_arrays(_pictures(frames), options),), ())
    given = list(frames)
    if given and all(isinstance(each, (str, Path)) for each in given):
        return open_sources([Path(cast(str, each)) for each in given], options)
    if given and all(isinstance(each, np.ndarray) for each in given):
        return Inputs((_arrays([checked_picture(cast(Pixels, each)) for each in given], options),), ())
    raise InvalidRecord("record_invalid", "frames: give arrays, a DICOM dataset, or paths to files and folders")


def _pictures(array: Pixels) -> list[Pixels]:
    """(rows, columns), (rows, columns, 3), (frames, rows, columns) or (frames, rows, columns, 3) as pictures."""
    if array.ndim == 2 or (array.ndim == 3 and array.shape[2] == 3):
        return [checked_picture(array)]
    if array.ndim == 3 and array.shape[2] in (2, 4):
        message = f"frames: a picture of shape {array.shape} has an alpha channel; leave it out: give grey or RGB"
        raise InvalidRecord("record_invalid", message)
    if array.ndim in (3, 4):
        return [checked_picture(picture) for picture in array]
    raise InvalidRecord("record_invalid", f"frames: an array of shape {array.shape} is neither a picture nor a sweep")


def checked_picture(picture: Pixels) -> Pixels:
    """The picture, C-contiguous: (rows, columns) or (rows, columns, 3), uint8 or uint16. Else raises InvalidRecord."""
    if not isinstance(picture, np.ndarray):
        raise InvalidRecord("record_invalid", f"frames: a {type(picture).__name__}; give numpy arrays")
    if picture.dtype not in (np.uint8, np.uint16):
        raise InvalidRecord("record_invalid", f"frames: {picture.dtype} pixels; give uint8 or uint16")
    if picture.ndim not in (2, 3) or (picture.ndim == 3 and picture.shape[2] != 3):
        raise InvalidRecord("record_invalid", f"frames: a picture of shape {picture.shape}; give grey or RGB")
    check_size(_ARRAY, picture.shape[0], picture.shape[1], picture.itemsize * (1 if picture.ndim == 2 else 3))
    return cast(Pixels, np.ascontiguousarray(picture))


def _arrays(pictures: Sequence[Pixels], options: CaptureOptions) -> Source:
    if options.organ is None:
        raise InvalidRecord("organ_unknown", "organ: say breast or thyroid")

    def read() -> Iterator[CapturedFrame]:
        for index, pixels in enumerate(pictures):
            panel = whole_panel(pixels.shape[0], pixels.shape[1], options.pixel_spacing_mm, options.side)
            yield CapturedFrame(index, None, pixels, (panel,))

    return Source(
        path=_ARRAY,
        organ=options.organ,
        laterality=options.side,
        view=options.view,
        position=options.position,
        nipple_distance_mm=options.nipple_distance_mm,
        frame_count=len(pictures),
        read=read,
    )


def _dataset(dataset: Dataset, options: CaptureOptions, scratch: Path) -> Source:
    """A dataset in memory takes the way of a file, so that it is read by the same lines."""
    path = scratch / "dataset.dcm"
    try:
        dataset.save_as(path, enforce_file_format=True)
    except (ValueError, AttributeError, TypeError) as error:
        raise InvalidRecord("record_invalid", f"frames: the dataset is no complete DICOM object ({error})") from None
    return open_source(path, options)
