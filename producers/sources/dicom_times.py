"""When each frame of a DICOM file was taken (PS3.3 C.7.6.5.1.1, C.7.6.16.2.2)."""

import math
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
from pydicom import Dataset

from sonovan.producers.sources.dicom_numbers import Numbers, numbers
from sonovan.producers.sources.reasons import Warned, warned

_FRAME_TIME: Final = 0x00181063
_FRAME_TIME_VECTOR: Final = 0x00181065
_MOST_FRAMES: Final = 1_000_000  # a file that declares more is refused, so no times are made for it

Times = tuple[float, ...]


def frame_times(path: Path, dataset: Dataset, frames: int) -> tuple[Times | None, tuple[Warned, ...]]:
    """ms of every frame from the first one, None where the file does not say; what could not be read.

    frames: how many there are. The attribute that FrameIncrementPointer names comes first; then the vector, the frame
    time, the rates, and the moments of the frames' own functional groups.
    """
    if not 2 <= frames <= _MOST_FRAMES:
        return None, ()
    warnings: list[Warned] = []
    vector, step = numbers(dataset, "FrameTimeVector"), numbers(dataset, "FrameTime")
    of_vector = _of_vector(path, vector, frames, warnings)
    of_step = _of_step(path, step, frames, warnings)
    first, second = (of_step, of_vector) if _pointed(dataset) == _FRAME_TIME else (of_vector, of_step)
    times = first or second
    if times is None:
        rates = (numbers(dataset, name) for name in ("CineRate", "RecommendedDisplayFrameRate"))
        rate = next((each.values[0] for each in rates if each.values and each.values[0] > 0), 0.0)
        times = _evenly(1000 / rate, frames) if rate > 0 else _of_groups(dataset, frames)
    return times, tuple(warnings)


def _pointed(dataset: Dataset) -> int | None:
    """The first of the two attributes of time that FrameIncrementPointer names."""
    try:
        pointer = dataset.get("FrameIncrementPointer")
        tags = [int(pointer)] if isinstance(pointer, int) else [int(tag) for tag in pointer or []]
    except (TypeError, ValueError):
        return None
    return next((tag for tag in tags if tag in (_FRAME_TIME, _FRAME_TIME_VECTOR)), None)


def _of_vector(path: Path, vector: Numbers, frames: int, warnings: list[Warned]) -> Times | None:
    if vector.told and (not vector.readable or len(vector.values) != frames):
        detail = f"FrameTimeVector '{vector.told}' has {len(vector.values)} numbers for {frames} frames"
        warnings.append(warned("number_unreadable", path, detail))
        return None
    if not vector.values:
        return None
    _warn_of_comma(path, "FrameTimeVector", vector, warnings)
    moments = np.cumsum(np.asarray(vector.values, np.float64))
    times = _believable(tuple(float(round(moment - moments[0], 3)) for moment in moments))
    if times is None:
        warnings.append(warned("number_unreadable", path, f"FrameTimeVector '{vector.told}' runs backwards"))
    return times


def _of_step(path: Path, step: Numbers, frames: int, warnings: list[Warned]) -> Times | None:
    if not step.told:
        return None
    times = _evenly(step.values[0], frames) if len(step.values) == 1 and step.values[0] > 0 else None
    if times is None:
        if not step.readable or step.values != (0.0,):  # 0 is how scanners say that they do not know
            warnings.append(warned("number_unreadable", path, f"FrameTime '{step.told}' is no time between frames"))
        return None
    _warn_of_comma(path, "FrameTime", step, warnings)
    return times


def _of_groups(dataset: Dataset, frames: int) -> Times | None:
    """From the moments that enhanced files state for each frame."""
    groups = dataset.get("PerFrameFunctionalGroupsSequence") or []
    if len(groups) != frames:
        return None
    moments = []
    for group in groups:
        content = (group.get("FrameContentSequence") or [None])[0]
        moment = None if content is None else _moment(content)
        if moment is None:
            return None
        moments.append(moment)
    return _believable(tuple(round((moment - moments[0]).total_seconds() * 1000, 3) for moment in moments))


def _moment(content: Dataset) -> datetime | None:
    for name in ("FrameReferenceDateTime", "FrameAcquisitionDateTime"):
        text = str(content.get(name) or "").strip(" \0")
        for form in ("%Y%m%d%H%M%S.%f%z", "%Y%m%d%H%M%S.%f", "%Y%m%d%H%M%S%z", "%Y%m%d%H%M%S"):
            try:
                return datetime.strptime(text, form)
            except ValueError:
                continue
    return None


def _evenly(step: float, frames: int) -> Times | None:
    return _believable(tuple(round(number * step, 3) for number in range(frames)))


def _believable(times: Times) -> Times | None:
    """None for times that are infinite, no numbers, or run backwards: such a file does not know its times."""
    rising = all(a <= b for a, b in pairwise(times))
    return times if rising and all(0 <= moment < math.inf for moment in times) and times[-1] > 0 else None


def _warn_of_comma(path: Path, name: str, found: Numbers, warnings: list[Warned]) -> None:
    if found.comma:
        warnings.append(warned("decimal_comma", path, f"{name} is '{found.told}'"))
