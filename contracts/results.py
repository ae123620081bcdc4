"""What the centre finds in a screening: lesions with their sightings, adequacy, categories, advice."""

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from sonovan.contracts.amendments import AmendmentInForce, ends, silences
from sonovan.contracts.because import Because
from sonovan.contracts.derivation import USUAL, Advice, Category, Programme, Risk
from sonovan.contracts.description import Extent, Location, Outline, Vessels
from sonovan.contracts.dynamics import Dynamics
from sonovan.contracts.frames import Descriptor, Place
from sonovan.contracts.lexicon import Organ, Position, Scheme, Side, View
from sonovan.contracts.limits import (
    MAX_AMENDMENTS,
    MAX_FINDINGS,
    MAX_FRAMES,
    MAX_LISTED,
    MAX_PANELS,
    MAX_REGIONS,
    MAX_SEQUENCES,
    MAX_SIGHTINGS,
)
from sonovan.contracts.promotions import PromotionInForce
from sonovan.contracts.record import (
    Count,
    Day,
    Fingerprint,
    FrameId,
    Id,
    Index,
    Moment,
    Number,
    ObjectKey,
    Part,
    Pixel,
    Record,
    Sha256,
    Share,
    Token,
    VanId,
)
from sonovan.contracts.words import ModelName, OperatorCode

IntendedUse = Literal["research", "measurement", "decision_support"]
Status = Literal["preliminary", "incomplete", "complete"]
Level = Literal["adequate", "usable", "limited", "inadequate", "not_examined", "unknown"]


class Member(Part):
    """One region of one frame that belongs to a track or finding."""

    frame_id: FrameId
    ordinal: int = Field(ge=0, lt=MAX_REGIONS)


class Sighting(Part):
    """One lesion as one panel of one sequence shows it, over the frames in which it was outlined.

    `key_frame_id` is the most reliable of the frames that show it large (`sonovan.clinical.key_frame.key_of` chooses)
    and `key_ordinal` the region in it; view, position, distance to the nipple, box, sizes, place, contrast, outline and
    `predicted_dice` are the key frame's. Axes are Feret diameters (`RegionMeasures`). `at_least`: why the lesion may be
    larger than these sizes say (`outline_cut_by_edge`, `sweep_ends_on_it`), empty where nothing says so. `frame_span`
    holds the first and the last frame index, `duration_ms` the time between them where frames carry times. `score_mean`
    is the mean over the best members, `score_max` the highest of all.
    """

    sequence_id: Id
    panel: int = Field(ge=0, lt=MAX_PANELS)
    view: View | None = None
    position: Position | None = None
    nipple_distance_mm: float | None = Field(default=None, ge=0, le=250)
    members: tuple[Member, ...] = Field(min_length=1, max_length=MAX_FRAMES)
    frame_span: tuple[Index, Index]
    duration_ms: float | None
    key_frame_id: FrameId
    key_ordinal: int = Field(ge=0, lt=MAX_REGIONS)
    box: tuple[Pixel, Pixel, Pixel, Pixel]
    area_px: Count = Field(ge=1)
    area_mm2: float | None
    long_axis_mm: float | None
    short_axis_mm: float | None
    long_axis_px: float
    short_axis_px: float
    orientation_deg: float = Field(gt=-90, le=90, description="of the long axis against the horizontal of the picture")
    at_least: tuple[Because, ...] = Field(default=(), max_length=16)
    place: Place | None = None
    score_mean: Share
    score_max: Share
    track_score: Share = Field(description="how sure the sweep as a whole is of it: an order, no probability")
    contrast: float | None
    dynamics: Dynamics | None = Field(default=None, description="its course; None on fewer than three frames")
    cnr: float | None = None
    gcnr: Share | None = None
    outline: Outline | None = None
    unconfirmed: bool = Field(default=False, description="the network saw it, and on no frame did its decoder draw it")
    predicted_dice: Share | None = Field(default=None, description="expected of the outlines on the key frame's panel")
    outline_unreliable: bool = Field(default=False, description="the outline on the key frame is not to be relied on")
    reader_frames: tuple[Index, ...] = Field(
        default=(), max_length=MAX_FRAMES, description="on which the outline is a reader's, not the network's"
    )
    image_key: ObjectKey
    image_sha256: Sha256
    mask_key: ObjectKey | None
    mask_sha256: Sha256 | None

    @model_validator(mode="after")
    def _members_are_of_its_sequence(self) -> Self:
        if any(not member.frame_id.startswith(self.sequence_id) for member in self.members):
            raise ValueError("a sighting's members are regions of its own sequence")
        if self.key not in self.members:
            raise ValueError("a sighting's key region is one of its members")
        return self

    @property
    def key(self) -> Member:
        """The region that shows the lesion best."""
        return Member(frame_id=self.key_frame_id, ordinal=self.key_ordinal)

    @property
    def frame_count(self) -> int:
        """On how many frames it was outlined."""
        return len({member.frame_id for member in self.members})


class Finding(Part):
    """One lesion, by its sightings: one for each sequence and panel that shows it, in the order of their first members.

    `best_ordinal` is the place of the sighting that shows it best (`sonovan.clinical.lesions.best_of` chooses): what is
    shown and measured first. `malignant`, `malignant_range` and `descriptors` belong to the lesion and are taken over
    the members of all sightings (`sonovan.clinical.descriptors`). `malignant` is the mean over the three most
    suspicious of the frames whose outline is reliable, `malignant_range` the lowest and the highest of all of them;
    both are None where no network gives a score, where no outline is reliable, and under `malignant_withheld`, as is
    `risk`. `location`, `extent` (of a nodule of the thyroid) and `vessels` are None where nobody said or looked.
    """

    finding_id: Sha256
    organ: Organ
    laterality: Side | None
    sightings: tuple[Sighting, ...] = Field(min_length=1, max_length=MAX_SIGHTINGS)
    best_ordinal: int = Field(ge=0, lt=MAX_SIGHTINGS)
    joined: tuple[Because, ...] = Field(
        default=(),
        max_length=1024,
        description="why several sweeps or views are taken to show one lesion, and the doubt",
    )
    malignant: Share | None = None
    malignant_range: tuple[Share, Share] | None = None
    malignant_withheld: bool = False
    outline_unreliable: bool = Field(default=False, description="on no frame is its outline reliable: a reader decides")
    descriptors: tuple[Descriptor, ...] = Field(default=(), max_length=32)
    location: Location | None = None
    extent: Extent | None = None
    vessels: Vessels | None = None
    risk: Risk | None = None
    categories: tuple[Category, ...] = Field(default=(), max_length=4, description="one of each scheme at most")
    uncategorised: tuple[Because, ...] = Field(
        default=(), max_length=4, description="why it has none, where a rule says"
    )

    @model_validator(mode="after")
    def _says_nothing_off_unreliable_outlines(self) -> Self:
        if self.outline_unreliable and (self.malignant is not None or self.risk is not None or self.descriptors):
            raise ValueError("a finding whose outlines are unreliable has neither score nor risk nor descriptors")
        return self

    @model_validator(mode="after")
    def _sightings_are_apart(self) -> Self:
        if self.best_ordinal >= len(self.sightings):
            raise ValueError("the best sighting is none of the sightings")
        if len({(each.sequence_id, each.panel) for each in self.sightings}) < len(self.sightings):
            raise ValueError("two sightings are of the same sequence and panel")
        return self

    def category(self, scheme: Scheme) -> Category | None:
        """Its category of a scheme, None where there is none."""
        return next((each for each in self.categories if each.scheme == scheme), None)

    @property
    def best(self) -> Sighting:
        """The sighting that shows the lesion best."""
        return self.sightings[self.best_ordinal]

    @property
    def in_order(self) -> tuple[Sighting, ...]:
        """The sightings with the best one first, the others in their order."""
        others = [each for place, each in enumerate(self.sightings) if place != self.best_ordinal]
        return (self.best, *others)

    @property
    def members(self) -> tuple[Member, ...]:
        """The members of all sightings."""
        return tuple(member for sighting in self.sightings for member in sighting.members)

    @property
    def frame_count(self) -> int:
        """On how many frames it was outlined, over all sightings."""
        return len({member.frame_id for member in self.members})

    @property
    def unconfirmed(self) -> bool:
        """In no sighting did the network's decoder draw what the network saw."""
        return all(sighting.unconfirmed for sighting in self.sightings)


class WithdrawnFinding(Part):
    """A published finding that is gone, and into which other one it was merged, if so."""

    finding_id: Sha256
    merged_into: Sha256 | None = None


class Adequacy(Part):
    """Was this organ and side seen well enough? Whatever the level, it is never "no finding".

    adequate: the pictures are good and the operator ticked it off the checklist as covered. usable: the pictures are
    good; nobody recorded whether all of it was scanned. limited: seen, with a doubt. inadequate: scanned, and not
    assessed. not_examined: planned, and no frame shows it. unknown: no frame of it is here yet, or frames came without
    a side that may be of it.
    """

    organ: Organ
    laterality: Side | None
    region: Position | None = None
    level: Level
    assessable_share: Share
    frames: Count
    reasons: tuple[Token, ...] = Field(default=(), max_length=64)


class MissingFrames(Part):
    """Frames that a closing counts and nobody has accounted for; `indices` is None where the closing itself is missing.

    indices: the lowest ones, at most MAX_LISTED. more: how many are missing beyond those.
    """

    sequence_id: Id
    indices: tuple[Index, ...] | None = Field(max_length=MAX_LISTED)
    more: Count = 0


class RejectedFrame(Part):
    """A frame that counts as accounted for because it was rejected after its signature was verified."""

    frame_id: FrameId
    reason: Token


class ReaderFrame(Part):
    """A frame whose outlines, or that it has none, are a reader's: this review counts in the place of the result.

    fingerprint: of the network whose mask the reader had seen, by which the regions are numbered; None where none was.
    """

    frame_id: FrameId
    review_id: Id
    reader: OperatorCode
    verdict: Literal["corrected", "drawn"]
    regions: Count
    fingerprint: Fingerprint | None = None


class RefusedPanel(Part):
    """A panel that could not be assessed in frames of which another panel could, in order of their index.

    indices: the lowest ones, at most MAX_LISTED. more: how many frames there are beyond those.
    """

    sequence_id: Id
    panel: int = Field(ge=0, lt=MAX_PANELS)
    reason: Token
    indices: tuple[Index, ...] = Field(min_length=1, max_length=MAX_LISTED)
    more: Count = 0


class SequenceAssessed(Record):
    """What one sequence shows within one revision: the findings that it has a sighting of, with its sightings alone."""

    schema_name: ClassVar[str] = "sequence.assessed"

    screening_id: Id
    sequence_id: Id
    revision_id: Sha256
    organ: Organ
    laterality: Side | None
    frames: Count
    assessable_frames: Count
    findings: tuple[Finding, ...] = Field(max_length=MAX_FINDINGS)


class ScreeningAssessed(Record):
    """One revision of what is known of a screening. Unsigned: never a result until a reader concludes.

    The report's sha256 are of its stored bytes: who reads it refuses one that is another. A `preliminary` revision has
    no report. left_at: when she left the couch, by the operator's word; None where nobody said so, or nothing is said
    of the pictures.
    """

    schema_name: ClassVar[str] = "screening.assessed"
    schema_version: ClassVar[str] = "1.2"

    screening_id: Id
    van_id: VanId
    revision_id: Sha256
    revision_number: Number
    status: Status
    as_of: Moment = Field(description="append time of the record that made this revision")
    examined_on: Day | None = Field(default=None, description="the first day that its files name; None where none does")
    left_at: Moment | None = None
    frames: Count
    amendments: tuple[AmendmentInForce, ...] = Field(default=(), max_length=MAX_AMENDMENTS)
    adequacy: tuple[Adequacy, ...] = Field(max_length=256)
    findings: tuple[Finding, ...] = Field(
        max_length=MAX_FINDINGS,
        description="most suspicious first, then largest; whatever shows them keeps this order and counts from 1",
    )
    withdrawn: tuple[WithdrawnFinding, ...] = Field(default=(), max_length=MAX_FINDINGS)
    missing: tuple[MissingFrames, ...] = Field(default=(), max_length=2 * MAX_SEQUENCES)
    rejected: tuple[RejectedFrame, ...] = Field(default=(), max_length=MAX_FRAMES)
    refused_panels: tuple[RefusedPanel, ...] = Field(default=(), max_length=MAX_FRAMES)
    reviewed: tuple[ReaderFrame, ...] = Field(
        default=(), max_length=MAX_FRAMES, description="frames of it that a reader corrected or drew, by their ids"
    )
    advice: tuple[Advice, ...] = Field(default=(), max_length=1024)
    categories: tuple[Category, ...] = Field(default=(), max_length=256)
    report_html_key: ObjectKey | None = None
    report_html_sha256: Sha256 | None = None
    report_json_key: ObjectKey | None = None
    report_json_sha256: Sha256 | None = None
    model_id: ModelName
    weights_sha256: Sha256
    fingerprint: Fingerprint
    promoted: PromotionInForce | None = Field(default=None, description="None where the first network counts")
    rules_version: Token
    programme: Programme = USUAL

    @model_validator(mode="after")
    def _names_all_of_a_report(self) -> Self:
        named = (self.report_html_key, self.report_html_sha256, self.report_json_key, self.report_json_sha256)
        if any(each is None for each in named) and any(each is not None for each in named):
            raise ValueError("a report has a key and a sha256 for its page and its document, or none of them")
        return self

    @property
    def silenced(self) -> bool:
        """Whether nothing is said of the pictures (`sonovan.contracts.amendments.silences`)."""
        return silences(self.amendments)

    @property
    def ended(self) -> bool:
        """Whether nothing is said of her at all (`sonovan.contracts.amendments.ends`)."""
        return ends(self.amendments)


class ScreeningTicked(Record):
    """How a timer speaks to a table. Whether the deadline has passed is decided by the broker's time of this record."""

    schema_name: ClassVar[str] = "screening.ticked"

    screening_id: Id
