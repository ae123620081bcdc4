"""What every worker is told by its environment; each stage adds a class of its own."""

from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict

from sonovan.contracts.results import IntendedUse


class WorkerSettings(BaseSettings):
    """What all stages share: SONOVAN_DATA_DIR and SONOVAN_INTENDED_USE.

    data_dir: this worker's own folder, stable over restarts; holds its tables and the file `ready`.
    """

    model_config = SettingsConfigDict(env_prefix="SONOVAN_", extra="forbid", frozen=True)

    data_dir: Path = Path(".sonovan/worker")
    intended_use: IntendedUse = "research"
