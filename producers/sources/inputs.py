"""From the paths that a person typed to sources: which reader takes a file, and what a folder holds."""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sonovan.contracts.errors import InvalidRecord
from sonovan.producers.sources.dicom import open_dicom
from sonovan.producers.sources.images import IMAGE_SUFFIXES, natural_key, open_images
from sonovan.producers.sources.instances import once
from sonovan.producers.sources.reasons import refusal
from sonovan.producers.sources.source import CaptureOptions, Source
from sonovan.producers.sources.video import VIDEO_SUFFIXES, open_video

_DICOM_SUFFIXES: Final = frozenset({".dcm", ".dicom", ".ima"})
_MAGIC: Final = (b"\x89PNG", b"\xff\xd8\xff", b"RIFF", b"BM", b"II*\0", b"MM\0*")


@dataclass(frozen=True, slots=True)
class Inputs:
    """sources that can be read, and one refusal for each input that cannot. skipped: other files in the folders.

    warned: one line for each thing that was read and should be looked at.
    """

    sources: tuple[Source, ...]
    refused: tuple[InvalidRecord, ...]
    skipped: int = 0
    warned: tuple[str, ...] = ()


def open_source(path: Path, options: CaptureOptions) -> Source:
    """The one sequence that a file, or a folder of pictures, holds.

    Raises InvalidRecord with a reason of SOURCE_REASONS; `too_large` for a folder that holds several sequences.
    """
    inputs = open_sources([path], options)
    if inputs.refused:
        raise inputs.refused[0]
    if len(inputs.sources) != 1:
        raise refusal("too_large", path, f"the folder holds {len(inputs.sources)} sequences, one is wanted here")
    return inputs.sources[0]


def open_sources(paths: Sequence[Path], options: CaptureOptions) -> Inputs:
    """Every sequence under `paths`, in the order typed; folders are walked in natural order of names.

    A folder's pictures are one sweep, its DICOM files and clips one sequence each, its folders likewise. In a
    folder, files that are none of these are skipped and counted.
    """
    sources: list[Source] = []
    refused: list[InvalidRecord] = []
    skipped = 0
    for path in paths:
        found, problems, other = _open_path(path, options)
        sources += found
        refused += problems
        skipped += other
    kept, repeated = once(sources)
    warnings = [*repeated, *(each for source in kept for each in source.warnings)]
    return Inputs(kept, tuple(refused), skipped, tuple(each.message for each in warnings))


def _open_path(path: Path, options: CaptureOptions) -> tuple[list[Source], list[InvalidRecord], int]:
    try:
        if not path.is_dir():
            return [_open_file(path, options)], [], 0
        files, skipped = _candidates(path)
    except InvalidRecord as error:
        return [], [error], 0
    except PermissionError:
        return [], [refusal("no_permission", path, "this account may not read it")], 0
    sources: list[Source] = []
    refused: list[InvalidRecord] = []
    for named, group in files:
        try:
            sources.append(open_images(named, group, options) if named.is_dir() else _open_file(named, options))
        except InvalidRecord as error:
            if error.reason == "dicomdir":
                skipped += 1
            else:
                refused.append(error)
    if not files:
        refused.append(refusal("empty_folder", path, "nothing in it can be read"))
    return sources, refused, skipped


def _candidates(folder: Path) -> tuple[list[tuple[Path, list[Path]]], int]:
    """(what to name in a message, its files) for every sequence under a folder, and how many files are none."""
    found: list[tuple[Path, list[Path]]] = []
    skipped = 0
    for place, files in _walk(folder):
        kinds = {file: _kind(file) for file in files}
        pictures = [file for file in files if kinds[file] == "image"]
        if pictures:
            found.append((place, pictures))
        found += [(file, [file]) for file in files if kinds[file] in ("dicom", "video")]
        skipped += sum(kind == "" for kind in kinds.values())
    return found, skipped


def _walk(folder: Path) -> Iterator[tuple[Path, list[Path]]]:
    def fail(error: OSError) -> None:
        raise error

    for place, folders, names in os.walk(folder, onerror=fail):
        folders[:] = sorted((name for name in folders if not name.startswith(".")), key=lambda n: natural_key(Path(n)))
        visible: Iterable[Path] = (Path(place, name) for name in names if not name.startswith("."))
        yield Path(place), sorted(visible, key=natural_key)


def _kind(file: Path) -> str:
    """dicom, image, video or nothing, by suffix, then by the file's first bytes."""
    suffix = file.suffix.casefold()
    if suffix in IMAGE_SUFFIXES:
        return "image"
    if suffix in VIDEO_SUFFIXES:
        return "video"
    if suffix in _DICOM_SUFFIXES:
        return "dicom"
    return "dicom" if _head(file)[128:132] == b"DICM" else ""


def _head(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            return stream.read(132)
    except FileNotFoundError as error:
        raise refusal("not_found", file, "there is no such file or folder") from error
    except PermissionError as error:
        raise refusal("no_permission", file, "this account may not read it") from error
    except OSError as error:
        raise refusal("unreadable", file, f"it cannot be read ({error.strerror})") from error


def _open_file(file: Path, options: CaptureOptions) -> Source:
    head = _head(file)
    if not head:
        raise refusal("empty", file, "the file has 0 bytes")
    kind = "dicom" if head[128:132] == b"DICM" else _kind(file)
    if kind == "dicom" and head[128:132] != b"DICM" and not _binary(head):
        raise refusal("unreadable", file, "it is text, not DICOM")
    if kind == "dicom":
        return open_dicom(file, options)
    if kind == "video":
        return open_video(file, options)
    if kind == "image" or head.startswith(_MAGIC):
        return open_images(file, [file], options)
    raise refusal("not_a_picture", file, "it is no kind of file that can be read here")


def _binary(head: bytes) -> bool:
    """Whether bytes are no plain text: a DICOM file without its preamble starts with tags, full of zeros."""
    return b"\0" in head
