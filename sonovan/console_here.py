"""The console as a process of a state folder, and what acts on its decisions: started by `sonovan up`, and where it
answers."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from sonovan.deploy.errors import DeployError
from sonovan.deploy.identity import ProcessRecord, is_running
from sonovan.deploy.launches import read_record
from sonovan.deploy.processes import start_app
from sonovan.deploy.state import StateFolder

CONSOLE: Final = "console"
RETRIER: Final = "retrier"
HEALTH_FILE: Final = "health.json"
"""In the console's folder: its pid and the address that it answers at."""
_TOLD: Final = ("SONOVAN_CONSOLE_", "SONOVAN_LOG_", "SONOVAN_INTENDED_USE", "SONOVAN_CATALOG_DATABASE_URL")


def launch_console(state: StateFolder, environment: Mapping[str, str], account: Mapping[str, str]) -> ProcessRecord:
    """Start the console; harmless when it runs with the same settings.

    Where no setting names a port, it takes one that the folder remembers: an address that a browser keeps stays good.
    account: the variables by which it reaches Kafka and the object store. Raises DeployError.
    """
    told = {name.upper(): value for name, value in environment.items() if name.upper().startswith(_TOLD)}
    port = state.port(CONSOLE, in_use=_runs(state) is not None)
    return start_app(
        state,
        CONSOLE,
        [sys.executable, "-m", "sonovan", "console"],
        {"SONOVAN_CONSOLE_PORT": str(port), "SONOVAN_STATE": str(state.path)} | told | dict(account),
        port=int(told.get("SONOVAN_CONSOLE_PORT", port)) or None,
        health_file=state.apps / CONSOLE / HEALTH_FILE,
    )


def launch_retrier(state: StateFolder, account: Mapping[str, str]) -> ProcessRecord:
    """Start what sends again what people ask for in the console; harmless when it runs. account: as of
    `launch_console`. Raises DeployError."""
    command = [sys.executable, "-m", "sonovan", "rejected", "follow"]
    return start_app(state, RETRIER, command, {"SONOVAN_STATE": str(state.path)} | dict(account))


def console_address(path: Path) -> str | None:
    """Where the console of a state folder answers; None where none does."""
    state = StateFolder(path)
    try:
        running = _runs(state)
        told = json.loads((state.apps / CONSOLE / HEALTH_FILE).read_text(encoding="utf-8"))
        return str(told["address"]) if running is not None and told["pid"] == running.pid else None
    except (DeployError, OSError, ValueError, KeyError):
        return None


def _runs(state: StateFolder) -> ProcessRecord | None:
    record = read_record(state, CONSOLE)
    return record if is_running(record) else None
