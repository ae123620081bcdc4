"""`sonovan programme`: what a programme knows of itself that no record of a screening says."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from sonovan.cli.up import StateOption, format_table
from sonovan.state import state_path

app = typer.Typer(help="What the programme knows that no screening says.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def programme() -> None:
    """What the programme knows that no screening says."""  # keeps `invited` a command of its own while it is alone


@app.command()
def invited(
    file: Annotated[
        Path | None,
        typer.Argument(
            help="CSV with site_code,month,organ,women: counts, nobody's names. Without it: show what is known.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    by: Annotated[
        str | None, typer.Option("--by", help="With a file: your code at this site, `op-7`: no name.")
    ] = None,
    state: StateOption = None,
) -> None:
    """Say how many women each site invited in each month, for breast or thyroid; or show what was said.

    A count takes the place of the one of the same site, month and organ; an empty one takes it back. The counts stay
    when the catalogue is made again, and lie in its backups.
    """
    from pydantic import TypeAdapter, ValidationError

    from sonovan.cli.catalog import open_catalogue
    from sonovan.contracts.words import OperatorCode
    from sonovan.invited import MOST_BYTES, read_invited
    from sonovan.noting import note
    from sonovan.storage.catalogue.inviting import invited as known
    from sonovan.storage.catalogue.inviting import record_invited

    database = open_catalogue(state)
    try:
        database.prepare()
        if file is not None:
            if by is None:
                raise typer.BadParameter("say who counted: --by op-7", param_hint="--by")
            with file.open("rb") as stream:
                counts = read_invited(stream.read(MOST_BYTES + 1))
            try:
                operator = TypeAdapter(OperatorCode).validate_python(by)
            except ValidationError:
                raise typer.BadParameter("it is a code such as op-7, never a name", param_hint="--by") from None
            note(state_path(state), "programme.invited", {"counts": len(counts)}, by=operator)
            record_invited(database, counts, by=operator, now=datetime.now(UTC))
        rows: list[dict[str, object]] = [
            {"site": each.site_code, "month": each.month, "organ": each.organ, "women": each.women}
            for each in known(database)
        ]
    finally:
        database.close()
    sys.stdout.write(format_table(rows) if rows else "nobody said how many women were invited\n")
