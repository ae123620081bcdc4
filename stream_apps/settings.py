"""What every worker is told by its environment; each stage adds a class of its own.

Workers may not import transport, so the broker's variables are read here once more, under the same names.
"""

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from sonovan.contracts.results import IntendedUse
from sonovan.contracts.topics import MAX_MESSAGE_BYTES


class BrokerSettings(BaseSettings):
    """The broker and a worker's account with it: SONOVAN_KAFKA_*. `bootstrap` is `host:port[,host:port…]`."""

    model_config = SettingsConfigDict(env_prefix="SONOVAN_KAFKA_", extra="forbid", frozen=True)

    bootstrap: str = Field(pattern=r"^[^\s,/]+:\d{1,5}(,[^\s,/]+:\d{1,5})*$")
    username: str
    password: SecretStr
    max_message_bytes: int = Field(default=MAX_MESSAGE_BYTES, ge=1024)
    connect_timeout_s: float = Field(default=10.0, gt=0)


class WorkerSettings(BaseSettings):
    """What all stages share: SONOVAN_DATA_DIR and SONOVAN_INTENDED_USE.

    data_dir: this worker's own folder, stable over restarts; holds its tables and the file `ready`.
    """

    model_config = SettingsConfigDict(env_prefix="SONOVAN_", extra="forbid", frozen=True)

    data_dir: Path = Path(".sonovan/worker")
    intended_use: IntendedUse = "research"
