"""What the catalogue's stage may be told: SONOVAN_CATALOG_* in the environment."""

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class CatalogSettings(BaseSettings):
    """Where the catalogue is kept, and how much is written at once.

    database_url: `postgresql+psycopg://…` or `sqlite:///…`; None keeps it in a file of the worker's data folder.
    Workers of one centre must share it. in_flight: how many messages may be in one transaction. unknown_van_wait_s: how
    long after its arrival a record of a van that is not known, or with the signature of no known key, waits for the
    registry.
    reader_url: by which `sonovan query` asks, of an account that only reads; the worker does not use it.
    """

    model_config = SettingsConfigDict(env_prefix="SONOVAN_CATALOG_", extra="forbid", frozen=True)

    database_url: SecretStr | None = None
    reader_url: SecretStr | None = None
    in_flight: int = Field(default=32, ge=1, le=512)
    unknown_van_wait_s: float = Field(default=10.0, ge=0)
