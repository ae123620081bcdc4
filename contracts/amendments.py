"""What is put right about a screening after it was sent, or marked in it: each time a record of its own.

An amendment replaces what the opening and the closings say, or adds the operator's mark to it. It is read beside them,
and whoever makes a revision of the screening applies all that are in force (`sonovan.clinical.amended`).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, ClassVar, Final, Literal, Self, get_args

from pydantic import Field, model_validator

from sonovan.contracts.ids import amendment_item
from sonovan.contracts.lexicon import Organ, Position, Side, sides_of
from sonovan.contracts.limits import MAX_AMENDMENTS, MAX_SEQUENCES
from sonovan.contracts.record import FrameId, Id, Moment, Part, Record, Sha256, VanId
from sonovan.contracts.words import OperatorCode, SlipNumber

Purpose = Literal["screening", "ai", "research", "sharing"]
"""What a woman may agree to: the fields of `sonovan.contracts.van.Consent`."""

AmendmentKind = Literal["side", "woman", "void", "consent", "taken_back", "seen"]

AmendmentReason = Literal[
    "side_entered_wrong", "side_labelled_wrong_by_scanner", "wrong_woman", "two_slips", "no_screening", "sent_twice",
    "pictures_unusable", "she_withdrew", "consent_recorded_wrong", "amended_by_mistake", "operator_saw_something",
]  # fmt: skip
"""Why something is amended. A code, so that nothing in it can name her."""

REASONS_OF: Final[Mapping[AmendmentKind, tuple[AmendmentReason, ...]]] = {
    "side": ("side_entered_wrong", "side_labelled_wrong_by_scanner"),
    "woman": ("two_slips", "wrong_woman"),
    "void": ("wrong_woman", "no_screening", "sent_twice", "pictures_unusable"),
    "consent": ("she_withdrew", "consent_recorded_wrong"),
    "taken_back": ("amended_by_mistake",),
    "seen": ("operator_saw_something",),
}
"""The reasons that each kind of amendment may have."""

AmendmentNumber = Annotated[int, Field(ge=1, le=MAX_AMENDMENTS)]


class SideAmended(Part):
    """These sweeps are of another side than their frames and closings say.

    planned_too: whoever wrote the checklist mistook the side as well, so that its items of the side that the sweeps
    were taken for are of this one. A frame whose panels name both sides has them
    exchanged, unless `laterality` is the side that the frame names itself: then they are as they were sent.
    """

    kind: Literal["side"] = "side"
    sequence_ids: tuple[Id, ...] = Field(min_length=1, max_length=MAX_SEQUENCES)
    laterality: Side
    planned_too: bool = False


class WomanAmended(Part):
    """The screening is of the woman with this key and slip, not of the one that the opening names.

    slip_number: None where she has none; the opening's counts no longer either way.
    """

    kind: Literal["woman"] = "woman"
    subject_key: Sha256
    slip_number: SlipNumber | None = None


class Voided(Part):
    """The screening does not count: nothing is said of its pictures."""

    kind: Literal["void"] = "void"


class ConsentAmended(Part):
    """She no longer agrees to these uses, or never did."""

    kind: Literal["consent"] = "consent"
    withdrawn: tuple[Purpose, ...] = Field(min_length=1, max_length=len(get_args(Purpose)))


class TakenBack(Part):
    """An earlier amendment by the same van was a mistake, and holds no longer; nobody takes back a taking back."""

    kind: Literal["taken_back"] = "taken_back"
    amendment_number: AmendmentNumber


class SeenMarked(Part):
    """The operator saw something: for a reader to look at, without any outline. It takes nothing away.

    frame_id: the newest frame of the screening when the key was pressed, None where none had come. organ, laterality,
    region: as the operator said them; where the organ is None they are those of the frame's sweep.
    """

    kind: Literal["seen"] = "seen"
    frame_id: FrameId | None = None
    organ: Organ | None = None
    laterality: Side | None = None
    region: Position | None = None

    @model_validator(mode="after")
    def _place_is_of_the_organ(self) -> Self:
        if self.organ is None and (self.laterality is not None or self.region is not None):
            raise ValueError("a side or a region needs its organ")
        if self.organ is not None and self.laterality is not None and self.laterality not in sides_of(self.organ):
            raise ValueError("the organ has no such side")
        return self


Amendment = Annotated[
    SideAmended | WomanAmended | Voided | ConsentAmended | TakenBack | SeenMarked, Field(discriminator="kind")
]


class ScreeningAmended(Record):
    """One amendment of a screening, by whom and why.

    `amendment_number` counts the amendments of this screening by whoever signs them; where two in force speak of the
    same thing, the higher number counts, whatever a clock says. The same number with other content is rejected.
    van_id: whose key signed it. by: the operator's code at the site, never a name.
    """

    schema_name: ClassVar[str] = "screening.amended"

    screening_id: Id
    van_id: VanId
    amendment_number: AmendmentNumber
    amendment: Amendment
    because: AmendmentReason
    by: OperatorCode | None = None
    amended_at: Moment

    @model_validator(mode="after")
    def _reason_fits(self) -> Self:
        if self.because not in REASONS_OF[self.amendment.kind]:
            raise ValueError("this kind of amendment has other reasons")
        if isinstance(self.amendment, TakenBack) and self.amendment.amendment_number >= self.amendment_number:
            raise ValueError("an amendment takes back an earlier one")
        return self

    @property
    def item_id(self) -> str:
        """The name that spool and receipt use."""
        return amendment_item(self.screening_id, self.amendment_number)


class Mark(Part):
    """Where the operator saw something, as a revision says it: by frame and sweep, without any outline.

    sweep: the number of the frame's sweep among those that are here, from 1 in the order of their ids; None where it is
    not here, or no frame is named. organ: None where neither the operator nor the sweep says one.
    """

    frame_id: FrameId | None = None
    sweep: int | None = Field(default=None, ge=1, le=MAX_SEQUENCES)
    organ: Organ | None = None
    laterality: Side | None = None
    region: Position | None = None
    marked_at: Moment = Field(description="by the van's clock")


class AmendmentInForce(Part):
    """What a revision says of an amendment that it rests on: nothing of who she is.

    sequence_ids: the sweeps whose side was put right; those that have not arrived, or whose organ has no such side, are
    not among them. withdrawn: the uses that she no longer agrees to. mark: of one of the kind `seen`, None of others.
    """

    amendment_number: AmendmentNumber
    kind: AmendmentKind
    because: AmendmentReason
    sequence_ids: tuple[Id, ...] = Field(default=(), max_length=MAX_SEQUENCES)
    laterality: Side | None = None
    withdrawn: tuple[Purpose, ...] = Field(default=(), max_length=len(get_args(Purpose)))
    mark: Mark | None = None


def ends_reading(amendment: Amendment) -> bool:
    """Whether no machine may read the screening's pictures any more: it is void, or she agrees to it no longer."""
    return _ends_reading(amendment.kind, amendment.withdrawn if amendment.kind == "consent" else ())


def _ends_reading(kind: AmendmentKind, withdrawn: Sequence[Purpose]) -> bool:
    return kind == "void" or not {"screening", "ai"}.isdisjoint(withdrawn)


def silences(amendments: Iterable[AmendmentInForce]) -> bool:
    """Whether a machine says nothing of the pictures: the screening is void, or she agrees to it or that no more."""
    return any(_ends_reading(each.kind, each.withdrawn) for each in amendments)


def ends(amendments: Iterable[AmendmentInForce]) -> bool:
    """Whether nothing is said of her at all, not what she told either: the screening is void, or she withdrew it."""
    return any(each.kind == "void" or "screening" in each.withdrawn for each in amendments)
