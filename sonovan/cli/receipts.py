"""`sonovan receipts`: the key by which the centre signs its answers to vans, and another in its place.

The rooms are imported inside the commands: `sonovan --help` stays quick.
"""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

import typer

from sonovan.cli.van_options import AsJson, State
from sonovan.state import state_path

if TYPE_CHECKING:
    from sonovan.deploy.receipt_keys import ReceiptKeys
    from sonovan.deploy.state import StateFolder

app = typer.Typer(help="The key of the centre's answers to vans: show, rotate, retire.", no_args_is_help=True)


@app.command()
def show(as_json: AsJson = False, state: State = None) -> None:
    """Show the public half of the key that signs, and of the one that takes over.

    Of SONOVAN_RECEIPTS_KEY where it is set and no state folder is named, else of the state folder.
    """
    import os

    from sonovan.contracts.settings import read_settings
    from sonovan.deploy.receipt_keys import ReceiptKeys, receipt_keys
    from sonovan.stream_apps.settings import ReceiptSettings

    told = read_settings(ReceiptSettings) if state is None and "SONOVAN_RECEIPTS_KEY" in os.environ else None
    if told is None or told.key is None:
        _tell(_done(state_path(state), receipt_keys), as_json=as_json)
        return
    following = None if told.next_key is None else told.next_key.get_secret_value()
    _tell(ReceiptKeys(key=told.key.get_secret_value(), next_key=following), as_json=as_json)


@app.command()
def rotate(as_json: AsJson = False, state: State = None) -> None:
    """Make the key that takes over. From the next `sonovan up` on every answer announces it to its van."""
    from sonovan.deploy.receipt_keys import rotate as make

    _tell(_done(state_path(state), make), as_json=as_json)
    _say("type sonovan up, so that the workers announce it; once every van has uploaded: sonovan receipts retire")


@app.command()
def retire(as_json: AsJson = False, state: State = None) -> None:
    """Let the next key sign alone, from the next `sonovan up` on. A van that does not know it deletes nothing."""
    from sonovan.deploy.receipt_keys import retire as end

    _tell(_done(state_path(state), end), as_json=as_json)
    _say("type sonovan up, so that the workers sign with it; a van that was away meanwhile: sonovan van enrol NAME")


def _done(path: object, change: "Callable[[StateFolder], ReceiptKeys]") -> "ReceiptKeys":
    from sonovan.centre import deploy_errors
    from sonovan.deploy.state import StateFolder

    with deploy_errors():
        return change(StateFolder(str(path)))


def _tell(keys: "ReceiptKeys", *, as_json: bool) -> None:
    signs, *following = keys.public
    if as_json:
        typer.echo(json.dumps({"key": signs, "next_key": following[0] if following else None}))
        return
    typer.echo(f"signs:      {signs}")
    for each in following:
        typer.echo(f"takes over: {each}")


def _say(line: str) -> None:
    typer.echo(line, err=True)
