"""What became of a woman after her screening, by code: calls, appointments, examinations elsewhere with results."""

from typing import ClassVar, Final, Literal, Self, get_args

from pydantic import model_validator

from sonovan.contracts.lexicon import Organ, Side, sides_of
from sonovan.contracts.record import Day, Id, Moment, Record, Sha256
from sonovan.contracts.words import OperatorCode

Contact = Literal["called", "not_reached", "appointment_made", "declined", "attended"]
"""How it went to call her back: she was told, could not be reached, has an appointment (`happened_on` is its day), does
not want to come, or came."""
Examined = Literal["mammography", "mri", "fna", "core_biopsy", "surgery"]
"""What was done afterwards; `result` says what it showed."""
OutcomeKind = Contact | Examined | Literal["interval_cancer", "lost_to_follow_up", "recorded_by_mistake"]
"""interval_cancer: found between two screenings, after one that was negative. recorded_by_mistake: the outcome that is
amended never was."""
CONTACTS: Final[tuple[Contact, ...]] = get_args(Contact)
EXAMINED: Final[tuple[Examined, ...]] = get_args(Examined)
TISSUE: Final[frozenset[str]] = frozenset({"fna", "core_biopsy", "surgery"})
"""What took tissue: whoever had one of these was biopsied."""

OutcomeResult = Literal["benign", "atypical", "malignant", "not_diagnostic", "not_known"]
"""What a pathologist or radiologist found; `atypical` is neither, and `not_diagnostic` must be done again."""
Bethesda = Literal["I", "II", "III", "IV", "V", "VI"]
"""Of a fine needle aspiration of the thyroid. Source: Ali et al., The 2023 Bethesda System, Thyroid 33:1039 (2023)."""
BiRads = Literal["0", "1", "2", "3", "4A", "4B", "4C", "4", "5", "6"]
"""Of a mammography, whose reports often do not part category 4."""
OutcomeAmended = Literal["entered_wrong", "wrong_woman", "result_revised"]


class OutcomeRecorded(Record):
    """One outcome of a screening, weeks or months later, by whom it was recorded.

    happened_on: the day of the examination, call or appointment. organ, laterality, finding_id: where it is known of
    what. bi_rads: of a mammography. bethesda: of an aspiration of the thyroid. amends: the outcome that this one
    replaces, with the reason. by: the code of whoever recorded it, never a name.
    """

    schema_name: ClassVar[str] = "outcome.recorded"

    outcome_id: Id
    screening_id: Id
    kind: OutcomeKind
    happened_on: Day
    organ: Organ | None = None
    laterality: Side | None = None
    finding_id: Sha256 | None = None
    result: OutcomeResult | None = None
    bi_rads: BiRads | None = None
    bethesda: Bethesda | None = None
    amends: Id | None = None
    because: OutcomeAmended | None = None
    by: OperatorCode
    recorded_at: Moment

    @model_validator(mode="after")
    def _says_what_its_kind_has(self) -> Self:
        if self.organ is None and (self.laterality is not None or self.kind in (*EXAMINED, "interval_cancer")):
            raise ValueError("an examination, a cancer and a side need the organ")
        if self.organ is not None and self.laterality is not None and self.laterality not in sides_of(self.organ):
            raise ValueError("the organ has no such side")
        if (self.result is not None) != (self.kind in EXAMINED):
            raise ValueError("an examination has a result, which may be `not_known`, and nothing else has one")
        if self.bi_rads is not None and self.kind != "mammography":
            raise ValueError("BI-RADS is of a mammography")
        if self.bethesda is not None and (self.kind != "fna" or self.organ != "thyroid"):
            raise ValueError("Bethesda is of an aspiration of the thyroid")
        return self

    @model_validator(mode="after")
    def _says_why_it_amends(self) -> Self:
        if (self.amends is None) != (self.because is None):
            raise ValueError("an outcome that replaces another one names it, and says why")
        if self.kind == "recorded_by_mistake" and self.amends is None:
            raise ValueError("it names the outcome that never was")
        return self
