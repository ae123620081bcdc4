"""Where vans reach the broker."""

from typing import Annotated

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

_HOST = r"^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$"

Host = Annotated[str, Field(pattern=_HOST)]


class VansListenerSettings(BaseSettings):
    """SONOVAN_VANS_ADDRESS, …_PORT and …_NAMES: the broker's listener for vans, TLS alone.

    address: of this machine, on which it listens; loopback unless told otherwise. port: any free one that is then
    remembered. names: hosts or addresses under which vans reach it, with commas, the first as vans are told; the
    certificate is for all of them.
    """

    model_config = SettingsConfigDict(env_prefix="SONOVAN_VANS_", extra="forbid", frozen=True)

    address: Host = "127.0.0.1"
    port: int | None = Field(default=None, ge=1, le=65_535)
    names: Annotated[tuple[Host, ...], NoDecode] = Field(default=("127.0.0.1", "localhost"), min_length=1)

    @field_validator("names", mode="before")
    @classmethod
    def _parted(cls, given: object) -> object:
        return tuple(part.strip() for part in given.split(",")) if isinstance(given, str) else given
