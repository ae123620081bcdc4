"""The settings of the assess stage: SONOVAN_ASSESS_* in the environment."""

from datetime import timedelta

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from sonovan.reports.phrases import Language


class AssessSettings(BaseSettings):
    """When a report is called incomplete, and how often the timer looks.

    incomplete_after_s: after the newest opening or closing of a screening, whatever is missing then is listed.
    tick_every_s: how often screenings whose time has come are looked for.
    unknown_van_wait_s: how long a record of a van that is not enrolled yet is held.
    report_language: of the reports' pages.
    """

    model_config = SettingsConfigDict(env_prefix="SONOVAN_ASSESS_", extra="forbid", frozen=True)

    incomplete_after_s: float = Field(default=600.0, gt=0)
    tick_every_s: float = Field(default=5.0, gt=0)
    unknown_van_wait_s: float = Field(default=10.0, ge=0, le=60)
    report_language: Language = "en"

    @property
    def incomplete_after(self) -> timedelta:
        """`incomplete_after_s` as a span of time."""
        return timedelta(seconds=self.incomplete_after_s)
