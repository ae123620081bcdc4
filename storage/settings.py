"""Where the objects are: SONOVAN_S3_* in the environment."""

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class ObjectStoreSettings(BaseSettings):
    """An S3 endpoint (MinIO) and the account for it.

    endpoint: `host:port` without scheme. pool_size: connections kept open, at least as many as threads that store.
    timeout_s: how long a connection, or silence on one, is endured before it counts as away.
    quarantine_days: rejected bytes are deleted after so many days; 0 keeps them for ever.
    """

    model_config = SettingsConfigDict(env_prefix="SONOVAN_S3_", extra="forbid", frozen=True)

    endpoint: str = Field(pattern=r"^[^/\s]+:\d{1,5}$")
    access_key: str
    secret_key: SecretStr
    secure: bool = False
    region: str = "us-east-1"
    pool_size: int = Field(default=16, ge=1, le=256)
    timeout_s: float = Field(default=4.0, gt=0, le=60)
    quarantine_days: int = Field(default=90, ge=0)
