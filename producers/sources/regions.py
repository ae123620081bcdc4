"""Ultrasound regions of a DICOM file to panels: where the pictures are, how large a pixel is (PS3.3 C.8.5.5)."""

from dataclasses import dataclass
from typing import Final

from sonovan.contracts.lexicon import Side
from sonovan.contracts.van import Panel
from sonovan.producers.sources.source import Box, whole_panel

_TWO_D: Final = 1
_PICTURES: Final = frozenset({1, 2, 3, 4})  # 2D, M-mode, spectral, waveform; 0 is none of them, 5 graphics
_CM: Final = 3
_SLACK_PX: Final = 2  # some scanners give the corner one past the last pixel
_MAX_PANELS: Final = 16


@dataclass(frozen=True, slots=True)
class UltrasoundRegion:
    """One item of SequenceOfUltrasoundRegions: inclusive corners in pixels, units and deltas as spelled there."""

    left: int
    top: int
    right: int
    bottom: int
    spatial_format: int
    unit_x: int
    unit_y: int
    delta_x: float
    delta_y: float

    @property
    def spacing_mm(self) -> tuple[float, float] | None:
        """(column, row); the sign of a delta tells the direction of an axis, not a size."""
        if self.unit_x != _CM or self.unit_y != _CM or not self.delta_x or not self.delta_y:
            return None
        return abs(self.delta_x) * 10, abs(self.delta_y) * 10

    def box(self, rows: int, columns: int) -> Box:
        """left, top, width, height within the frame."""
        left, top = max(self.left, 0), max(self.top, 0)
        return left, top, min(self.right, columns - 1) - left + 1, min(self.bottom, rows - 1) - top + 1

    def fits(self, rows: int, columns: int) -> bool:
        """Whether the region can be one of this frame."""
        inside = -_SLACK_PX <= self.left < columns and -_SLACK_PX <= self.top < rows
        ends = self.left < self.right < columns + _SLACK_PX and self.top < self.bottom < rows + _SLACK_PX
        return inside and ends


@dataclass(frozen=True, slots=True)
class Layout:
    """panels of every frame; declared: the boxes that may hold a picture, None without a usable declaration."""

    panels: tuple[Panel, ...]
    declared: tuple[Box, ...] | None
    notes: tuple[str, ...]


def lay_out(
    regions: list[UltrasoundRegion],
    rows: int,
    columns: int,
    *,
    spacing_mm: tuple[float, float] | None,
    side: Side | None,
) -> Layout:
    """Panels from the declared 2D regions, left to right, top to bottom.

    spacing_mm: (column, row) to use where no region says. Where one region lies outside the frame the pictures
    were resized or cropped after the declaration was written: neither its boxes nor its scale hold, so none is used.
    """
    whole = (whole_panel(rows, columns, spacing_mm, side),)
    if not regions:
        return Layout(whole, None, ("regions_not_declared",))
    if not all(region.fits(rows, columns) for region in regions):
        return Layout(whole, None, ("regions_outside_frame",))
    pictures = [region for region in regions if region.spatial_format in _PICTURES] or regions
    declared = tuple(region.box(rows, columns) for region in pictures)
    two_d = [region for region in pictures if region.spatial_format == _TWO_D]
    if not two_d:
        return Layout(whole, declared, ("no_2d_region",))
    kept = sorted(_outermost(two_d, rows, columns), key=lambda region: (region.top, region.left))[:_MAX_PANELS]
    panels = tuple(
        _panel(number, region, rows, columns, spacing_mm=spacing_mm, side=side) for number, region in enumerate(kept)
    )
    return Layout(panels, declared, ())


def _panel(
    ordinal: int,
    region: UltrasoundRegion,
    rows: int,
    columns: int,
    *,
    spacing_mm: tuple[float, float] | None,
    side: Side | None,
) -> Panel:
    left, top, width, height = region.box(rows, columns)
    column_mm, row_mm = region.spacing_mm or spacing_mm or (None, None)
    return Panel(
        ordinal=ordinal, left=left, top=top, width=width, height=height,
        column_mm=column_mm, row_mm=row_mm, laterality=side,
    )  # fmt: skip


def _outermost(regions: list[UltrasoundRegion], rows: int, columns: int) -> list[UltrasoundRegion]:
    """Without those that lie in another one (a colour box within its B-mode picture), each box once."""
    boxes = [region.box(rows, columns) for region in regions]
    return [
        region
        for number, region in enumerate(regions)
        if not any(
            _inside(boxes[number], other) and (boxes[number] != other or place < number)
            for place, other in enumerate(boxes)
            if place != number
        )
    ]


def _inside(box: Box, other: Box) -> bool:
    left, top, width, height = box
    return (
        other[0] <= left
        and other[1] <= top
        and left + width <= other[0] + other[2]
        and top + height <= other[1] + other[3]
    )
