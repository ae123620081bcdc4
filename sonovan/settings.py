"""What the command and the library may be told."""

from pydantic_settings import BaseSettings, SettingsConfigDict

from sonovan.contracts.results import IntendedUse


class FaceSettings(BaseSettings):
    """SONOVAN_INTENDED_USE: what outputs show; categories, advice and malignancy under `decision_support` alone."""

    model_config = SettingsConfigDict(env_prefix="SONOVAN_", extra="forbid", frozen=True)

    intended_use: IntendedUse = "research"
