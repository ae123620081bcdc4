"""What the centre finds: regions of a frame, tracks of a sequence, findings of a screening."""

from typing import ClassVar, Final, Literal

from pydantic import Field

from sonovan.contracts.ids import frame_id
from sonovan.contracts.record import (
    Fingerprint,
    Id,
    Index,
    Moment,
    Organ,
    Part,
    Record,
    Sha256,
    Share,
    Side,
    Token,
    VanId,
)
from sonovan.contracts.van import Panel

IntendedUse = Literal["research", "measurement", "decision_support"]
Status = Literal["preliminary", "incomplete", "complete"]
Level = Literal["adequate", "limited", "inadequate"]


class RegionMeasures(Part):
    """What `sonovan.clinical.measure` reads off one region. mm only where the panel's spacing is known, else None.

    Axes are full lengths of the ellipse with the region's second moments; `orientation_deg` is the long axis
    against the horizontal, in (-90, 90]; `contrast` is mean inside over mean of the surrounding ring, minus 1.
    """

    area_mm2: float | None = None
    long_axis_mm: float | None = None
    short_axis_mm: float | None = None
    long_axis_px: float
    short_axis_px: float
    orientation_deg: float
    circularity: float = Field(ge=0)
    solidity: float = Field(ge=0)
    mean_grey: float = Field(ge=0, le=255)
    contrast: float | None = None
    cnr: float | None = None


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
    """

    ordinal: int = Field(ge=0, le=254)
    panel: int = Field(ge=0, le=15)
    polygon: tuple[tuple[float, float], ...] = Field(min_length=3)
    box: tuple[int, int, int, int]
    centroid: tuple[float, float]
    area_px: int = Field(ge=1)
    score_mean: Share
    score_max: Share
    measures: RegionMeasures
    unconfirmed: bool = False
    predicted_dice: Share | None = None
    malignant: Share | None = None
    malignant_withheld: bool = Field(default=False, description="never in a record; where frames are shown")
    descriptors: tuple[Descriptor, ...] = ()


class PanelRefusal(Part):
    """A panel that cannot be assessed, by its ordinal, and why: nothing is known of what it shows."""

    panel: int = Field(ge=0, le=15)
    reason: Token


class FrameSegmented(Record):
    """One frame's result. `provider` is what really ran (`openvino/bf16`, `cpu/fp32` …).

    `weights_sha256` is the network's file; `fingerprint` is what tells results of one network from another's.
    """

    schema_name: ClassVar[str] = "frame.segmented"

    screening_id: Id
    sequence_id: Id
    frame_index: Index
    van_id: VanId
    organ: Organ
    laterality: Side | None = None
    view: Token | None = None
    position: Token | None = None
    captured_at: Moment
    time_ms: float | None = Field(default=None, ge=0)
    rows: int = Field(ge=1)
    columns: int = Field(ge=1)
    channels: Literal[1, 3]
    bits: Literal[8, 16]
    codec: Token
    pixels_sha256: Sha256
    panels: tuple[Panel, ...]
    regions: tuple[Region, ...]
    quality: Share
    assessable: bool
    not_assessable_reason: Token | None = None
    refusals: tuple[PanelRefusal, ...] = Field(default=(), description="also of panels beside one that is assessable")
    sharpness: tuple[float, float] | None = Field(
        default=None, description="fine detail across and down, comparable within a sweep only"
    )
    image_key: str
    mask_key: str | None = Field(description="None where there is no region: nothing to store")
    model_id: Token
    weights_sha256: Sha256
    fingerprint: Fingerprint
    provider: Token
    timings_ms: dict[Token, float]

    @property
    def frame_id(self) -> str:
        """`{sequence_id}/{frame_index:06d}`."""
        return frame_id(self.sequence_id, self.frame_index)


class Member(Part):
    """One region of one frame that belongs to a track or finding."""

    frame_id: str
    ordinal: int = Field(ge=0)


class Category(Part):
    """A category that a written rule derives, for review. `value` is None under `withheld`."""

    scheme: Literal["BI-RADS", "TI-RADS", "C-TIRADS"]
    value: Token | None
    derivation: str
    withheld: bool = False


class Finding(Part):
    """One lesion, linked over a sequence's frames.

    `key_frame_id` is the frame that shows it best (highest mean score times area); `duration_ms` spans first
    to last member where frames carry times. Sizes and `predicted_dice` come from the key frame. `malignant` and
    `descriptors` are taken over all members, each frame weighing as much as its score; `malignant` is None where no
    network says so, and under `malignant_withheld`.
    """

    finding_id: Sha256
    organ: Organ
    laterality: Side | None
    view: Token | None = None
    position: Token | None = None
    sequence_id: Id
    members: tuple[Member, ...] = Field(min_length=1)
    frame_span: tuple[int, int]
    duration_ms: float | None
    key_frame_id: str
    key_ordinal: int
    box: tuple[int, int, int, int]
    area_px: int
    area_mm2: float | None
    long_axis_mm: float | None
    short_axis_mm: float | None
    score_mean: Share
    score_max: Share
    contrast: float | None
    unconfirmed: bool = Field(default=False, description="the network saw it, and on no frame did its decoder draw it")
    predicted_dice: Share | None = Field(default=None, description="expected of the outlines on the key frame's panel")
    malignant: Share | None = None
    malignant_withheld: bool = False
    descriptors: tuple[Descriptor, ...] = ()
    category: Category | None
    image_key: str
    mask_key: str | None


class WithdrawnFinding(Part):
    """A published finding that is gone, and into which other one it was merged, if so."""

    finding_id: Sha256
    merged_into: Sha256 | None = None


class Adequacy(Part):
    """Was this organ and side seen well enough? Inadequate is "not assessed", never "no finding"."""

    organ: Organ
    laterality: Side | None
    region: Token | None = None
    level: Level
    assessable_share: Share
    frames: int = Field(ge=0)
    reasons: tuple[Token, ...] = ()


MAX_LISTED: Final = 1000


class MissingFrames(Part):
    """Frames that a closing counts and nobody has accounted for; `indices` is None where the closing itself is missing.

    indices: the lowest ones, at most MAX_LISTED. more: how many are missing beyond those.
    """

    sequence_id: Id
    indices: tuple[int, ...] | None
    more: int = Field(default=0, ge=0)


class RejectedFrame(Part):
    """A frame that counts as accounted for because it was rejected after its signature was verified."""

    frame_id: str
    reason: Token


class RefusedPanel(Part):
    """A panel that could not be assessed in frames of which another panel could, in order of their index.

    indices: the lowest ones, at most MAX_LISTED. more: how many frames there are beyond those.
    """

    sequence_id: Id
    panel: int = Field(ge=0, le=15)
    reason: Token
    indices: tuple[int, ...] = Field(min_length=1)
    more: int = Field(default=0, ge=0)


class Advice(Part):
    """What to do next, by a written rule. `text` is None under `withheld`."""

    code: Token
    text: str | None
    withheld: bool = False


class SequenceAssessed(Record):
    """The lesion tracks of one sequence within one revision."""

    schema_name: ClassVar[str] = "sequence.assessed"

    screening_id: Id
    sequence_id: Id
    revision_id: Sha256
    organ: Organ
    laterality: Side | None
    frames: int = Field(ge=0)
    assessable_frames: int = Field(ge=0)
    findings: tuple[Finding, ...]


class ScreeningAssessed(Record):
    """One revision of what is known of a screening. Unsigned: never a result until a reader concludes."""

    schema_name: ClassVar[str] = "screening.assessed"

    screening_id: Id
    van_id: VanId
    revision_id: Sha256
    revision_number: int = Field(ge=1)
    status: Status
    as_of: Moment = Field(description="append time of the record that made this revision")
    frames: int = Field(ge=0)
    adequacy: tuple[Adequacy, ...]
    findings: tuple[Finding, ...]
    withdrawn: tuple[WithdrawnFinding, ...] = ()
    missing: tuple[MissingFrames, ...] = ()
    rejected: tuple[RejectedFrame, ...] = ()
    refused_panels: tuple[RefusedPanel, ...] = ()
    advice: tuple[Advice, ...] = ()
    categories: tuple[Category, ...] = ()
    report_html_key: str | None = None
    report_json_key: str | None = None
    model_id: Token
    weights_sha256: Sha256
    fingerprint: Fingerprint
    rules_version: Token


class ScreeningTicked(Record):
    """How a timer speaks to a table."""

    schema_name: ClassVar[str] = "screening.ticked"

    screening_id: Id
    as_of: Moment
