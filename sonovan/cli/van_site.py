"""`sonovan van site`: the secret that all vans of a site share, from van to van.

The rooms are imported inside the commands: `sonovan --help` stays quick.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sonovan.cli.van_options import State, VanName
from sonovan.state import state_path

if TYPE_CHECKING:
    from sonovan.producers.vault import Vault

app = typer.Typer(
    help="The site's secret, which joins a woman's visits: new, show, export, import.", no_args_is_help=True
)

File = Annotated[Path, typer.Argument(help="The file that goes from van to van.", dir_okay=False)]


@app.command()
def new(van: VanName = None, state: State = None) -> None:
    """Make the secret, on the first van of a new site alone."""
    from sonovan.producers.site import new_secret

    van_id, vault = _opened(van, state)
    typer.echo(f"van {van_id} has a new secret of its site, check {new_secret(vault)}")


@app.command()
def show(van: VanName = None, state: State = None) -> None:
    """Show the check of the secret: vans of one site show the same."""
    from sonovan.producers.site import check

    van_id, vault = _opened(van, state)
    found = check(vault)
    typer.echo(f"van {van_id}: {'no secret of its site' if found is None else f'check {found}'}")


@app.command("export")
def export_(file: File, van: VanName = None, state: State = None) -> None:
    """Write the secret, encrypted, for another van; the code on stdout opens it and goes another way."""
    from sonovan.producers.site import check, export_secret

    van_id, vault = _opened(van, state)
    code = export_secret(vault, file)
    typer.echo(f"van {van_id}: wrote {file}, check {check(vault)}; the code that opens it:", err=True)
    typer.echo(code)


@app.command("import")
def import_(
    file: File,
    replace: Annotated[bool, typer.Option("--replace", help="Another site's secret may go.")] = False,
    van: VanName = None,
    state: State = None,
) -> None:
    """Take over the secret that another van exported; the code is asked for, or stands in SONOVAN_VAN_SITE_CODE."""
    from sonovan.producers.site import import_secret

    van_id, vault = _opened(van, state)
    check = import_secret(vault, file, _code(), replace=replace)
    typer.echo(f"van {van_id} has the secret of its site, check {check}; delete {file}")


def _opened(van: str | None, state: Path | None) -> "tuple[str, Vault]":
    from sonovan.cli.van_open import open_vault, the_van

    folder = state_path(state)
    van_id = the_van(folder, van)
    return van_id, open_vault(folder, van_id)


def _code() -> str:
    from sonovan.contracts.errors import InvalidRecord
    from sonovan.contracts.settings import read_settings
    from sonovan.producers.settings import VanSettings

    given = read_settings(VanSettings).site_code
    if given is not None:
        return given.get_secret_value()
    if not sys.stdin.isatty():
        raise InvalidRecord("option_invalid", "nobody can be asked for the code: set SONOVAN_VAN_SITE_CODE")
    return str(typer.prompt("Code of the file", hide_input=True, err=True))
