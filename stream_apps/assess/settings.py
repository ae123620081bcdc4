"""The settings of the assess stage: SONOVAN_ASSESS_* and SONOVAN_PROGRAMME_* in the environment."""

from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from sonovan.clinical.risk import known_calibration
from sonovan.contracts.derivation import USUAL, Programme
from sonovan.contracts.lexicon import BiRadsEdition
from sonovan.contracts.record import Token
from sonovan.reports.document import Identity
from sonovan.reports.phrases import Language
from sonovan.stream_apps.assess.ending import RowLife


class ProgrammeSettings(BaseSettings):
    """What a programme chooses of the clinical rules, as `sonovan.contracts.derivation.Programme` has it."""

    model_config = SettingsConfigDict(env_prefix="SONOVAN_PROGRAMME_", extra="forbid", frozen=True)

    bi_rads_edition: BiRadsEdition = USUAL.bi_rads_edition
    c_tirads_4a_fna_mm: float = Field(default=USUAL.c_tirads_4a_fna_mm, ge=5, le=40)
    c_tirads_4b_fna_mm: float = Field(default=USUAL.c_tirads_4b_fna_mm, ge=5, le=40)
    calibration: Annotated[Token, AfterValidator(known_calibration)] = USUAL.calibration
    calibration_shift: float = Field(default=USUAL.calibration_shift, ge=-10, le=10)

    @property
    def programme(self) -> Programme:
        """The choice as records carry it."""
        return Programme(**self.model_dump())


class AssessSettings(BaseSettings):
    """When a report is called incomplete, and how often the timer looks.

    incomplete_after_s: after the newest opening or closing of a screening, whatever is missing then is listed.
    tick_every_s: how often screenings whose time has come are looked for.
    unknown_van_wait_s: how long a record of a van that is not enrolled yet is held.
    report_language: of the reports' pages.
    settled_row_days: rows of a complete screening are deleted so many days after its last record. row_days: those of
    any screening so many days after its first one. end_every_s: how often it is looked which ones that concerns.
    report_shows: what reports say of whose they are, with commas between: slip_number, age, examined_on; nothing
    without it.
    """

    model_config = SettingsConfigDict(env_prefix="SONOVAN_ASSESS_", extra="forbid", frozen=True)

    incomplete_after_s: float = Field(default=600.0, gt=0)
    tick_every_s: float = Field(default=5.0, gt=0)
    unknown_van_wait_s: float = Field(default=10.0, ge=0, le=60)
    report_language: Language = "en"
    settled_row_days: float = Field(default=14.0, gt=0)
    row_days: float = Field(default=90.0, gt=0, le=90)
    end_every_s: float = Field(default=600.0, gt=0)
    report_shows: Annotated[frozenset[Identity], NoDecode] = frozenset()

    @field_validator("report_shows", mode="before")
    @classmethod
    def _with_commas(cls, value: object) -> object:
        return [each.strip() for each in value.split(",") if each.strip()] if isinstance(value, str) else value

    @property
    def incomplete_after(self) -> timedelta:
        """`incomplete_after_s` as a span of time."""
        return timedelta(seconds=self.incomplete_after_s)

    @property
    def row_life(self) -> RowLife:
        """`settled_row_days` and `row_days` as spans of time."""
        return RowLife(timedelta(days=self.settled_row_days), timedelta(days=self.row_days))
