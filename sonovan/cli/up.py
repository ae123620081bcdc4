"""`sonovan up`, `down` and `status`: the centre on this machine."""

import json
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from sonovan.state import state_path

StateOption = Annotated[
    Path | None, typer.Option("--state", help="State folder; default SONOVAN_STATE, else .sonovan.")
]


def up(
    state: StateOption = None,
    no_apps: Annotated[bool, typer.Option("--no-apps", help="Only Kafka and MinIO.")] = False,
) -> None:
    """Start Kafka, MinIO and the apps on this machine; harmless when they run.

    Generates accounts and secrets, creates topics, access rules and buckets. Loopback only.
    """
    from sonovan.centre import APPS
    from sonovan.centre import up as start

    path = state_path(state)
    began = time.monotonic()
    centre = start(path, apps=() if no_apps else APPS, progress=_progress)
    _progress(f"up after {time.monotonic() - began:.0f} s in {path}")
    _progress(f"objects can be seen at {centre.services.s3_console_url}; stop with: sonovan down")


def down(state: StateOption = None) -> None:
    """Stop what `up` started, apps first; data stays."""
    from sonovan.centre import down as stop

    path = state_path(state)
    stop(path, _progress)
    _progress(f"nothing of {path} runs")


def status(
    state: StateOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Show what runs: name, pid, state, uptime, port, log."""
    from sonovan.centre import status as rows_of

    path = state_path(state)
    rows = rows_of(path)
    table: list[dict[str, object]] = [
        {
            "name": row.name,
            "pid": row.pid,
            "state": row.state if row.healthy is not False else "unhealthy",
            "uptime_s": None if row.uptime_s is None else round(row.uptime_s),
            "port": row.port,
            "log": str(row.log),
        }
        for row in rows
    ]
    if as_json:
        sys.stdout.write(json.dumps(table, indent=1) + "\n")
    elif not table:
        sys.stdout.write(f"nothing was ever started in {path}; start with: sonovan up\n")
    else:
        sys.stdout.write(format_table(table))


def format_table(rows: list[dict[str, object]]) -> str:
    """Rows of equal keys as aligned columns under a heading; None as a dash."""
    heading = list(rows[0])
    cells = [heading, *([("-" if row[name] is None else str(row[name])) for name in heading] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells]
    return "\n".join(lines) + "\n"


def _progress(line: str) -> None:
    typer.echo(line, err=True)
