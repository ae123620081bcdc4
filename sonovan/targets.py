"""Where the programs of a state folder answer /metrics, as Prometheus reads a file of targets."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sonovan.centre import deploy_errors
from sonovan.deploy.launches import launched_names, read_launch, read_record
from sonovan.deploy.state import StateFolder


def targets_of(path: Path) -> list[dict[str, Any]]:
    """One entry for each worker, and one for the console, that was started here and not stopped on purpose.

    The label `job` is `sonovan-` and the name of the process. Raises Transient where files of the folder are damaged.
    """
    state, found = StateFolder(path), []
    with deploy_errors():
        for name in launched_names(state) if state.run.is_dir() else ():
            file = read_launch(state, name).health_file
            if file is None or read_record(state, name) is None:
                continue
            address = _metrics_at(Path(file))
            if address is not None:
                found.append({"targets": [address], "labels": {"job": f"sonovan-{name}"}})
    return found


def _metrics_at(health_file: Path) -> str | None:
    """`host:port` of a program's metrics; None where it has not said yet where it answers."""
    try:
        told = json.loads(health_file.read_text(encoding="utf-8"))
        return urlsplit(str(told.get("metrics") or told["address"])).netloc
    except (OSError, ValueError, KeyError):
        return None
