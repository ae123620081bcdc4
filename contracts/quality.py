"""Is it still right? What the centre measures of its networks and of what scanners send, with nobody's name in it."""

from typing import ClassVar, Final, Literal, Self, get_args

from pydantic import Field, model_validator

from sonovan.contracts.lexicon import Organ
from sonovan.contracts.record import Count, Fingerprint, Id, Index, Moment, Number, Part, Record, Share, VanId
from sonovan.contracts.words import Manufacturer, ModelName, ScannerModel

Feature = Literal["brightness", "sharpness", "refused", "regions", "region_size", "score", "predicted"]
"""What is watched of each screening, each the mean over its frames. Of what comes in: `brightness` is the grey that a
twentieth of the ultrasound exceeds (0 to 255), `sharpness` how much of its detail is fine, which changes with the size
of speckle. Of what goes out: `refused` is the share of frames that cannot be assessed, `regions` how many are outlined
on a frame, `region_size` the root of the largest one's share of its panel, `score` its mean probability, `predicted`
the Dice that the network expects of its outlines."""
FEATURES: Final[tuple[Feature, ...]] = get_args(Feature)

StratumLevel = Literal["network", "van", "scanner", "source"]
"""network: all that one network outlined in one organ. van, scanner: of that, what one van sent or one make and model
of scanner took. source: what one scanner took on one van."""


class Stratum(Part):
    """What a figure is of: one network and organ, and perhaps one van or scanner, or one scanner on one van."""

    level: StratumLevel
    model_id: ModelName
    fingerprint: Fingerprint
    organ: Organ
    van_id: VanId | None = None
    manufacturer: Manufacturer | None = Field(default=None, description="None where no file names it, or for all")
    scanner_model: ScannerModel | None = None

    @model_validator(mode="after")
    def _names_what_its_level_does(self) -> Self:
        if (self.van_id is not None) != (self.level in ("van", "source")):
            raise ValueError("a van is named where the figures are of one van")
        known = self.manufacturer is not None or self.scanner_model is not None
        if known and self.level in ("network", "van"):
            raise ValueError("a scanner is named where the figures are of one scanner")
        return self

    @property
    def name(self) -> str:
        """The same text for the same stratum, and for no other."""
        parts = (self.van_id, self.manufacturer, self.scanner_model)
        return "/".join((self.level, self.fingerprint, self.organ, *(part or "-" for part in parts)))


AgreementVerdict = Literal["too_few", "met", "unclear", "missed"]
"""too_few: fewer screenings than are needed to tell a drop of .05. met: the intervals of Dice and IoU lie at or above
.80 and .70. missed: one of them lies below. unclear: neither."""


class Agreement(Part):
    """How far outlines agree with those that readers drew blind, over the newest screenings that were so reviewed.

    Means are over frames on which a reader outlined something; where the network outlined nothing there, both are 0.
    low, high: the 95 % interval by drawing whole screenings. needed: how many screenings are needed before `verdict`
    says more than `too_few`. reader_empty: frames on which every reader outlined nothing; outlined_there: those of
    them on which the network outlined something. predicted_frames, predicted_minus_measured, spearman: how well the
    network's own expectation predicted Dice, over frames that have both; None where too few have.
    """

    screenings: Count
    frames: Count
    dice: Share | None
    dice_low: Share | None
    dice_high: Share | None
    iou: Share | None
    iou_low: Share | None
    iou_high: Share | None
    needed: Count
    verdict: AgreementVerdict
    reader_empty: Count = 0
    outlined_there: Count = 0
    predicted_frames: Count = 0
    predicted_minus_measured: float | None = Field(default=None, ge=-1, le=1)
    spearman: float | None = Field(default=None, ge=-1, le=1)

    @model_validator(mode="after")
    def _has_a_verdict_on_figures_only(self) -> Self:
        if self.dice is None and self.verdict != "too_few":
            raise ValueError("without a mean there is no verdict on it")
        return self


class Drift(Part):
    """One feature of a window of screenings against the reference: Kolmogorov and Smirnov's distance, and its bound.

    psi: the population stability index over tenths of the reference, a figure to look at and no test. low, high: the
    reference's middle half. independent: for as many screenings that do not share a day the window counts; None in
    records of before it was asked.
    """

    feature: Feature
    reference_screenings: Count
    screenings: Count
    independent: float | None = Field(default=None, gt=0)
    reference_median: float
    low: float
    high: float
    median: float
    distance: Share
    critical: Share
    psi: float = Field(ge=0)
    drifted: bool


class Window(Part):
    """So many screenings in a row of one scanner on one van; the first windows are its reference.

    drifts: by feature, empty in a window of the reference; a feature is left out where too few screenings have it.
    """

    number: Number
    screenings: Count
    reference: bool
    began_at: Moment
    ended_at: Moment
    predicted: Share | None = Field(default=None, description="mean Dice that the network expects of its outlines")
    drifts: tuple[Drift, ...] = Field(default=(), max_length=len(FEATURES))


FlagReason = Literal["predicted_low", "outside_reference"]
"""predicted_low: the network expects little of its outline. outside_reference: next to none of the reference's
screenings have such a feature."""


class Flagged(Part):
    """A frame that somebody should look at: the one on which the network expects least of its outline, or the first."""

    screening_id: Id
    sequence_id: Id
    frame_index: Index
    because: FlagReason
    feature: Feature
    value: float


class QualityMeasured(Record):
    """New figures of one stratum: how far outlines agree, a window that is full, or frames to look at."""

    schema_name: ClassVar[str] = "quality.measured"

    stratum: Stratum
    as_of: Moment = Field(description="append time of the record that made these figures")
    agreement: Agreement | None = None
    window: Window | None = None
    flagged: tuple[Flagged, ...] = Field(default=(), max_length=64)

    @property
    def key(self) -> str:
        """The key of its message."""
        return self.stratum.model_id


class ReviewedFrame(Part):
    """One frame that readers drew blind, against the machine's mask: the mean over its readers.

    dice, iou: None where every reader outlined nothing. outlined: the network outlined something. predicted: the Dice
    that it expects, None where it expects none.
    """

    dice: Share | None
    iou: Share | None
    outlined: bool
    predicted: Share | None


MAX_REVIEWED: Final = 1000
"""Frames of one screening that readers have drawn."""


class LookAt(Part):
    """A frame, and the Dice that the network expects of its outlines there; None where it expects none."""

    sequence_id: Id
    frame_index: Index
    predicted: Share | None


class FeatureValue(Part):
    """One feature of a screening: the mean over its frames that have it."""

    feature: Feature
    value: float


class ScreeningObserved(Record):
    """What one screening adds to the figures of one network: on its way from who has its frames to who has the windows.

    values: its features, a missing one is not known; None where its frames are not summed up yet. reviewed: every frame
    that readers drew blind, as a whole, replacing what came before; None where there are none. erased: forget it.
    """

    schema_name: ClassVar[str] = "screening.observed"

    screening_id: Id
    model_id: ModelName
    fingerprint: Fingerprint
    organ: Organ
    van_id: VanId
    manufacturer: Manufacturer | None = None
    scanner_model: ScannerModel | None = None
    values: tuple[FeatureValue, ...] | None = Field(default=None, max_length=len(FEATURES))
    look_at: LookAt | None = None
    reviewed: tuple[ReviewedFrame, ...] | None = Field(default=None, max_length=MAX_REVIEWED)
    erased: bool = False

    @property
    def by_feature(self) -> dict[Feature, float]:
        """Its features; a missing one is not known."""
        return {each.feature: each.value for each in self.values or ()}

    def stratum(self, level: StratumLevel) -> Stratum:
        """The stratum of this level to which it belongs."""
        scanner = level in ("scanner", "source")
        return Stratum(
            level=level,
            model_id=self.model_id,
            fingerprint=self.fingerprint,
            organ=self.organ,
            van_id=self.van_id if level in ("van", "source") else None,
            manufacturer=self.manufacturer if scanner else None,
            scanner_model=self.scanner_model if scanner else None,
        )
