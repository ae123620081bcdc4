"""The files kept about each process: how it was launched, which process it is, and its log."""

import hashlib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sonovan.deploy.errors import DeployError
from sonovan.deploy.identity import ProcessRecord
from sonovan.deploy.state import StateFolder

NAME_PATTERN = r"^[a-z][a-z0-9.-]{0,60}$"


class Launch(BaseModel):
    """How a process is started. Holds its environment, thus secrets: its file is 0600."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=NAME_PATTERN)
    argv: tuple[str, ...] = Field(min_length=1)
    env: dict[str, str] = Field(default_factory=dict, repr=False)
    cwd: str
    port: int | None = None
    health_url: str | None = None
    health_file: str | None = None  # where it writes its pid and the address at which /healthz answers
    config_sha256: str = ""  # of configuration files outside argv and env: a change restarts the process

    def fingerprint(self) -> str:
        """sha256 (hex) of the launch: equal means that a restart would change nothing."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


def record_path(state: StateFolder, name: str) -> Path:
    """Where the ProcessRecord of `name` is kept while it runs."""
    return state.run / f"{name}.process.json"


def launch_path(state: StateFolder, name: str) -> Path:
    """Where the last Launch of `name` is kept."""
    return state.run / f"{name}.launch.json"


def log_path(state: StateFolder, name: str) -> Path:
    """Where `name` writes its standard output and error."""
    return state.logs / f"{name}.log"


def read_record(state: StateFolder, name: str) -> ProcessRecord | None:
    """Return the record of `name`, running or not; None when it was never started or was stopped."""
    try:
        return ProcessRecord.model_validate_json(record_path(state, name).read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError as error:
        raise DeployError(f"{record_path(state, name)} is damaged; see by hand what runs, then delete it") from error


def read_launch(state: StateFolder, name: str) -> Launch:
    """Return how `name` was last started. Raises DeployError when it never was, or by another version."""
    try:
        return Launch.model_validate_json(launch_path(state, name).read_bytes())
    except (FileNotFoundError, ValidationError) as error:
        raise DeployError(f"{name} was never started in {state.path} by this version; run up first") from error


def launched_names(state: StateFolder) -> list[str]:
    """Names of all processes that were ever started in this folder, in the order of their last start."""
    suffix = ".launch.json"
    paths = sorted(state.run.glob(f"*{suffix}"), key=lambda path: path.stat().st_mtime_ns)
    return [path.name.removesuffix(suffix) for path in paths]
