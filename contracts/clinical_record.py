"""What the van asks a woman before she is scanned: coded answers with bounds, and no free text."""

from typing import ClassVar, Self

from pydantic import Field, model_validator

from sonovan.contracts.ids import features_item
from sonovan.contracts.lexicon import (
    BiopsyResult,
    Brca,
    Cancer,
    Degree,
    Discharge,
    Hormones,
    Menopause,
    NeckRadiation,
    Organ,
    Position,
    Sex,
    Side,
    Symptom,
    WhichSide,
)
from sonovan.contracts.record import Id, Moment, Number, Part, Record, VanId


class LumpPlace(Part):
    """Where a lump is felt: in which breast, at which hour or in which quadrant, how far from the nipple."""

    side: WhichSide
    position: Position | None = None
    nipple_distance_mm: float | None = Field(default=None, ge=0, le=250)

    @model_validator(mode="after")
    def _is_in_one_breast(self) -> Self:
        if self.side not in ("left", "right"):
            raise ValueError("a lump's place is in the left or in the right breast")
        return self


class Relative(Part):
    """One relative with cancer: of what, how near of kin, and how old at its diagnosis."""

    cancer: Cancer
    degree: Degree
    age_years: int | None = Field(default=None, ge=0, le=120)


class PastCancer(Part):
    """A cancer that she had herself: of what, on which side, and how old she was."""

    cancer: Cancer
    side: Side | None = None
    age_years: int | None = Field(default=None, ge=0, le=120)


class PastBiopsy(Part):
    """A biopsy that she had: of what, on which side, and with what result."""

    organ: Organ
    side: Side | None = None
    result: BiopsyResult


class ClinicalRecord(Part):
    """What she was asked and answered: coded fields only, None where nobody asked, () where there is none."""

    age_years: int | None = Field(default=None, ge=0, le=120)
    sex: Sex | None = None
    symptoms: tuple[Symptom, ...] | None = Field(
        default=None, max_length=32, description="() = asked, none; None = not asked"
    )
    palpable_lump: WhichSide | None = None
    lump_places: tuple[LumpPlace, ...] | None = Field(
        default=None, max_length=8, description="each on a side that `palpable_lump` names"
    )
    nipple_discharge: WhichSide | None = None
    discharge: tuple[Discharge, ...] | None = Field(default=None, max_length=9, description="what it is like")
    skin_or_nipple_change: WhichSide | None = None
    menarche_age_years: int | None = Field(default=None, ge=6, le=25)
    menopause: Menopause | None = None
    menopause_age_years: int | None = Field(default=None, ge=20, le=70)
    parity: int | None = Field(default=None, ge=0, le=30, description="births")
    hormones: tuple[Hormones, ...] | None = Field(default=None, max_length=8)
    biopsies: tuple[PastBiopsy, ...] | None = Field(default=None, max_length=16)
    family: tuple[Relative, ...] | None = Field(default=None, max_length=32, description="relatives with cancer")
    brca: Brca | None = None
    earlier_cancer: tuple[PastCancer, ...] | None = Field(default=None, max_length=16)
    tsh_miu_per_l: float | None = Field(default=None, ge=0, le=1000)
    neck_radiation: NeckRadiation | None = None

    @model_validator(mode="after")
    def _lumps_are_on_the_sides_that_have_one(self) -> Self:
        sides = {"left", "right"} if self.palpable_lump == "both" else {self.palpable_lump}
        if not {place.side for place in self.lump_places or ()} <= sides:
            raise ValueError("a lump has a place on a side for which `palpable_lump` names none")
        return self


class FeaturesRecorded(ClinicalRecord, Record):
    """The van's clinical record of the visit, as it travels.

    A correction is a whole record with a higher `features_number`; the highest wins, whatever a clock says. The same
    number with other content is rejected.
    """

    schema_name: ClassVar[str] = "features.recorded"

    screening_id: Id
    van_id: VanId
    features_number: Number
    recorded_at: Moment

    @property
    def answers(self) -> ClinicalRecord:
        """What she answered, without when and by which van it was recorded."""
        return ClinicalRecord(**{name: getattr(self, name) for name in ClinicalRecord.model_fields})

    @property
    def item_id(self) -> str:
        """The name that spool and receipt use."""
        return features_item(self.screening_id, self.features_number)
