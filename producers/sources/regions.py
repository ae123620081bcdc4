"""Ultrasound regions of a DICOM file to panels: where the pictures are, how large a pixel is (PS3.3 C.8.5.5)."""

from dataclasses import dataclass
from itertools import combinations
from typing import Final

from sonovan.contracts.lexicon import Side
from sonovan.contracts.van import Panel
from sonovan.producers.sources.apart import apart
from sonovan.producers.sources.source import Box, whole_panel

TWO_D: Final = 1
_PICTURES: Final = frozenset({1, 2, 3, 4})  # 2D, M-mode, spectral, waveform; 0 is none of them, 5 graphics
_GRAPHICS: Final = 5
CM: Final = 3
_SLACK_PX: Final = 2  # some scanners give the corner one past the last pixel
_SHARED_PX: Final = 8
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
    low_priority: bool = False
    """Bit 0 of RegionFlags: where regions overlap, the pixels are those of another one (C.8.5.5.1.3)."""

    @property
    def spacing_mm(self) -> tuple[float, float] | None:
        """(column, row); the sign of a delta tells the direction of an axis, not a size."""
        if self.unit_x != CM or self.unit_y != CM or not self.delta_x or not self.delta_y:
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
    """panels of every frame; declared: the boxes that may hold a picture, None without a usable declaration.

    uncertain: regions are declared, and the place of none is certain. covered: an inset with a scale of its own takes
    part of another panel.
    """

    panels: tuple[Panel, ...]
    declared: tuple[Box, ...] | None
    notes: tuple[str, ...]
    uncertain: bool = False
    covered: bool = False


def lay_out(
    regions: list[UltrasoundRegion],
    rows: int,
    columns: int,
    *,
    spacing_mm: tuple[float, float] | None,
    side: Side | None,
    items: int | None = None,
) -> Layout:
    """Panels from the declared 2D regions, left to right, top to bottom.

    regions: those whose place is certain. items: how many are declared, if more than those. spacing_mm: (column, row)
    to use where no region says. Where regions are declared and the place of none is certain, there are no boxes.
    """
    whole = (whole_panel(rows, columns, spacing_mm, side),)
    if not regions and items:
        return Layout(whole, None, ("regions_uncertain",), uncertain=True)
    if not regions:
        return Layout(whole, None, ("regions_not_declared",))
    pictures = [region for region in regions if region.spatial_format in _PICTURES]
    pictures = pictures or [region for region in regions if region.spatial_format != _GRAPHICS]
    if not pictures:  # graphics hold text, not ultrasound: nothing is known of where the picture lies
        return Layout(whole, None, ("regions_uncertain",), uncertain=True)
    declared = tuple(region.box(rows, columns) for region in pictures)
    two_d = [region for region in pictures if region.spatial_format == TWO_D]
    if not two_d:
        return Layout(whole, declared, ("no_2d_region",))
    outermost = _outermost(two_d, rows, columns)
    insets = [region for region in two_d if region not in outermost and _is_inset(region, outermost, rows, columns)]
    boxes = [
        (region, _largest_free(region.box(rows, columns), [inset.box(rows, columns) for inset in insets]))
        for region in outermost
    ]
    covered = any(box != region.box(rows, columns) for region, box in boxes)
    boxes += [(inset, inset.box(rows, columns)) for inset in insets]
    kept = sorted(
        ((region, box) for region, box in boxes if box[2] > 1 and box[3] > 1), key=lambda each: (each[1][1], each[1][0])
    )
    covered = covered or any(
        _much_overlap(one[1], other[1])
        and one[0].spacing_mm is not None
        and other[0].spacing_mm is not None
        and not _alike(one[0].spacing_mm, other[0].spacing_mm)
        for one, other in combinations(kept, 2)
    )
    panels = tuple(
        _panel(number, region, box, spacing_mm=spacing_mm, side=side)
        for number, (region, box) in enumerate(kept[:_MAX_PANELS])
    )
    return Layout(apart(panels), declared, ("region_covered",) if covered else (), covered=covered)


def _is_inset(region: UltrasoundRegion, outermost: list[UltrasoundRegion], rows: int, columns: int) -> bool:
    """Whether a nested region shows a picture of its own: its scale differs, and its pixels are those that are seen."""
    box = region.box(rows, columns)
    around = [other for other in outermost if other is not region and _inside(box, other.box(rows, columns))]
    return not region.low_priority and any(
        region.spacing_mm is not None
        and other.spacing_mm is not None
        and not _alike(region.spacing_mm, other.spacing_mm)
        for other in around
    )


def _alike(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return all(abs(a - b) <= 0.01 * max(a, b) for a, b in zip(one, other, strict=True))


def _largest_free(box: Box, insets: list[Box]) -> Box:
    """The largest part of a box, cut along one edge of each inset, that no inset lies in."""
    for inset in insets:
        left, top, width, height = box
        if not _overlap(box, inset):
            continue
        right, bottom = inset[0] + inset[2], inset[1] + inset[3]
        parts = (
            (left, top, inset[0] - left, height), (right, top, left + width - right, height),
            (left, top, width, inset[1] - top), (left, bottom, width, top + height - bottom),
        )  # fmt: skip
        box = max(parts, key=lambda part: max(part[2], 0) * max(part[3], 0))
    return box


def _overlap(one: Box, other: Box) -> bool:
    return (
        one[0] < other[0] + other[2]
        and other[0] < one[0] + one[2]
        and one[1] < other[1] + other[3]
        and other[1] < one[1] + one[3]
    )


def _much_overlap(one: Box, other: Box) -> bool:
    """Whether two boxes share more than a few rows and columns, which neighbours on a screen may."""
    across = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    down = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    return min(across, down) > _SHARED_PX


def _panel(
    ordinal: int,
    region: UltrasoundRegion,
    box: Box,
    *,
    spacing_mm: tuple[float, float] | None,
    side: Side | None,
) -> Panel:
    left, top, width, height = box
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
