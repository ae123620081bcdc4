"""`sonovan certificates`: what the centre's listener for vans shows, until when, and another in its place.

The rooms are imported inside the commands: `sonovan --help` stays quick.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sonovan.cli.van_options import AsJson, State
from sonovan.state import state_path

if TYPE_CHECKING:
    from sonovan.deploy.authority import Described

app = typer.Typer(
    help="The certificates of the listener for vans: show, rotate, retire, prepare.", no_args_is_help=True
)

Folder = Annotated[
    Path | None,
    typer.Option("--folder", help="Where the files lie (containers, servers); SONOVAN_KAFKA_* is then the admin's."),
]


@app.command()
def prepare(folder: Annotated[Path, typer.Argument(help="Where the files lie.", file_okay=False)]) -> None:
    """Make what is missing or runs out, for SONOVAN_VANS_NAMES, before a broker starts; `sonovan up` does so itself."""
    from sonovan.certificates import prepare as make

    _tell(make(folder), as_json=False)


@app.command()
def show(folder: Folder = None, as_json: AsJson = False, state: State = None) -> None:
    """Show the authorities that vans trust and the listener's certificate, each with its last day."""
    from sonovan.certificates import described

    _tell(described(state_path(state), folder), as_json=as_json)


@app.command()
def rotate(
    authority: Annotated[
        bool, typer.Option("--authority", help="Another authority too; the one before counts on until it is retired.")
    ] = False,
    folder: Folder = None,
    as_json: AsJson = False,
    state: State = None,
) -> None:
    """Make another key and certificate; the running broker takes it, and open connections go on."""
    from sonovan.certificates import changing

    with changing(state_path(state), folder) as held:
        if authority:
            held.renew()
        else:
            held.issue()
    _tell(held.described(), as_json=as_json)
    if authority:
        _say(f"enrol each van again, or bring it {held.folder / 'trusted.pem'} (sonovan van trust FILE);")
        _say("then: sonovan certificates retire")


@app.command()
def retire(folder: Folder = None, as_json: AsJson = False, state: State = None) -> None:
    """Let the authority before count no longer: vans that trust no other one refuse the centre from now on."""
    from sonovan.certificates import changing

    with changing(state_path(state), folder) as held:
        retired = held.retire()
    _tell(held.described(), as_json=as_json)
    _say("the authority before counts no longer" if retired else "there is one authority alone")


def _tell(found: "list[Described]", *, as_json: bool) -> None:
    if as_json:
        rows = [{"what": each.what, "expires_at": each.expires_at.isoformat(), "sha256": each.sha256,
                 "names": list(each.names)} for each in found]  # fmt: skip
        typer.echo(json.dumps(rows))
        return
    for each in found:
        names = f", for {', '.join(each.names)}" if each.names else ""
        typer.echo(f"{each.what}: until {each.expires_at:%Y-%m-%d}{names}, sha256 {each.sha256}")


def _say(line: str) -> None:
    typer.echo(line, err=True)
