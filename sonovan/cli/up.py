"""`sonovan up`, `down` and `status`: the centre on this machine."""

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sonovan.state import state_path

if TYPE_CHECKING:
    from sonovan.deploy.services import StatusRow

StateOption = Annotated[
    Path | None, typer.Option("--state", help="State folder; default SONOVAN_STATE, else .sonovan.")
]


def up(
    state: StateOption = None,
    no_apps: Annotated[bool, typer.Option("--no-apps", help="Only Kafka and MinIO.")] = False,
    no_console: Annotated[bool, typer.Option("--no-console", help="No pages for readers.")] = False,
) -> None:
    """Start Kafka, MinIO, the apps and the console on this machine; harmless when they run.

    Generates accounts and secrets, creates topics, access rules and buckets. Loopback only. A supervisor starts again
    what dies, until `sonovan down`.
    """
    from sonovan.centre import APPS
    from sonovan.centre import up as start
    from sonovan.console_here import console_address

    path = state_path(state)
    began = time.monotonic()
    with_console = not (no_apps or no_console)
    centre = start(path, apps=() if no_apps else APPS, supervised=True, console=with_console, progress=_progress)
    _progress(f"up after {time.monotonic() - began:.0f} s in {path}")
    if with_console:
        _progress(f"console: {console_address(path)} (accounts: sonovan console user add)")
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
    """Show what runs: name, pid, state, uptime, port, restarts, last exit, log; and why what does not run ended."""
    from sonovan.centre import status as rows_of

    path = state_path(state)
    rows = rows_of(path)
    if as_json:
        sys.stdout.write(json.dumps([_document(row) for row in rows], indent=1) + "\n")
    elif not rows:
        sys.stdout.write(f"nothing was ever started in {path}; start with: sonovan up\n")
    else:
        sys.stdout.write(format_table([_cells(row) for row in rows]))
        for line in [*_troubles(rows), *_running_out(path)]:
            typer.secho(line, fg="red" if sys.stdout.isatty() else None)


def _running_out(path: Path) -> list[str]:
    """A line for each certificate that has less than a month left."""
    from datetime import UTC, datetime, timedelta

    from sonovan.certificates import described
    from sonovan.deploy.state import StateFolder

    soon = datetime.now(UTC) + timedelta(days=30)
    return [
        f"{each.what} for vans: its certificate runs out on {each.expires_at:%Y-%m-%d}: sonovan certificates rotate"
        + (" --authority" if each.what == "authority" else "")
        for each in described(path, StateFolder(path).certificates)
        if each.expires_at < soon and each.what != "authority before"
    ]


def _cells(row: "StatusRow") -> dict[str, object]:
    return {
        "name": row.name,
        "pid": row.pid,
        "state": _state(row),
        "uptime_s": None if row.uptime_s is None else round(row.uptime_s),
        "port": row.port,
        "restarts": row.past.count,
        "last_exit": row.past.last_exit,
        "log": str(row.log),
    }


def _state(row: "StatusRow") -> str:
    if row.healthy is False:
        return "unhealthy"
    return "waiting" if row.ready is False else row.state


def _document(row: "StatusRow") -> dict[str, object]:
    return _cells(row) | {
        "ready": row.ready,
        "waiting": row.waiting,
        "failing": row.past.failing,
        "reason": row.past.reason,
        "ended_at": None if row.past.ended_at is None else row.past.ended_at.isoformat(),
        "next_start_s": None if row.next_start_s is None else round(row.next_start_s, 1),
    }


def _troubles(rows: "list[StatusRow]") -> list[str]:
    """One line for each process that is down, keeps failing or waits: why, and what becomes of it."""
    from sonovan.deploy.services import SUPERVISOR
    from sonovan.deploy.supervisor import told_exit

    supervised = any(row.name == SUPERVISOR and row.state == "running" for row in rows)
    lines = []
    for row in rows:
        if row.name == SUPERVISOR and row.state == "ended":
            lines.append("supervisor: ended; what dies now stays down until: sonovan up")
        elif row.state == "ended" or row.past.failing:
            again = "runs now" if row.state == "running" else "stays down until: sonovan up"
            if row.state == "ended" and supervised:
                again = "starts again" if row.next_start_s is None else f"starts again in {row.next_start_s:.0f} s"
            words = "keeps failing: " if row.past.failing else ""
            why = f"; {row.past.reason}" if row.past.reason else ""
            lines.append(f"{row.name}: {words}{told_exit(row.past.last_exit)}{why}; {again}")
        if row.waiting:
            lines.append(f"{row.name}: {'not live: ' if row.healthy is False else ''}{row.waiting}")
    return lines


def format_table(rows: list[dict[str, object]]) -> str:
    """Rows of equal keys as aligned columns under a heading; None as a dash."""
    heading = list(rows[0])
    cells = [heading, *([("-" if row[name] is None else str(row[name])) for name in heading] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells]
    return "\n".join(lines) + "\n"


def _progress(line: str) -> None:
    typer.echo(line, err=True)
