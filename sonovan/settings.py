"""What the command and the library may be told."""

from pathlib import Path
from typing import Final

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from sonovan.contracts.results import IntendedUse

_HOSTS: Final = r"^[^\s,/]+:\d{1,5}(,[^\s,/]+:\d{1,5})*$"


class FaceSettings(BaseSettings):
    """SONOVAN_INTENDED_USE: what outputs show; categories, advice and malignancy under `decision_support` alone."""

    model_config = SettingsConfigDict(env_prefix="SONOVAN_", extra="forbid", frozen=True)

    intended_use: IntendedUse = "research"


class EnrolmentSettings(BaseSettings):
    """SONOVAN_ENROL_*: a centre at which vans are enrolled and which no state folder of this machine knows.

    broker: `host:port` of its listener inside the centre, for the accounts that enrol. vans: where vans reach it.
    ca: the file `trusted.pem` of its authority. receipts: the public half of the key that signs its answers, in hex,
    and with a comma that of the one that takes over (`sonovan receipts show`). depot_key: its public key for disks, in
    hex; without it the van exports none.
    """

    model_config = SettingsConfigDict(env_prefix="SONOVAN_ENROL_", extra="forbid", frozen=True)

    broker: str = Field(pattern=_HOSTS)
    vans: str = Field(pattern=_HOSTS)
    ca: Path
    receipts: str = Field(pattern=r"^[0-9a-f]{64}(,[0-9a-f]{64})?$")
    depot_key: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")


class EnrolmentAccounts(BaseSettings):
    """SONOVAN_KAFKA_ADMIN_PASSWORD and …_REGISTRAR_PASSWORD, as `.env` and `/etc/sonovan/kafka.env` have them."""

    model_config = SettingsConfigDict(env_prefix="SONOVAN_KAFKA_", extra="ignore", frozen=True)

    admin_password: SecretStr
    registrar_password: SecretStr


class DepotSettings(BaseSettings):
    """SONOVAN_DEPOT_*: a centre that takes in disks of vans and which no state folder of this machine knows.

    broker: `host:port` of its listener inside the centre. key_file: of its private key for disks, made there at first
    use (`sonovan van spool key`).
    """

    model_config = SettingsConfigDict(env_prefix="SONOVAN_DEPOT_", extra="forbid", frozen=True)

    broker: str = Field(pattern=_HOSTS)
    key_file: Path


class DepotAccounts(BaseSettings):
    """SONOVAN_KAFKA_REGISTRAR_PASSWORD, …_READER_PASSWORD and …_RETRIER_PASSWORD, as `EnrolmentAccounts` has its own.

    The registrar reads vans' keys, the reader their answers, the retrier sends what the disk holds.
    """

    model_config = SettingsConfigDict(env_prefix="SONOVAN_KAFKA_", extra="ignore", frozen=True)

    registrar_password: SecretStr
    reader_password: SecretStr
    retrier_password: SecretStr
