"""`sonovan backup` and `sonovan restore`: a state folder as it was at one moment."""

import json
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from sonovan.cli.topics import JsonOption
from sonovan.cli.up import StateOption
from sonovan.state import state_path


def backup(
    into: Annotated[Path, typer.Argument(help="A folder of backups on another disk; each is named by its mark.")],
    during: Annotated[
        str | None,
        typer.Option(help="A command that runs while nothing else does, to dump a database elsewhere into $BACKUP."),
    ] = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Copy a state folder: broker, objects, databases, secrets, certificates, all of one moment.

    What runs is stopped for the end of it and started again; vans keep what they have meanwhile. Whoever has the copy
    has every secret: keep it as safe as the centre.
    """
    from sonovan.backup import back_up
    from sonovan.contracts.errors import Transient

    path = state_path(state)
    if not path.is_dir():
        raise Transient(f"{path} is no state folder; name it with --state")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # what ran is then started again
    made = back_up(path, into.absolute(), during=during, say=lambda line: typer.echo(line, err=True))
    if as_json:
        sys.stdout.write(json.dumps(made.document()) + "\n")
        return
    told = f"{made.files} files, {made.bytes / 2**20:,.0f} MiB, of which {made.copied_bytes / 2**20:,.0f} were copied"
    typer.echo(f"{made.folder}: {told}; nothing ran for {made.pause_s:.0f} s")


def restore(
    backup: Annotated[Path, typer.Argument(help="One backup: a folder that is named by its mark.")],
    state: StateOption = None,
) -> None:
    """Make a new state folder from a backup; each file is compared with its sha256. Then type sonovan up."""
    from sonovan.backup import restore as make

    path = state_path(state)
    about = make(backup.absolute(), path)
    typer.echo(f"{path} is as it was at {about['mark']} under sonovan {about['sonovan']}; start it with: sonovan up")
    typer.echo("what vans sent since then they send again: sonovan van spool resend, on each van", err=True)
