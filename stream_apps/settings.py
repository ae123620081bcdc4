"""What every worker is told by its environment; each stage adds a class of its own."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from sonovan.contracts.results import IntendedUse


class WorkerSettings(BaseSettings):
    """What all stages share: SONOVAN_DATA_DIR, SONOVAN_INTENDED_USE, SONOVAN_HEALTH_HOST and SONOVAN_HEALTH_PORT.

    data_dir: this worker's own folder, stable over restarts; holds its tables and the files `ready` and
    `health.json`. health_host, health_port: where /healthz, /readyz and /metrics answer; nobody is asked who they
    are, so loopback unless a private network is meant. Port 0 takes a free one, which `health.json` names and
    `sonovan status` shows.
    """

    model_config = SettingsConfigDict(env_prefix="SONOVAN_", extra="forbid", frozen=True)

    data_dir: Path = Path(".sonovan/worker")
    intended_use: IntendedUse = "research"
    health_host: str = Field(default="127.0.0.1", min_length=1)
    health_port: int = Field(default=0, ge=0, le=65_535)
