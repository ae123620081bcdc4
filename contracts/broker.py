"""How a process reaches Kafka: one class of settings for the van, the centre's workers and every command."""

from typing import Final

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from sonovan.contracts.limits import MAX_MESSAGE_BYTES

INSIDE_MECHANISM: Final = "SCRAM-SHA-512"
VANS_MECHANISM: Final = "SCRAM-SHA-256"
"""Each listener of the broker takes one mechanism, and an account has a password for one: no account is one at both."""


class BrokerSettings(BaseSettings):
    """SONOVAN_KAFKA_BOOTSTRAP, …_USERNAME, …_PASSWORD and, where needed, …_CA, …_PROXY and …_MAX_MESSAGE_BYTES.

    bootstrap: `host:port`, several with commas. connect_timeout_s: how long a client waits for a first broker.
    ca: PEM, the certificates of the authorities whose word for the broker's name counts. With it this is an account of
    the listener for vans, which is TLS; without it, one of the listener inside the centre.
    max_message_bytes: where the broker's limit differs.
    proxy: `socks5://host:port` where vans and commands reach the broker through one; workers of the centre never do.
    """

    model_config = SettingsConfigDict(env_prefix="SONOVAN_KAFKA_", extra="forbid", frozen=True)

    bootstrap: str = Field(pattern=r"^[^\s,/]+:\d{1,5}(,[^\s,/]+:\d{1,5})*$")
    username: str = Field(min_length=1)
    password: SecretStr
    ca: str | None = Field(default=None, pattern=r"^\s*-----BEGIN CERTIFICATE-----\s")
    max_message_bytes: int = Field(default=MAX_MESSAGE_BYTES, ge=1024)
    connect_timeout_s: float = Field(default=10.0, gt=0)
    proxy: str | None = Field(default=None, pattern=r"^socks5://[^\s,/]+:\d{1,5}$")

    @property
    def mechanism(self) -> str:
        """The SASL mechanism of this account."""
        return INSIDE_MECHANISM if self.ca is None else VANS_MECHANISM
