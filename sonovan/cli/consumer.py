"""`sonovan consumer`: who reads topics from outside. The rooms are imported inside the commands."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from sonovan.cli.topics import JsonOption, full_name, kafka_settings
from sonovan.cli.up import StateOption, format_table
from sonovan.state import state_path

app = typer.Typer(help="Who reads topics from outside.", no_args_is_help=True, rich_markup_mode=None)

NameArgument = Annotated[str, typer.Argument(help="Small letters, digits, hyphens.")]


@app.command()
def enrol(
    name: NameArgument,
    topics: Annotated[
        list[str] | None,
        typer.Option(help="Topics, with commas or repeated (default: all but pixels and personal records)."),
    ] = None,
    personal: Annotated[
        bool, typer.Option("--personal", help="Topics with a subject key or a clinical record are meant, too.")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="Copy the credentials into this file (0600).")] = None,
    state: StateOption = None,
) -> None:
    """Give a consumer a Kafka account that reads and does nothing else; again replaces what it may read.

    The credentials are written as a client's properties; docs/consuming.md shows how programs use them.
    """
    from sonovan import consumers

    named = [full_name(each.strip()) for given in topics or () for each in given.split(",") if each.strip()]
    chosen = consumers.chosen_topics(named, personal=personal)
    folder = state_path(state)
    path = consumers.enrol(folder, name, chosen, kafka_settings(state, "admin"))
    if out is not None:
        path = _copied(path, out)
    typer.echo(f"consumer {name} reads {', '.join(chosen)}")
    typer.echo(f"credentials: {path}")


@app.command()
def revoke(name: NameArgument, state: StateOption = None) -> None:
    """Take a consumer's access away, in force at once for connections that are open too."""
    from sonovan import consumers

    known = consumers.revoke(state_path(state), name, kafka_settings(state, "admin"))
    typer.echo(f"consumer {name} is revoked" if known else f"consumer {name} was not enrolled")


@app.command("list")
def list_consumers(state: StateOption = None, as_json: JsonOption = False) -> None:
    """Show every consumer and what it reads."""
    from sonovan.transport.admin import Administrator

    with Administrator(kafka_settings(state, "admin")) as administrator:
        found = administrator.consumers()
    if as_json:
        sys.stdout.write(json.dumps([{"name": name, "topics": read} for name, read in found.items()], indent=1) + "\n")
    elif found:
        sys.stdout.write(format_table([{"name": name, "topics": ", ".join(read)} for name, read in found.items()]))
    else:
        sys.stdout.write("no consumer is enrolled; enrol one with: sonovan consumer enrol NAME\n")


def _copied(path: Path, out: Path) -> Path:
    from sonovan.contracts.errors import Transient
    from sonovan.deploy.files import write_private

    try:
        write_private(out, path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Transient(f"cannot write {out}: {error.strerror}") from error
    return out
