"""What `segment` says of one frame: its regions, how well it could be seen, and where image and mask are stored."""

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from sonovan.contracts.ids import frame_id
from sonovan.contracts.lexicon import Organ, Position, Side, View
from sonovan.contracts.limits import MAX_CORNERS, MAX_PANELS, MAX_REGIONS
from sonovan.contracts.record import (
    Bits,
    Channels,
    Count,
    Day,
    Fingerprint,
    Id,
    Index,
    Moment,
    ObjectKey,
    Part,
    Pixel,
    Record,
    Sha256,
    Share,
    Token,
    VanId,
)
from sonovan.contracts.van import LONGEST_SIDE, Panel
from sonovan.contracts.words import CodecName, Manufacturer, ModelName, ProviderName, ScannerModel

Mode = Literal["grey", "doppler", "elastography"]
"""What a frame is a picture of: echoes, or their movement or stiffness in colour over them."""


class RegionMeasures(Part):
    """What `sonovan.clinical.measure` reads off one region. mm only where the panel's spacing is known, else None.

    The long axis is the largest diameter, the short axis the extent at a right angle to it (Feret diameters, pixels
    counted with their edges); `orientation_deg` is the long axis against the horizontal, in (-90, 90]; `contrast` is
    mean inside over mean of the surrounding ring, minus 1.
    """

    area_mm2: float | None = None
    long_axis_mm: float | None = None
    short_axis_mm: float | None = None
    long_axis_px: float
    short_axis_px: float
    orientation_deg: float
    circularity: float = Field(ge=0)
    solidity: float = Field(ge=0)
    angularity: Share | None = None
    lobulations: Count | None = None
    radial_deviation: float | None = Field(default=None, ge=0, le=10)
    mean_grey: float = Field(ge=0, le=255)
    contrast: float | None = None
    cnr: float | None = None
    gcnr: Share | None = None


class Place(Part):
    """Where a region lies in depth and sideways on the picture, for a reader who wants to find it again.

    `origin` is `probe` where the skin line is certain: depth is then measured from the skin to the nearest part of the
    region, and sideways from the middle of the probe's face to the region's centre. It is `picture` where it is not
    certain (a curved or a stand-off probe, a picture that may have been cut): both are measured from the upper edge
    and the middle of what is shown. Sideways is positive towards the picture's right. mm only where the panel's
    spacing is known; the shares are of the scan's depth and width.
    """

    origin: Literal["probe", "picture"]
    depth_mm: float | None = Field(default=None, ge=0)
    lateral_mm: float | None = None
    depth_share: Share
    lateral_share: float = Field(ge=-1, le=1)


class Descriptor(Part):
    """One thing that a lesion's look says, as a network suggests it: `margin` = `circumscribed`.

    `value` is None where it is not determined; `probability` is that of the likeliest value.
    """

    name: Token
    value: Token | None
    probability: Share


class Region(Part):
    """One connected region of a frame's mask. Coordinates: (column, row) in pixels of the stored frame.

    `ordinal` + 1 is its value in the stored label mask. `polygon` is the outer contour, `box` is
    (left, top, width, height). Scores are the mask probability over the region. `malignant` is the probability that
    the lesion is malignant, `descriptors` what it looks like: None and empty where no network says so.
    `unconfirmed`: the network saw it, and the decoder that draws in its stead drew nothing there.
    `predicted_dice` is the Dice that can be expected of all outlines of its panel together, or None.
    `cut`: the edge of the scan cuts the outline, so that its sizes are lower bounds.
    `outline_unreliable`: too little is expected of the outline, or nothing is known of it; `malignant` is then None
    and `descriptors` are empty, for both are read off what lies inside the outline.
    """

    ordinal: int = Field(ge=0, lt=MAX_REGIONS)
    panel: int = Field(ge=0, lt=MAX_PANELS)
    polygon: tuple[tuple[float, float], ...] = Field(min_length=3, max_length=MAX_CORNERS)
    box: tuple[Pixel, Pixel, Pixel, Pixel]
    centroid: tuple[float, float]
    area_px: Count = Field(ge=1)
    score_mean: Share
    score_max: Share
    measures: RegionMeasures
    cut: bool = False
    place: Place | None = None
    unconfirmed: bool = False
    predicted_dice: Share | None = None
    outline_unreliable: bool = False
    malignant: Share | None = None
    malignant_withheld: bool = Field(default=False, description="never in a record; where frames are shown")
    descriptors: tuple[Descriptor, ...] = Field(default=(), max_length=32)

    @model_validator(mode="after")
    def _says_nothing_off_an_unreliable_outline(self) -> Self:
        if self.outline_unreliable and (self.malignant is not None or self.descriptors):
            raise ValueError("a region whose outline is unreliable has neither `malignant` nor descriptors")
        return self


class TissueProfile(Part):
    """Where structures lie in one panel, without its picture: how far tissue moved between frames is read off these.

    across: brightness over the columns, of the upper and of the lower half; down: over the rows, of the left and of the
    right half. Each is coded as `sonovan.clinical.registration.tissue_profile` says, a byte a cell in hexadecimal.
    """

    panel: int = Field(ge=0, lt=MAX_PANELS)
    across: str = Field(pattern="^[0-9a-f]{384}$")
    down: str = Field(pattern="^[0-9a-f]{256}$")


class PanelRefusal(Part):
    """A panel that cannot be assessed, by its ordinal, and why: nothing is known of what it shows."""

    panel: int = Field(ge=0, lt=MAX_PANELS)
    reason: Token


class FrameSegmented(Record):
    """One frame's result. `provider` is what really ran (`openvino/bf16`, `cpu/fp32` …).

    `weights_sha256` is the network's file; `fingerprint` is what tells results of one network from another's.
    `image_sha256` and `mask_sha256` are of the stored bytes: who reads an object refuses one that is another.
    `manufacturer` and `scanner_model` are as the frame has them.
    """

    schema_name: ClassVar[str] = "frame.segmented"
    schema_version: ClassVar[str] = "1.2"

    screening_id: Id
    sequence_id: Id
    frame_index: Index
    van_id: VanId
    organ: Organ
    laterality: Side | None = None
    view: View | None = None
    position: Position | None = None
    nipple_distance_mm: float | None = Field(default=None, ge=0, le=250)
    mode: Mode = "grey"
    captured_at: Moment
    acquired_on: Day | None = None
    time_ms: float | None = Field(default=None, ge=0)
    rows: int = Field(ge=1, le=LONGEST_SIDE)
    columns: int = Field(ge=1, le=LONGEST_SIDE)
    channels: Channels
    bits: Bits
    codec: CodecName
    pixels_sha256: Sha256
    panels: tuple[Panel, ...] = Field(max_length=MAX_PANELS)
    regions: tuple[Region, ...] = Field(max_length=MAX_REGIONS)
    quality: Share
    assessable: bool
    not_assessable_reason: Token | None = None
    refusals: tuple[PanelRefusal, ...] = Field(
        default=(), max_length=MAX_PANELS, description="also of panels beside one that is assessable"
    )
    sharpness: tuple[float, float] | None = Field(
        default=None, description="fine detail across and down, comparable within a sweep only"
    )
    brightness: float | None = Field(
        default=None,
        ge=0,
        le=255,
        description="the grey that a twentieth of its assessable panels exceeds, what is black aside",
    )
    tissue: tuple[TissueProfile, ...] = Field(
        default=(), max_length=MAX_PANELS, description="of its assessable panels that are large enough"
    )
    image_key: ObjectKey
    image_sha256: Sha256
    mask_key: ObjectKey | None = Field(description="None where there is no region: nothing to store")
    mask_sha256: Sha256 | None
    model_id: ModelName
    weights_sha256: Sha256
    fingerprint: Fingerprint
    provider: ProviderName
    timings_ms: dict[Token, float] = Field(max_length=64)
    repeats: Index | None = Field(
        default=None, description="the frame of this sequence with the same pixels whose result this one took"
    )
    manufacturer: Manufacturer | None = None
    scanner_model: ScannerModel | None = None

    @model_validator(mode="after")
    def _names_all_of_a_mask(self) -> Self:
        if (self.mask_key is None) != (self.mask_sha256 is None):
            raise ValueError("a mask has a key and a sha256, or neither")
        return self

    @property
    def frame_id(self) -> str:
        """`{sequence_id}/{frame_index:06d}`."""
        return frame_id(self.sequence_id, self.frame_index)
