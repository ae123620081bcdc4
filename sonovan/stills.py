"""Frames of DICOM files and clips as PNG pictures, each panel its own: `python -m sonovan.stills PATH... --out DIR`.

What a network is trained to refuse often comes as DICOM, which the training room cannot read. A picture is named
`FILE__FRAME_PANEL.png`, so that all pictures of one file stay on one side of a split. Files of other modalities, which
intake refuses, are named `other-FILE__…`: somebody may send them as plain pictures.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pydicom
from numpy.typing import NDArray

from sonovan.contracts.errors import InvalidRecord
from sonovan.models.picture.prepare import to_grey, whole_or
from sonovan.producers.sources import capture_options, open_sources
from sonovan.producers.sources.origin import name_of
from sonovan.producers.sources.source import CapturedFrame, Source

Still = tuple[str, NDArray[np.uint8]]


def stills(source: Source, most: int) -> Iterator[Still]:
    """At most `most` frames of a sequence, evenly spaced where it says how many it has: name, (rows, columns[, 3])."""
    step = max(1, (source.frame_count or most * 6) // most)
    for frame in source.read():
        if frame.frame_index >= most * step:
            return
        if not isinstance(frame, CapturedFrame) or frame.frame_index % step:
            continue
        pixels = np.asarray(frame.pixels if frame.pixels.dtype == np.uint8 else to_grey(frame.pixels), np.uint8)
        boxes = [(panel.left, panel.top, panel.width, panel.height) for panel in frame.panels]
        for number, (left, top, width, height) in enumerate(whole_or(boxes, (pixels.shape[0], pixels.shape[1]))):
            part = pixels[top : top + height, left : left + width]
            yield f"{Path(name_of(source.path)).name}__{frame.frame_index:06d}_{number}.png", part


def other(path: Path) -> Iterator[Still]:
    """The first frame of a DICOM picture of any modality, its middle 99 % of grey levels spread to 8 bits.

    Raises whatever pydicom raises where there is no picture.
    """
    data = pydicom.dcmread(path)
    frames = np.asarray(data.pixel_array)
    if frames.ndim > 2 and int(data.get("NumberOfFrames", 1) or 1) > 1:
        frames = frames[0]
    low, high = np.percentile(frames, (0.5, 99.5))
    grey = np.clip((frames - low) * (255 / max(high - low, 1)), 0, 255).astype(np.uint8)
    if min(grey.shape[:2]) >= 32:
        yield f"other-{path.name}__000000_0.png", grey


def main() -> int:
    """Writes the pictures; a file that gives none, or ends early, is named on stderr."""
    parser = argparse.ArgumentParser(prog="python -m sonovan.stills", description=__doc__)
    parser.add_argument("paths", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--frames", type=int, default=24, help="at most so many of each sequence")
    parser.add_argument("--other", action="store_true", help="these are DICOM files of other modalities")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    if arguments.other:
        for path in arguments.paths:
            try:
                _write(other(path), arguments.out)
            except Exception as error:  # a broken file may fail in any way; the others are still wanted
                print(f"{path}: {error}", file=sys.stderr)
        return 0
    opened = open_sources(arguments.paths, capture_options(organ="breast"))
    for refused in opened.refused:
        print(refused, file=sys.stderr)
    for source in opened.sources:
        try:
            _write(stills(source, arguments.frames), arguments.out)
        except InvalidRecord as error:  # a clip that ends early: what it gave is written
            print(error, file=sys.stderr)
    return 0


def _write(pictures: Iterator[Still], out: Path) -> None:
    for name, pixels in pictures:
        cv2.imwrite(str(out / name), pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))


if __name__ == "__main__":
    sys.exit(main())
