"""One DICOM instance that was named several times (a file, its copy, its folder, a CD) is read once.

Two files are one instance if they have the same SOPInstanceUID and every frame has the same pixels, in whatever
transfer syntax. Some exporters give every picture the same UID: different pictures are both read, with a warning.
"""

import hashlib
from collections.abc import Sequence

from sonovan.contracts.errors import SonovanError
from sonovan.producers.sources.reasons import Warned, shown, warned
from sonovan.producers.sources.source import CapturedFrame, Source


def once(sources: Sequence[Source]) -> tuple[tuple[Source, ...], tuple[Warned, ...]]:
    """The sources without those that are a copy of an earlier one, and a warning for each that shares its UID."""
    first: dict[str, list[Source]] = {}
    kept: list[Source] = []
    warnings: list[Warned] = []
    for source in sources:
        earlier = first.setdefault(source.instance, []) if source.instance else []
        original = next((each for each in earlier if _same(each, source)), None)
        if original is not None:
            warnings.append(warned("copy_left_out", source.path, f"it is the same instance as {shown(original.path)}"))
            continue
        if earlier:
            detail = f"it has the SOPInstanceUID of {shown(earlier[0].path)} and shows something else"
            warnings.append(warned("instance_repeated", source.path, detail))
        kept.append(source)
        if source.instance:
            earlier.append(source)
    return tuple(kept), tuple(warnings)


def _same(one: Source, other: Source) -> bool:
    """Whether both give the same frames."""
    return one.frame_count == other.frame_count and _pixels_sha256(one) == _pixels_sha256(other)


def _pixels_sha256(source: Source) -> str:
    """Of the pixels of every frame in order; of the reason where one cannot be read."""
    digest = hashlib.sha256()
    try:
        for shot in source.read():
            digest.update(shot.pixels.tobytes() if isinstance(shot, CapturedFrame) else shot.reason.encode())
    except SonovanError as error:
        digest.update(str(error).encode())
    return digest.hexdigest()
