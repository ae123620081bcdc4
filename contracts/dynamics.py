"""How a lesion changes over the frames of a sweep."""

from typing import Final

from pydantic import Field

from sonovan.contracts.record import Count, Index, Part, Share

MAX_SAMPLES: Final = 64
"""Samples of a lesion's course; of a longer one evenly spaced ones, with its ends, its largest and its smallest."""


class DynamicsSample(Part):
    """A lesion on one frame of its course."""

    frame_index: Index
    area_px: Count = Field(ge=1)
    area_mm2: float | None = None
    circularity: float = Field(ge=0)
    contrast: float | None = None


class Dynamics(Part):
    """How a lesion changes over the frames of a sighting (`sonovan.clinical.dynamics.dynamics_of` has the formulas).

    Spreads are standard deviations over the frames: of the area as a share of its mean, of circularity and contrast in
    their own unit, which is 1. `steadiness`: mean overlap of its box from frame to frame. `against_tissue`: mean way of
    its middle against the tissue around it from one frame to the next.
    """

    samples: tuple[DynamicsSample, ...] = Field(min_length=1, max_length=MAX_SAMPLES)
    area_spread: float = Field(ge=0)
    circularity_spread: float = Field(ge=0)
    contrast_spread: float | None = Field(default=None, ge=0)
    steadiness: Share
    against_tissue_px: float | None = Field(default=None, ge=0)
    against_tissue_mm: float | None = Field(default=None, ge=0)
