"""Synthetic sweeps as sources, with the truth about their lesions written beside them."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import imagecodecs
import numpy as np
import numpy.typing as npt

from sonovan.contracts.errors import Transient
from sonovan.contracts.lexicon import Organ, Side
from sonovan.models.phantom.sweep import SimulatedSweep, TrueLesion, simulate_sweep
from sonovan.producers.sources import CapturedFrame, LostFrame, Pixels, Source
from sonovan.producers.sources.source import whole_panel

FRAME_MS: Final = 50.0
_SIDES: Final[tuple[Side, Side]] = ("left", "right")


def simulated_sources(
    organ: Organ, sweeps: int, frames: int, seed: int, truth: Path | None = None, lesions: int | None = None
) -> list[Source]:
    """One source per sweep, sides in turn; the same arguments give the same pixels.

    truth: where each sweep's truth is written while it is read, None: nowhere. lesions: of each sweep, None draws one
    or two.
    """
    return [_source(organ, number, frames, seed + number, truth, lesions) for number in range(sweeps)]


def write_sweeps(
    folder: Path, organ: Organ, sweeps: int, frames: int, seed: int, lesions: int | None = None
) -> list[Path]:
    """Write `sweep_<n>/frame_<i>.png` and the truth to a folder; the sweeps' folders. Raises Transient."""
    written = []
    for number in range(sweeps):
        sweep = simulate_sweep(organ, frames=frames, seed=seed + number, lesions=lesions)
        place = folder / f"sweep_{number}"
        for index, pixels in enumerate(sweep.frames):
            _write(place / f"frame_{index:06d}.png", bytes(imagecodecs.png_encode(pixels)))
        write_truth(folder / "truth" / f"sweep_{number}", sweep, seed + number)
        written.append(place)
    return written


def write_truth(folder: Path, sweep: SimulatedSweep, seed: int) -> None:
    """Label masks (8-bit grey, value = lesion + 1) of the frames that show a lesion, and `truth.json`."""
    visible: dict[str, list[int]] = {}
    for index, lesions in enumerate(sweep.truth):
        if lesions:
            visible[f"{index:06d}"] = [lesion.lesion for lesion in lesions]
            labels = _labels(sweep.frames[index], lesions)
            _write(folder / f"mask_{index:06d}.png", bytes(imagecodecs.png_encode(labels)))
    document: dict[str, Any] = {
        "organ": sweep.organ,
        "seed": seed,
        "frames": len(sweep.frames),
        "pixel_spacing_mm": sweep.pixel_spacing_mm,
        "lesions": [asdict(lesion) for lesion in sweep.lesions],
        "visible": visible,
    }
    _write(folder / "truth.json", json.dumps(document, indent=1).encode())


def _source(organ: Organ, number: int, frames: int, seed: int, truth: Path | None, lesions: int | None) -> Source:
    side = _SIDES[number % 2]

    def read() -> Iterator[CapturedFrame | LostFrame]:
        sweep = simulate_sweep(organ, frames=frames, seed=seed, lesions=lesions)
        if truth is not None:
            write_truth(truth / f"sweep_{number}", sweep, seed)
        for index, pixels in enumerate(sweep.frames):
            picture: Pixels = np.ascontiguousarray(pixels)
            panel = whole_panel(picture.shape[0], picture.shape[1], sweep.pixel_spacing_mm, side)
            yield CapturedFrame(index, index * FRAME_MS, picture, (panel,))

    return Source(
        path=Path(f"simulated sweep {number}"),
        organ=organ,
        laterality=side,
        view="sweep",
        position=None,
        frame_count=frames,
        read=read,
        manufacturer="simulated",
        model="phantom-1",
    )


def _labels(frame: npt.NDArray[np.uint8], lesions: Sequence[TrueLesion]) -> npt.NDArray[np.uint8]:
    labels = np.zeros(frame.shape, np.uint8)
    for lesion in lesions:
        labels[lesion.mask] = lesion.lesion + 1
    return labels


def _write(path: Path, data: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    except OSError as error:
        raise Transient(f"cannot write in {path.parent}: {error.strerror}; make room or name another folder") from error
