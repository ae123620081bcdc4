"""Where a region lies on the picture, as a record says it: in millimetres where the scale is known."""

from typing import Protocol

from sonovan.contracts.frames import Place


class Placed(Protocol):
    """Where a region was found in pixels: `sonovan.models.picture.field.FoundPlace` is one."""

    @property
    def from_skin(self) -> bool: ...
    @property
    def depth_px(self) -> float: ...
    @property
    def lateral_px(self) -> float: ...
    @property
    def depth_share(self) -> float: ...
    @property
    def lateral_share(self) -> float: ...


def place_of(found: Placed, spacing_mm: tuple[float, float] | None) -> Place:
    """The record of a place. spacing_mm: (column, row) of the panel's pixels, where known."""
    return Place(
        origin="probe" if found.from_skin else "picture",
        depth_mm=None if spacing_mm is None else round(found.depth_px * spacing_mm[1], 1),
        lateral_mm=None if spacing_mm is None else round(found.lateral_px * spacing_mm[0], 1) + 0.0,
        depth_share=round(found.depth_share, 3),
        lateral_share=round(found.lateral_share, 3) + 0.0,
    )
