"""How a process reaches Kafka."""

from typing import Any

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from sonovan.contracts.topics import MAX_MESSAGE_BYTES
from sonovan.transport.client import telling_client


class KafkaSettings(BaseSettings):
    """SONOVAN_KAFKA_BOOTSTRAP, …_USERNAME, …_PASSWORD and, where the broker's limit differs, …_MAX_MESSAGE_BYTES.

    bootstrap: `host:port`, several with commas. connect_timeout_s: how long a client waits for a first broker.
    """

    model_config = SettingsConfigDict(env_prefix="SONOVAN_KAFKA_", extra="forbid", frozen=True)

    bootstrap: str = Field(min_length=1)
    username: str = Field(min_length=1)
    password: SecretStr
    max_message_bytes: int = Field(default=MAX_MESSAGE_BYTES, ge=1024)
    connect_timeout_s: float = Field(default=10.0, gt=0)

    def client_options(self) -> dict[str, Any]:
        """What every kafka-python client is given; holds the password."""
        return {
            "bootstrap_servers": self.bootstrap.split(","),
            "client_id": f"sonovan-{self.username}",
            "security_protocol": "SASL_PLAINTEXT",
            "sasl_mechanism": "SCRAM-SHA-512",
            "sasl_plain_username": self.username,
            "sasl_plain_password": self.password.get_secret_value(),
            "bootstrap_timeout_ms": round(self.connect_timeout_s * 1000),
            "kafka_client": telling_client,
            "reconnect_backoff_max_ms": 2000,  # the default, 30 s, is how long a van would miss a returned broker
        }
