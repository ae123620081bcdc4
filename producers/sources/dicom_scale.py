"""The ultrasound regions and the pixel spacing of a DICOM file, each item and each attribute judged alone.

Sources: PS3.3 C.8.5.5 (US Region Calibration), 10.7.1.1 (PixelSpacing), C.7.6.16.2.1 (Pixel Measures).
"""

from pathlib import Path
from typing import Final

from pydicom import Dataset

from sonovan.contracts.van import FINEST_MM
from sonovan.producers.sources.dicom_numbers import numbers, whole
from sonovan.producers.sources.reasons import Warned, refusal, warned
from sonovan.producers.sources.regions import CM, TWO_D, UltrasoundRegion

_CORNERS: Final = (
    "RegionLocationMinX0", "RegionLocationMinY0", "RegionLocationMaxX1", "RegionLocationMaxY1",
)  # fmt: skip
_ALIKE: Final = 0.01
COARSEST_MM: Final = 100
"""No pixel is larger: the limit of `--pixel-spacing-mm`."""
Spacing = tuple[float, float]


def read_regions(
    path: Path, dataset: Dataset, rows: int, columns: int
) -> tuple[list[UltrasoundRegion], int, tuple[Warned, ...]]:
    """The regions whose place in a frame of rows x columns is certain, how many items there are, and warnings.

    An item is left out if it lacks a corner, has no area, or lies outside of the frame. One whose scale cannot be read
    is a region without a scale.
    """
    try:
        items = list(dataset.get("SequenceOfUltrasoundRegions") or [])
    except Exception:  # a sequence that pydicom cannot read: something was declared, and nothing of it is certain
        return [], 1, (warned("region_left_out", path, "its ultrasound regions cannot be read"),)
    found: list[UltrasoundRegion] = []
    warnings: list[Warned] = []
    for number, item in enumerate(items, start=1):
        corners = [whole(item, name) for name in _CORNERS] if isinstance(item, Dataset) else [None]
        missing = [name for name, corner in zip(_CORNERS, corners, strict=False) if corner is None]
        if missing:
            detail = f"ultrasound region {number} of {len(items)} has no {missing[0]}"
            warnings.append(warned("region_left_out", path, detail))
            continue
        region = _region(path, item, [corner or 0 for corner in corners], number, warnings)
        if region.fits(rows, columns):
            found.append(region)
            continue
        where = f"({region.left}, {region.top}) to ({region.right}, {region.bottom})"
        detail = f"ultrasound region {number} of {len(items)}, {where}, is none of a picture of {columns} x {rows}"
        warnings.append(warned("region_left_out", path, detail))
    return found, len(items), tuple(warnings)


def _region(path: Path, item: Dataset, corners: list[int], number: int, warnings: list[Warned]) -> UltrasoundRegion:
    kind, flags = whole(item, "RegionSpatialFormat") or 0, whole(item, "RegionFlags") or 0
    units = [whole(item, f"PhysicalUnits{axis}Direction") or 0 for axis in "XY"]
    deltas = []
    for axis in "XY":
        delta = numbers(item, f"PhysicalDelta{axis}")
        value = delta.values[0] if len(delta.values) == 1 else 0.0
        if not FINEST_MM <= 10 * abs(value) <= COARSEST_MM:
            value = 0.0
        if delta.told and not value and kind == TWO_D and units == [CM, CM]:
            detail = f"PhysicalDelta{axis} of ultrasound region {number} is '{delta.told}'"
            warnings.append(warned("region_scale_unreadable", path, detail))
        deltas.append(value)
    left, top, right, bottom = corners
    return UltrasoundRegion(
        left=left, top=top, right=right, bottom=bottom, spatial_format=kind,
        unit_x=units[0], unit_y=units[1], delta_x=deltas[0], delta_y=deltas[1], low_priority=bool(flags & 1),
    )  # fmt: skip


def read_spacing(path: Path, dataset: Dataset) -> tuple[Spacing | None, tuple[Warned, ...]]:
    """(column, row) in mm of PixelSpacing, in the root or in functional groups; what could not be read.

    Raises InvalidRecord `spacing_contradicts_itself` if two places state different ones.
    """
    warnings: list[Warned] = []
    stated: list[Spacing] = []
    for scope in (dataset, *_measures(dataset)):
        told = numbers(scope, "PixelSpacing")
        if not told.told:
            continue
        if len(told.values) != 2 or not all(FINEST_MM <= each <= COARSEST_MM for each in told.values):
            detail = f"PixelSpacing is '{told.told}', not two sizes from {FINEST_MM} to {COARSEST_MM} mm"
            warnings.append(warned("number_unreadable", path, detail))
            continue
        if told.comma:
            warnings.append(warned("decimal_comma", path, f"PixelSpacing is '{told.told}'"))
        stated.append((told.values[1], told.values[0]))
    if any(not alike(each, stated[0]) for each in stated):
        sizes = ", ".join(sorted({f"{each[0]:.4g} x {each[1]:.4g}" for each in stated})[:4])
        raise refusal("spacing_contradicts_itself", path, f"it states pixels of {sizes} mm")
    return (stated[0] if stated else None), tuple(dict.fromkeys(warnings))


def _measures(dataset: Dataset) -> list[Dataset]:
    return [
        measures
        for name in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")
        for group in dataset.get(name) or []
        for measures in group.get("PixelMeasuresSequence") or []
    ]


def alike(one: Spacing, other: Spacing) -> bool:
    """Whether two spacings differ by at most 1 %."""
    return all(abs(a - b) <= _ALIKE * max(a, b) for a, b in zip(one, other, strict=True))
