"""Which state folder a command means."""

import os
from collections.abc import Mapping
from pathlib import Path

_NAME = ".sonovan"
_VARIABLE = "SONOVAN_STATE"


def state_path(chosen: Path | None, environment: Mapping[str, str] = os.environ) -> Path:
    """The state folder: the one `chosen` by option, else SONOVAN_STATE, else `.sonovan`.

    `.sonovan` lies at the top of the checkout that this code runs from; installed elsewhere, in the current folder.
    """
    if chosen is not None:
        return chosen.absolute()
    if environment.get(_VARIABLE):
        return Path(environment[_VARIABLE]).absolute()
    top = Path(__file__).resolve().parents[1]
    return (top if (top / "pyproject.toml").is_file() else Path.cwd()) / _NAME
