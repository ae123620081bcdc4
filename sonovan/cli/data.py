"""`sonovan data`: pictures with masks that a site has on disk, made into folders that evaluation and training read."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from sonovan.cli.failures import Exit
from sonovan.cli.topics import JsonOption

app = typer.Typer(help="Sets of pictures with masks: import.", no_args_is_help=True, rich_markup_mode=None)

SHOWN = 20
"""So many of the pictures that were left out are named on stderr; import.json has all of them."""


@app.callback()
def _group() -> None:
    """Sets of pictures with masks."""


@app.command("import")
def import_public_set(
    kind: Annotated[
        str,
        typer.Argument(help="busi, busbra, breast, busuclm, oasbud, udiat, ddti, tn3k or tg3k: whose layout it is."),
    ],
    source: Annotated[Path, typer.Argument(metavar="DIR", help="The set as its publisher lays it out on disk.")],
    out: Annotated[Path, typer.Option(help="Where the folder KIND is made, with index.csv, pictures and masks.")],
    as_json: JsonOption = False,
) -> int:
    """Make a public set that is on this disk into a folder that `models evaluate` and training read.

    Pictures of one woman, and pictures that are alike, become one group, which no split divides. What is left out is
    named with the reason, here and in import.json, and ends the command with 3. The set's terms stay its publisher's.
    """
    from sonovan.cli.evaluate import progress, told_in_one_line
    from sonovan.models.public_sets.importing import KINDS, import_set

    name = kind.lower().replace("-", "").replace("_", "")
    if name not in KINDS:
        raise typer.BadParameter(f"{kind} is no layout that is known; they are: {', '.join(KINDS)}")
    with told_in_one_line(), progress(name, None, "pictures") as step:
        done = import_set(name, source, out, step)
    if as_json:
        typer.echo(json.dumps(asdict(done) | {"folder": str(done.folder)}, ensure_ascii=False))
    else:
        labels = ", ".join(f"{number} {label or 'without a label'}" for label, number in done.labels.items())
        typer.echo(f"{done.folder}: {done.rows} pictures ({labels}) in {done.groups} groups; cite {KINDS[name].cite}")
        if done.joined:
            typer.echo(f"alike, so one group each: {sum(map(len, done.joined))} pictures in {len(done.joined)} groups")
    for one, other in done.contradicting:
        typer.echo(f"alike, with different labels: {one} and {other}", err=True)
    for each in done.left_out[:SHOWN]:
        typer.echo(f"left out: {each.name}: {each.told} ({each.reason})", err=True)
    if len(done.left_out) > SHOWN:
        typer.echo(f"left out: {len(done.left_out) - SHOWN} more, named in {done.folder / 'import.json'}", err=True)
    return int(Exit.SOME_REJECTED if done.left_out else Exit.DONE)
