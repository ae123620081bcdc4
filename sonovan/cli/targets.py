"""`sonovan targets`: where Prometheus finds what runs here."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from sonovan.cli.up import StateOption
from sonovan.state import state_path


def targets(
    out: Annotated[Path | None, typer.Option(help="The file to write, in one step; else stdout.")] = None,
    state: StateOption = None,
) -> None:
    """Print for Prometheus (file_sd) where the workers and the console of a state folder answer /metrics now.

    A worker that was started again answers at another port, where SONOVAN_HEALTH_PORT names none: write the file again,
    by a timer. One that has ended is left in, so that its alert speaks.
    """
    from sonovan.contracts.errors import Transient
    from sonovan.targets import targets_of

    text = json.dumps(targets_of(state_path(state)), indent=1) + "\n"
    if out is None:
        sys.stdout.write(text)
        return
    try:
        beside = out.with_name(f"{out.name}.new")
        beside.write_text(text, encoding="utf-8")
        beside.replace(out)
    except OSError as error:
        raise Transient(f"cannot write {out}: {error.strerror}; name another file") from error
