"""Pictures as sources: one file is a sequence of one frame, a folder of them one sweep in natural order of names."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.limits import MAX_FRAME_BYTES
from sonovan.producers.sources.agreement import agreed_organ
from sonovan.producers.sources.bounds import check_frames, check_size
from sonovan.producers.sources.headers import CodedSize, HeaderError, coded_size
from sonovan.producers.sources.picture_damage import picture_damage
from sonovan.producers.sources.picture_tags import PictureTags, picture_tags, tiff_as_stored, upright
from sonovan.producers.sources.reasons import Warned, refusal, warned
from sonovan.producers.sources.source import (
    CapturedFrame,
    CaptureOptions,
    LostFrame,
    Source,
    whole_panel,
)

cv2.utils.logging.setLogLevel(
    cv2.utils.logging.LOG_LEVEL_SILENT
)  # its decoders write lines of their own beside the one that names the input


def natural_key(path: Path) -> list[tuple[int, int | str]]:
    """Sorts frame2 before frame10."""
    parts = re.split(r"(\d+)", path.name.casefold())
    return [(0, int(part)) if part.isdecimal() else (1, part) for part in parts if part]


def open_images(path: Path, files: Sequence[Path], options: CaptureOptions) -> Source:
    """A sweep of pictures. path: what the operator named; files: its frames in order of acquisition.

    A single picture that cannot be read is refused here; in a sweep it becomes a lost frame.
    Raises InvalidRecord with a reason of SOURCE_REASONS.
    """
    check_frames(path, len(files), options.max_frames)
    if len(files) == 1:
        _checked(files[0])
    oblong = tuple(_oblong(files))
    return Source(
        path=path,
        organ=agreed_organ(path, set(), set(), options),
        laterality=options.side,
        view=options.view,
        position=options.position,
        nipple_distance_mm=options.nipple_distance_mm,
        frame_count=len(files),
        read=lambda: _frames(files, options),
        notes=("regions_not_declared",),
        warnings=oblong,
    )


def _oblong(files: Sequence[Path]) -> Iterator[Warned]:
    """A warning where the first picture that can be read says that its pixels are oblong."""
    for file in files:
        try:
            tags = _checked(file)[2]
        except InvalidRecord:
            continue
        if tags.oblong:
            yield warned("pixels_may_be_oblong", file, "its resolution differs across and down")
        return


def _frames(files: Sequence[Path], options: CaptureOptions) -> Iterator[CapturedFrame | LostFrame]:
    for index, file in enumerate(files):
        try:
            yield _decoded(index, file, options)
        except InvalidRecord as error:
            yield LostFrame(index, error.reason, error.message)


def _checked(file: Path) -> tuple[bytes, CodedSize, PictureTags]:
    """The file's bytes, once its header declares one whole picture that may be decoded."""
    try:
        size = file.stat().st_size
        if size == 0:
            raise refusal("empty", file, "the file has 0 bytes")
        if size > MAX_FRAME_BYTES:
            raise refusal("too_large", file, f"the file has {size >> 20} MiB, above {MAX_FRAME_BYTES >> 20}")
        data = file.read_bytes()
    except PermissionError as error:
        raise refusal("no_permission", file, "this account may not read it") from error
    except OSError as error:
        raise refusal("unreadable", file, f"it cannot be read ({error.strerror})") from error
    try:
        told = coded_size(data)
    except HeaderError as error:
        raise refusal("unreadable", file, f"broken picture ({error})") from error
    if told.pages > 1:
        raise refusal("several_pictures", file, f"the TIFF file has {told.pages} pages")
    check_size(file, told.rows, told.columns, told.components * (2 if told.bits > 8 else 1))
    tags = picture_tags(data)
    if tags.pictures > 1:
        raise refusal("several_pictures", file, f"the file holds {tags.pictures} pictures, a sweep or an animation")
    damage = picture_damage(data, told)
    if damage is not None:
        raise refusal("truncated", file, f"the picture is not whole ({damage})")
    return data, told, tags


def _decoded(index: int, file: Path, options: CaptureOptions) -> CapturedFrame:
    data, told, tags = _checked(file)
    data = tiff_as_stored(data) if data[:2] in (b"II", b"MM") else data
    try:
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise refusal("unreadable", file, "broken picture (its decoder gave up)") from error
    if picture is None:
        raise refusal("truncated", file, "the picture cannot be decoded to its end")
    if picture.dtype not in (np.uint8, np.uint16) or picture.ndim not in (2, 3):
        raise refusal("pixels_not_supported", file, f"samples are {picture.dtype}")
    rows, columns = picture.shape[:2]
    if (rows, columns) != (told.rows, told.columns):
        raise refusal(
            "size_contradicts_stream", file, f"decoded {columns} x {rows}, declared {told.columns} x {told.rows}"
        )
    if tags.white_is_zero and picture.dtype == np.uint16:  # OpenCV turns those of 8 bits round, and no others
        picture = ~picture
    notes: tuple[str, ...] = ()
    if picture.ndim == 3 and picture.shape[2] == 4:
        picture, notes = picture[..., :3], (*notes, "alpha_dropped")
    if picture.ndim == 3:
        picture = picture[..., 0] if picture.shape[2] == 1 else picture[..., ::-1]
    picture = upright(picture, tags.orientation)
    rows, columns = picture.shape[:2]
    panel = whole_panel(rows, columns, options.pixel_spacing_mm, options.side)
    return CapturedFrame(index, None, picture, (panel,), notes)
