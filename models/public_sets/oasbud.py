"""OASBUD: raw echo lines of 100 lesions in two planes each, in one MATLAB file, made into pictures here.

`data` is an array of structures: `id`, `rf1` and `rf2` (samples, lines), `roi1` and `roi2` (the same shape, 1 inside
the lesion), `birads`, `class` (0 benign, 1 malignant). Both planes of a lesion are of one woman.
Source: Piotrzkowska-Wróblewska et al., Medical Physics 44:6105 (2017), doi 10.1002/mp.12538: an L14-5/38 probe, 38 mm
wide, sampled at 40 MHz.
"""

from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from sonovan.models.evaluation.index import UnusableData
from sonovan.models.public_sets.found import Found, Gray, Layout, LeftOut, Mask
from sonovan.models.public_sets.matlab import Value, read_mat

SAMPLE_MM: Final = 1540 * 1000 / (2 * 40_000_000)
"""Depth of one sample: sound goes there and back at 1540 m/s."""
PROBE_MM: Final = 38.0
RANGE_DB: Final = 50.0
"""What is this much weaker than the strongest echo is black."""
LABELS: Final = {0: "benign", 1: "malignant"}


def find(top: Path) -> Layout:
    """Both planes of every lesion, as 8-bit pictures with square pixels.

    top: the MAT file, or the folder that holds it.
    Raises UnusableData where there is no such file, or it has no array `data` of structures.
    """
    files = [top] if top.is_file() else sorted([*top.glob("*.mat"), *top.glob("*/*.mat")])
    if len(files) != 1:
        raise UnusableData(f"{top} holds {len(files) or 'no'} MAT files; the set is one, OASBUD.mat")
    cases = read_mat(files[0]).get("data")
    if not isinstance(cases, list):
        raise UnusableData(f"{files[0]} has no array of structures called data")
    found: list[Found] = []
    left_out: list[LeftOut] = []
    for place, case in enumerate(cases, start=1):
        for plane in (1, 2):
            name = f"{files[0].name} data({place}).rf{plane}"
            try:
                found.append(_plane(case if isinstance(case, dict) else {}, plane, name))
            except UnusableData as error:
                left_out.append(LeftOut(name, "picture_unreadable", str(error)))
    return Layout(tuple(found), tuple(left_out))


def _plane(case: dict[str, Value], plane: int, name: str) -> Found:
    lines, outlined = _array(case, f"rf{plane}"), _array(case, f"roi{plane}")
    if outlined.shape != lines.shape:
        raise UnusableData(f"roi{plane} has the shape {outlined.shape}, rf{plane} {lines.shape}")
    patient, malignant = _text(case.get("id")), _array(case, "class")
    if not patient:
        raise UnusableData("it has no id")
    picture, mask = b_mode(lines), _rescaled(outlined > 0, lines.shape)
    about = {"birads": _text(case.get("birads")).lower(), "pixel_size_mm": f"{PROBE_MM / lines.shape[1]:.5g}"}
    label = LABELS.get(int(malignant.ravel()[0]) if malignant.size else -1, "")

    def drawn(size: tuple[int, int]) -> Mask:
        return mask

    return Found(f"oasbud_{patient}_{plane}", name, picture, label, f"patient{patient}", (drawn,), (), about)


def b_mode(lines: NDArray[np.number]) -> Gray:
    """The picture of echo lines: envelope, averaged in depth to square pixels, logarithm over RANGE_DB.

    lines: (samples, lines), any numbers. Returns (rows, lines) uint8, 255 for the strongest echo.
    Raises UnusableData for lines of no echo. Source of the envelope: the analytic signal, Gabor, JIEE 93:429 (1946).
    """
    samples = lines.shape[0]
    spectrum = np.fft.fft(lines.astype(np.float64) - lines.mean(0, dtype=np.float64), axis=0)
    weights = np.zeros((samples, 1))
    weights[0] = 1
    weights[1 : (samples + 1) // 2] = 2
    if samples % 2 == 0:
        weights[samples // 2] = 1
    envelope = np.abs(np.fft.ifft(spectrum * weights, axis=0)).astype(np.float32)
    square = cv2.resize(envelope, _square(lines.shape), interpolation=cv2.INTER_AREA)
    strongest = float(square.max())
    if not np.isfinite(strongest) or strongest <= 0:
        raise UnusableData("its lines hold no echo")
    decibels = 20 * np.log10(np.maximum(square / strongest, 1e-12))
    return np.asarray(np.round(255 * (1 + np.clip(decibels / RANGE_DB, -1, 0))), np.uint8)


def _square(shape: tuple[int, ...]) -> tuple[int, int]:
    """(columns, rows) at which pixels are as high as they are wide."""
    return shape[1], max(1, round(shape[0] * SAMPLE_MM / (PROBE_MM / shape[1])))


def _rescaled(mask: Mask, shape: tuple[int, ...]) -> Mask:
    share = cv2.resize(mask.astype(np.float32), _square(shape), interpolation=cv2.INTER_AREA)
    return np.asarray(share >= 0.5, np.bool_)


def _array(case: dict[str, Value], name: str) -> NDArray[np.number]:
    value = case.get(name)
    if not isinstance(value, np.ndarray) or (name != "class" and (value.ndim != 2 or min(value.shape) < 2)):
        raise UnusableData(f"it has no numbers called {name}")
    return value


def _text(value: Value | None) -> str:
    """A text, or the one number that stands in its place."""
    if isinstance(value, np.ndarray):
        return f"{value.ravel()[0]:g}" if value.size else ""
    return value.strip() if isinstance(value, str) else ""
