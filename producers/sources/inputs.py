"""From the paths that a person typed to sources: which reader takes a file, and what a folder holds."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from sonovan.contracts.errors import InvalidRecord
from sonovan.producers.sources.copies import Copies
from sonovan.producers.sources.dicom import open_dicom
from sonovan.producers.sources.images import natural_key, open_images
from sonovan.producers.sources.instances import once
from sonovan.producers.sources.reasons import Warned, refusal, shown, warned
from sonovan.producers.sources.sniff import DICOM_SUFFIXES, Kind, head_of, looks_like_one, sniff
from sonovan.producers.sources.source import CaptureOptions, Source
from sonovan.producers.sources.video import open_video

NAMED_AT_MOST: Final = 20
"""So many files that were left out are named; of the others the count is given."""
_HOUSEKEEPING: Final = frozenset(
    {
        *("thumbs.db", "desktop.ini", "autorun.inf", "__macosx"),
        *("lost+found", "system volume information", "$recycle.bin"),  # which nobody but the system may list
    }
)


@dataclass(frozen=True, slots=True)
class Inputs:
    """sources that can be read, and one refusal for each input that cannot.

    skipped: one line for each file in the folders that was left out because it is no picture, clip or DICOM file, or a
    copy of another. What every medium has (hidden files, DICOMDIR, Thumbs.db) is not among them. warned: one line for
    each thing that was read and should be looked at.
    """

    sources: tuple[Source, ...]
    refused: tuple[InvalidRecord, ...]
    skipped: tuple[str, ...] = ()
    warned: tuple[str, ...] = ()

    def notices(self, limit: int = NAMED_AT_MOST) -> list[str]:
        """What to tell the person at the keyboard: at most `limit` lines of each list, and how many more there are."""
        lines = [*(f"warning: {line}" for line in self.warned[:limit]), *self.skipped[:limit]]
        if len(self.warned) > limit:
            lines.append(f"{len(self.warned) - limit} more warnings of this kind")
        if len(self.skipped) > limit:
            lines.append(f"{len(self.skipped) - limit} more files were left out")
        return lines


@dataclass(slots=True)
class _Found:
    sources: list[Source] = field(default_factory=list)
    refused: list[InvalidRecord] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    warned: list[Warned] = field(default_factory=list)
    copies: Copies = field(default_factory=Copies)


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

    A folder's pictures are one sweep, its DICOM files and clips one sequence each, its folders likewise. Every file's
    content says what it is. A clip or DICOM file that is a copy of another, byte for byte, is read once.
    """
    found = _Found()
    for path in paths:
        try:
            if path.is_dir():
                _open_folder(path, options, found)
            else:
                kind = _kind(path)
                if not _is_copy(path, found):
                    found.sources.append(_open_file(path, kind, options))
        except InvalidRecord as error:
            found.refused.append(error)
        except PermissionError:
            found.refused.append(refusal("no_permission", path, "this account may not read it"))
    kept, repeated = once(found.sources)
    warnings = [*found.warned, *repeated, *(each for source in kept for each in source.warnings)]
    return Inputs(kept, tuple(found.refused), tuple(found.skipped), tuple(each.message for each in warnings))


def _open_folder(folder: Path, options: CaptureOptions, found: _Found) -> None:
    before = len(found.sources) + len(found.refused) + len(found.warned)
    for place, files in _walk(folder, found):
        kinds = {file: kind for file in files if (kind := _usable(file, found)) is not None}
        pictures = [file for file, kind in kinds.items() if kind.name == "image"]
        _warn_of_copies(pictures, found)
        groups = [(place, pictures, Kind("image"))] if pictures else []
        groups += [
            (file, [file], kind) for file, kind in kinds.items() if kind.name != "image" and not _is_copy(file, found)
        ]
        for named, group, kind in groups:
            try:
                opened = open_images(named, group, options) if named is place else _open_file(named, kind, options)
                found.sources.append(opened)
            except InvalidRecord as error:
                if error.reason != "dicomdir":
                    found.refused.append(error)
    if len(found.sources) + len(found.refused) + len(found.warned) == before:
        found.refused.append(refusal("empty_folder", folder, "nothing in it can be read"))


def _walk(folder: Path, found: _Found) -> Iterator[tuple[Path, list[Path]]]:
    """(folder, its files) for every folder below, in natural order; one that cannot be listed is refused alone."""

    def refuse(error: OSError) -> None:
        found.refused.append(refusal("no_permission", Path(error.filename), f"it cannot be listed ({error.strerror})"))

    for place, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = sorted(filter(_wanted, folders), key=lambda name: natural_key(Path(name)))
        for name in [name for name in folders if Path(place, name).is_symlink()]:
            found.skipped.append(f"{shown(Path(place, name))}: left out: it is a link to a folder")
        yield Path(place), sorted((Path(place, name) for name in names if _wanted(name)), key=natural_key)


def is_housekeeping(name: str) -> bool:
    """Whether a name is one of those that systems leave everywhere: hidden files, `Thumbs.db`."""
    return name.startswith(".") or name.casefold() in _HOUSEKEEPING


def _wanted(name: str) -> bool:
    return not is_housekeeping(name)


def _usable(file: Path, found: _Found) -> Kind | None:
    """The kind of a file in a folder; None, and why, for one that no reader takes.

    What looks like a picture, a clip or DICOM, by its content or its name, is refused. All else is left out.
    """
    try:
        kind = _kind(file)
    except InvalidRecord as error:
        if error.reason == "not_a_file" and not looks_like_one(file):
            found.skipped.append(f"{shown(file)}: left out: it is a pipe, a socket or a device")
        else:
            found.refused.append(error)
        return None
    if kind.name == "foreign":
        found.refused.append(refusal("format_not_read", file, f"it is {kind.detail}"))
    elif kind.name == "" and looks_like_one(file):
        found.refused.append(_unknown(file))
    elif kind.name == "":
        found.skipped.append(f"{shown(file)}: left out: it is no DICOM file, clip or picture")
    return kind if kind.name in ("dicom", "image", "video") else None


def _kind(file: Path) -> Kind:
    """What a file's content is. Raises InvalidRecord for a file that cannot be looked at, or is empty."""
    head = head_of(file)
    suffix = file.suffix.casefold()
    if not head and looks_like_one(file):
        raise refusal("empty", file, "the file has 0 bytes")
    kind = sniff(head)
    if kind.name == "image" and suffix in (".mjpeg", ".mjpg"):
        return Kind("video", "mjpeg")
    if kind.name == "" and suffix in DICOM_SUFFIXES and b"\0" in head:  # a data set that begins with another group
        return Kind("dicom")
    return kind


def _unknown(file: Path) -> InvalidRecord:
    """The refusal of a file whose content is not known."""
    if file.suffix.casefold() in DICOM_SUFFIXES:
        return refusal("unreadable", file, "it is text, not DICOM")
    if looks_like_one(file):
        return refusal("unreadable", file, "its content is not what its name says")
    return refusal("not_a_picture", file, "it is no kind of file that can be read here")


def _open_file(file: Path, kind: Kind, options: CaptureOptions) -> Source:
    if kind.name == "dicom":
        return open_dicom(file, options)
    if kind.name == "video":
        return open_video(file, kind.detail, options)
    if kind.name == "image":
        return open_images(file, [file], options)
    if kind.name == "directory":
        raise refusal("dicomdir", file, "it lists the files of a medium and holds no picture")
    if kind.name == "foreign":
        raise refusal("format_not_read", file, f"it is {kind.detail}")
    if not file.stat().st_size:
        raise refusal("empty", file, "the file has 0 bytes")
    raise _unknown(file)


def _is_copy(file: Path, found: _Found) -> bool:
    """Whether the same bytes were opened before in this call; says so."""
    try:
        first = found.copies.first_of(file) if file.is_file() else None
    except OSError:
        return False  # its reader says what is wrong with it
    if first is None:
        return False
    found.warned.append(warned("copy_left_out", file, f"it is the same file as {shown(first)}"))
    return True


def _warn_of_copies(pictures: Sequence[Path], found: _Found) -> None:
    """Say which pictures of a sweep are the same file; they stay, for a sweep may stand still."""
    copies = Copies()
    for picture in pictures:
        try:
            first = copies.first_of(picture)
        except OSError:
            continue  # its reader says what is wrong with it
        if first is not None:
            found.warned.append(warned("picture_repeated", picture, f"it is the same picture as {shown(first)}"))
