"""What an export may be told: SONOVAN_EXPORT_* in the environment."""

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class ExportSettings(BaseSettings):
    """How data sets are made safe to give away.

    key: from which pseudonyms and shifts of dates are derived, at least 32 characters; the same key gives the same
    woman the same name in every export. None takes the secret of the state folder. k: so many women at least share what
    is said of each. suppress_share: instead of saying less of everybody, so many may be left out.
    """

    model_config = SettingsConfigDict(env_prefix="SONOVAN_EXPORT_", extra="forbid", frozen=True)

    key: SecretStr | None = None
    k: int = Field(default=5, ge=2, le=1000)
    suppress_share: float = Field(default=0.05, ge=0, le=0.5)
