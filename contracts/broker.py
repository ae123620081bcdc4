"""How a process reaches Kafka: one class of settings for the van, the centre's workers and every command."""

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from sonovan.contracts.limits import MAX_MESSAGE_BYTES


class BrokerSettings(BaseSettings):
    """SONOVAN_KAFKA_BOOTSTRAP, …_USERNAME, …_PASSWORD and, where needed, …_PROXY and …_MAX_MESSAGE_BYTES.

    bootstrap: `host:port`, several with commas. connect_timeout_s: how long a client waits for a first broker.
    max_message_bytes: where the broker's limit differs.
    proxy: `socks5://host:port` where vans and commands reach the broker through one; workers of the centre never do.
    """

    model_config = SettingsConfigDict(env_prefix="SONOVAN_KAFKA_", extra="forbid", frozen=True)

    bootstrap: str = Field(pattern=r"^[^\s,/]+:\d{1,5}(,[^\s,/]+:\d{1,5})*$")
    username: str = Field(min_length=1)
    password: SecretStr
    max_message_bytes: int = Field(default=MAX_MESSAGE_BYTES, ge=1024)
    connect_timeout_s: float = Field(default=10.0, gt=0)
    proxy: str | None = Field(default=None, pattern=r"^socks5://[^\s,/]+:\d{1,5}$")
