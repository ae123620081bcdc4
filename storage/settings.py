"""Where the objects are, and who asks: SONOVAN_S3_* in the environment."""

from typing import Final

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from sonovan.contracts.topics import Writer
from sonovan.storage.access import ACCOUNTS


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


class StoreAccount(BaseSettings):
    """The keys of one account, as whoever makes the accounts is told them: SONOVAN_S3_<ACCOUNT>_*.

    The account's own process reads them as `ObjectStoreSettings`, without the account in the variables' names.
    """

    model_config = SettingsConfigDict(extra="forbid", frozen=True)

    access_key: str = Field(min_length=3)
    secret_key: SecretStr = Field(min_length=8)


def _of(account: Writer) -> type[StoreAccount]:
    name = f"{account.title()}StoreAccount"
    config = SettingsConfigDict(env_prefix=f"SONOVAN_S3_{account.upper()}_", extra="forbid", frozen=True)
    return type(name, (StoreAccount,), {"model_config": config, "__module__": __name__})


ACCOUNT_SETTINGS: Final[dict[Writer, type[StoreAccount]]] = {account: _of(account) for account in ACCOUNTS}
"""One settings class for each account of the table."""
