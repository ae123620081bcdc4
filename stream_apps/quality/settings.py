"""The settings of the quality stage: SONOVAN_QUALITY_* in the environment."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from sonovan.clinical.quality.drift import RATE, REFERENCE_WINDOWS, WINDOW, DriftBounds


class QualitySettings(BaseSettings):
    """How many screenings make a window, and what is told of.

    window: screenings of one scanner on one van. reference_windows: how many windows are the reference. rate: the share
    of windows of a plain stream that may be called drifted. reference: raise it by one where what stands as drift is
    how it shall be from now on, as after a scanner was set up anew: every reference is collected again. flags_a_day:
    frames of one scanner on one van that are flagged in a day. rolling: how many of the newest screenings with blind
    reviews the agreement is of.
    """

    model_config = SettingsConfigDict(env_prefix="SONOVAN_QUALITY_", extra="forbid", frozen=True)

    window: int = Field(default=WINDOW, ge=2, le=1000)
    reference_windows: int = Field(default=REFERENCE_WINDOWS, ge=1, le=20)
    rate: float = Field(default=RATE, gt=0, lt=1)
    reference: int = Field(default=1, ge=1, le=9999)
    flags_a_day: int = Field(default=20, ge=0, le=1000)
    rolling: int = Field(default=200, ge=2, le=500)

    @property
    def bounds(self) -> DriftBounds:
        """What the tests of drift work with."""
        return DriftBounds(self.window, self.reference_windows, self.rate)
