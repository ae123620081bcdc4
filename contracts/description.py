"""Where a lesion lies, how large it is in three directions, what its outline and its vessels look like."""

from typing import Self

from pydantic import Field, model_validator

from sonovan.contracts.lexicon import BloodFlow, Position
from sonovan.contracts.record import Count, Part, Share


class Location(Part):
    """Where in the body a finding lies, as far as somebody said it; None is not known, and never guessed.

    hour: on the breast's clock face, 1 to 12. region: the quadrant or a named region of a breast, a third of a thyroid
    lobe. nipple_distance_mm: from the nipple, along the skin.
    """

    hour: int | None = Field(default=None, ge=1, le=12)
    region: Position | None = None
    nipple_distance_mm: float | None = Field(default=None, ge=0, le=250)


class Extent(Part):
    """The diameters of a thyroid nodule in mm, None where no view shows them.

    transverse_mm and depth_mm are measured on a transverse view, across and down; length_mm on a longitudinal one.
    volume_ml needs all three.
    """

    transverse_mm: float | None = Field(default=None, gt=0, le=500)
    depth_mm: float | None = Field(default=None, gt=0, le=500)
    length_mm: float | None = Field(default=None, gt=0, le=500)
    volume_ml: float | None = Field(default=None, ge=0, le=100_000)

    @model_validator(mode="after")
    def _volume_needs_three_diameters(self) -> Self:
        if self.volume_ml is not None and None in self.diameters_mm:
            raise ValueError("a volume needs three diameters")
        return self

    @property
    def diameters_mm(self) -> tuple[float | None, float | None, float | None]:
        """Across, down and along."""
        return self.transverse_mm, self.depth_mm, self.length_mm

    @property
    def largest_mm(self) -> float | None:
        """The largest diameter that is known."""
        return max((each for each in self.diameters_mm if each is not None), default=None)


class Vessels(Part):
    """What Doppler frames show of a lesion; a finding without it was not examined with Doppler, which is not "none".

    inside_share, rim_share: coloured pixels among those inside and in the rim around it, the most of any frame.
    """

    flow: BloodFlow
    inside_share: Share
    rim_share: Share
    frames: Count = Field(ge=1)


class Outline(Part):
    """Numbers of an outline without unit; circularity and solidity are 1 for a circle. None is not measured.

    circularity: 4πA/P². solidity: area over that of the convex hull. angularity: share of the outline at which it has
    a corner, as `sonovan.clinical.outline.angularity` measures it. lobulations: how many times it bulges beyond its
    own smooth outline. radial_deviation: deviation of the distance from the centre over its mean.
    """

    circularity: float = Field(ge=0, le=2)
    solidity: float = Field(ge=0, le=1)
    angularity: float | None = Field(default=None, ge=0, le=1)
    lobulations: Count | None = None
    radial_deviation: float | None = Field(default=None, ge=0, le=10)
