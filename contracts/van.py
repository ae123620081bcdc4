"""What a van writes: its enrolment, a screening's opening, frames, closings and the clinical record."""

from collections.abc import Sequence
from datetime import datetime
from itertools import combinations, pairwise
from typing import ClassVar, Final, Literal, Self, get_args

from pydantic import Field, model_validator

from sonovan.contracts.ids import closing_item, frame_id, opened_item
from sonovan.contracts.lexicon import (
    Organ,
    Position,
    Side,
    View,
)
from sonovan.contracts.limits import MAX_FRAME_PIXELS, MAX_FRAMES, MAX_KEYS, MAX_PANELS, MAX_SEQUENCES, MAX_SET_ASIDE
from sonovan.contracts.record import Bits, Channels, Count, Day, Id, Index, Moment, Number, Part, Record, Sha256, VanId
from sonovan.contracts.words import (
    CodecName,
    ConsentText,
    Manufacturer,
    Note,
    OperatorCode,
    ScannerModel,
    SiteCode,
    SlipNumber,
)


class VanKey(Part):
    """A key of a van, and from when to when it counts. `revoked_at`: what the broker appends from then on does not."""

    public_key: Sha256 = Field(description="Ed25519 public key, 32 bytes in hex")
    enrolled_at: Moment
    revoked_at: Moment | None = None

    def counts_at(self, appended_at: datetime) -> bool:
        """Whether the key may sign what the broker appended at this time.

        Nothing is asked of `enrolled_at`: nobody can sign with a key before it is made, and the clock of whoever
        enrols need not be the broker's.
        """
        return self.revoked_at is None or appended_at < self.revoked_at


class VanEnrolled(Record):
    """A van's place in the registry of keys, with every key that it had: the topic keeps the last record of a van.

    keys: the oldest first. All but the newest are revoked, and none stands twice.
    """

    schema_name: ClassVar[str] = "van.enrolled"

    van_id: VanId
    keys: tuple[VanKey, ...] = Field(min_length=1, max_length=MAX_KEYS)

    @model_validator(mode="after")
    def _one_key_at_a_time(self) -> Self:
        if any(key.revoked_at is None for key in self.keys[:-1]):
            raise ValueError("a key before the newest is not revoked")
        if len({key.public_key for key in self.keys}) < len(self.keys):
            raise ValueError("a key stands twice")
        return self

    @classmethod
    def first(cls, van_id: str, public_key: str, at: datetime) -> Self:
        """The record of a van that had no key before."""
        return cls(van_id=van_id, keys=(VanKey(public_key=public_key, enrolled_at=at),))

    @property
    def newest(self) -> VanKey:
        """The key with which the van signs, unless it is revoked."""
        return self.keys[-1]

    def renewed(self, public_key: str, at: datetime) -> "VanEnrolled":
        """The record with another newest key; the one before it counts up to `at`. The oldest of MAX_KEYS falls out."""
        keys = (*self.revoked(at).keys, VanKey(public_key=public_key, enrolled_at=at))
        return VanEnrolled(van_id=self.van_id, keys=keys[-MAX_KEYS:])

    def revoked(self, at: datetime) -> "VanEnrolled":
        """The record with its newest key revoked at that time, or as it is where that happened before."""
        if self.newest.revoked_at is not None:
            return self
        newest = self.newest.model_copy(update={"revoked_at": at})
        return VanEnrolled(van_id=self.van_id, keys=(*self.keys[:-1], newest))


class PlannedRegion(Part):
    """One item of the checklist that the operator works through."""

    organ: Organ
    side: Side | None = None
    region: Position | None = None


Excuse = Literal["absent", "declined", "pain", "dressing", "scanner_failed", "planned_by_mistake"]
"""Why a planned region has no pictures, by the operator's word; there is no free text, for it could name somebody."""
EXCUSES: Final[tuple[Excuse, ...]] = get_args(Excuse)


class ExcusedRegion(PlannedRegion):
    """An item of the checklist that was not scanned, and why."""

    because: Excuse

    @property
    def item(self) -> PlannedRegion:
        """The item alone."""
        return PlannedRegion(organ=self.organ, side=self.side, region=self.region)


class Consent(Part):
    """What the woman agreed to; a use that she did not agree to does not happen."""

    screening: bool
    ai: bool
    research: bool = False
    sharing: bool = False

    @property
    def to_analysis(self) -> bool:
        """Whether she agreed to what this system does at all: screening, and a machine that looks at the pictures."""
        return self.screening and self.ai


class ScreeningOpened(Record):
    """A screening begins. The only record that ties it to a woman, by her `subject_key`.

    consent_text: the edition of the text by which she agreed, None where nobody noted it.
    """

    schema_name: ClassVar[str] = "screening.opened"

    screening_id: Id
    van_id: VanId
    subject_key: Sha256
    slip_number: SlipNumber | None = None
    site_code: SiteCode
    opened_at: Moment
    planned: tuple[PlannedRegion, ...] = Field(default=(), max_length=64)
    consent: Consent
    consent_text: ConsentText | None = None

    @property
    def item_id(self) -> str:
        """The name that spool and receipt use."""
        return opened_item(self.screening_id)


FINEST_MM: Final = 0.0001
"""A pixel is no smaller than this; measuring with a scale that is next to zero has no finite answer."""

LONGEST_SIDE: Final = 16_384
"""No frame has more rows or columns."""


class Panel(Part):
    """One picture within a frame: its box in pixels (left, top, width, height), its scale, its side.

    `column_mm` and `row_mm` are the distance of neighbouring columns and rows; None where it is not known.
    """

    ordinal: int = Field(ge=0, lt=MAX_PANELS)
    left: int = Field(ge=0, le=LONGEST_SIDE)
    top: int = Field(ge=0, le=LONGEST_SIDE)
    width: int = Field(ge=1, le=LONGEST_SIDE)
    height: int = Field(ge=1, le=LONGEST_SIDE)
    column_mm: float | None = Field(default=None, ge=FINEST_MM, le=100)
    row_mm: float | None = Field(default=None, ge=FINEST_MM, le=100)
    laterality: Side | None = None

    @property
    def spacing_mm(self) -> tuple[float, float] | None:
        """(column, row) in mm, or None unless both are known."""
        if self.column_mm is None or self.row_mm is None:
            return None
        return self.column_mm, self.row_mm

    def meets(self, other: "Panel") -> bool:
        """Whether the boxes have a pixel in common."""
        across = self.left < other.left + other.width and other.left < self.left + self.width
        return across and self.top < other.top + other.height and other.top < self.top + self.height


def lie_apart(panels: Sequence[Panel]) -> bool:
    """Whether no two panels have a pixel in common: no pixel is looked at twice, however many panels there are."""
    return not any(one.meets(other) for one, other in combinations(panels, 2))


class FrameCaptured(Record):
    """The header of one frame. Its pixels travel beside it in the envelope, cleaned and losslessly coded.

    `pixels_sha256` (see `sonovan.contracts.frame_codec.pixels_sha256`) is the frame's identity whatever its codec.
    `acquired_on` is the day of examination that the file names, None where it names none; `captured_at` is when the van
    read the frame. `time_ms` counts from the sequence's first frame. `blackened_px` is how many pixels the privacy
    guard cleared. `consent` is what she agreed to, with every frame: a frame may be read before its opening is.
    A frame has at most MAX_FRAME_PIXELS pixels, and its panels lie apart (`lie_apart`).
    """

    schema_name: ClassVar[str] = "frame.captured"

    screening_id: Id
    sequence_id: Id
    frame_index: Index
    van_id: VanId
    organ: Organ
    laterality: Side | None = None
    view: View | None = None
    position: Position | None = None
    nipple_distance_mm: float | None = Field(default=None, ge=0, le=250, description="as the operator entered it")
    consent: Consent
    captured_at: Moment
    acquired_on: Day | None = None
    time_ms: float | None = Field(default=None, ge=0)
    rows: int = Field(ge=1, le=LONGEST_SIDE)
    columns: int = Field(ge=1, le=LONGEST_SIDE)
    channels: Channels
    bits: Bits
    codec: CodecName
    pixels_sha256: Sha256
    panels: tuple[Panel, ...] = Field(min_length=1, max_length=MAX_PANELS)
    blackened_px: Count = 0
    manufacturer: Manufacturer | None = None
    model: ScannerModel | None = None

    @model_validator(mode="after")
    def _panels_lie_inside_and_apart(self) -> Self:
        if self.rows * self.columns > MAX_FRAME_PIXELS:
            raise ValueError(f"a frame has at most {MAX_FRAME_PIXELS} pixels")
        for ordinal, panel in enumerate(self.panels):
            if panel.ordinal != ordinal:
                raise ValueError("panels are numbered from 0 in their order")
            if panel.left + panel.width > self.columns or panel.top + panel.height > self.rows:
                raise ValueError(f"panel {ordinal} reaches outside the frame")
        if not lie_apart(self.panels):
            raise ValueError("panels overlap")
        return self

    @model_validator(mode="after")
    def _is_from_the_nipple_of_a_breast(self) -> Self:
        if self.nipple_distance_mm is not None and self.organ != "breast":
            raise ValueError("a breast alone has a distance to the nipple")
        return self

    @property
    def frame_id(self) -> str:
        """`{sequence_id}/{frame_index:06d}`."""
        return frame_id(self.sequence_id, self.frame_index)

    @property
    def item_id(self) -> str:
        """The name that spool and receipt use."""
        return self.frame_id


class SetAside(Part):
    """Frames in a row that count but were not sent, and why: held for a look, or discarded by the operator.

    frame_index: the first of them. frames: how many.
    """

    frame_index: Index
    frames: int = Field(default=1, ge=1, le=MAX_FRAMES)
    reason: Note
    discarded: bool = False

    @property
    def indices(self) -> range:
        """The indices of the frames."""
        return range(self.frame_index, self.frame_index + self.frames)


class SequenceClosed(Record):
    """One sweep is over: how many frames it has, and the digest of the hashes of all that are not discarded.

    The highest `closing_number` wins; the same number with other content makes the screening incomplete.
    Held frames stay in the count and are missing until sent; discarded ones are accounted for. `set_aside` is in order.
    operator: who scanned, by a code of the site, never a name; None where nobody said so.
    """

    schema_name: ClassVar[str] = "sequence.closed"
    schema_version: ClassVar[str] = "1.1"

    screening_id: Id
    sequence_id: Id
    van_id: VanId
    closing_number: Number
    frame_count: int = Field(ge=0, le=MAX_FRAMES)
    frames_digest: Sha256
    organ: Organ
    laterality: Side | None = None
    view: View | None = None
    position: Position | None = None
    set_aside: tuple[SetAside, ...] = Field(default=(), max_length=MAX_SET_ASIDE)
    operator: OperatorCode | None = None
    closed_at: Moment

    @model_validator(mode="after")
    def _set_aside_in_order(self) -> Self:
        ends = [each.indices.stop for each in self.set_aside]
        if any(after.frame_index < before.indices.stop for before, after in pairwise(self.set_aside)):
            raise ValueError("runs of frames set aside overlap, or stand out of order")
        if ends and ends[-1] > self.frame_count:
            raise ValueError("more frames are set aside than there are")
        return self

    @property
    def item_id(self) -> str:
        """The name that spool and receipt use."""
        return closing_item(self.sequence_id, self.closing_number)


class ScreeningClosed(Record):
    """The screening is over: the sequences that belong to it, and what the operator ticked off the checklist.

    `covered` holds the items of the opening's `planned` that were scanned whole, by the operator's own word; None means
    that no checklist was worked through. `excused` holds those that were not scanned, each with the operator's reason;
    it excuses nobody from examining them. A screening that is resumed is closed again under a higher number with all
    that is ticked off by then.

    stays: the operator closed it while she stays on the couch, to be scanned again if need be. left_at: when she left,
    by the operator's word and the van's clock. Neither says anything where nobody watches who comes and goes, such as
    with pictures that are sent from files.
    """

    schema_name: ClassVar[str] = "screening.closed"
    schema_version: ClassVar[str] = "1.1"

    screening_id: Id
    van_id: VanId
    closing_number: Number
    sequence_ids: tuple[Id, ...] = Field(max_length=MAX_SEQUENCES)
    quality_warnings: tuple[Note, ...] = Field(default=(), max_length=64)
    covered: tuple[PlannedRegion, ...] | None = Field(default=None, max_length=200)
    excused: tuple[ExcusedRegion, ...] = Field(default=(), max_length=200)
    stays: bool = False
    left_at: Moment | None = None
    closed_at: Moment

    @model_validator(mode="after")
    def _stays_or_has_left(self) -> Self:
        if self.stays and self.left_at is not None:
            raise ValueError("she cannot stay on the couch that she has left")
        return self

    @property
    def item_id(self) -> str:
        """The name that spool and receipt use."""
        return closing_item(self.screening_id, self.closing_number)
