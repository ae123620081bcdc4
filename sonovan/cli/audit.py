"""`sonovan audit`: who did what with what is kept, and whether anybody changed what stands there."""

import json
import sys
from typing import Annotated, Final

import typer

from sonovan.cli.up import StateOption
from sonovan.state import state_path
from sonovan.storage.audit import Audit

BROKEN: Final = 3

app = typer.Typer(help="Who did what with what is kept: show, verify.", no_args_is_help=True, rich_markup_mode=None)

JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]


@app.command("verify")
def verify(
    noted: Annotated[
        str | None,
        typer.Option("--noted", help="A hash that was noted down elsewhere: the chain must still have it."),
    ] = None,
    as_json: JsonOption = False,
    state: StateOption = None,
) -> int:
    """Read the whole audit; name the first line that was changed, taken out, put in or moved.

    Exit 0 where every line holds, 3 where one does not. Note down the last hash somewhere else from time to time: it
    alone tells of an audit that was made anew as a whole.
    """
    audit = Audit(state_path(state))
    verdict = audit.verify(noted)
    if as_json:
        document = {"file": str(audit.path), "lines": verdict.lines, "last": verdict.last, "broken": verdict.broken}
        sys.stdout.write(json.dumps(document) + "\n")
    elif verdict.broken is None:
        sys.stdout.write(f"{verdict.lines} lines hold, the last one is {verdict.last}\n")
    else:
        sys.stdout.write(f"{audit.path}: {verdict.broken}; the {verdict.lines} lines before it hold\n")
    return 0 if verdict.broken is None else BROKEN


@app.command("show")
def show(
    what: Annotated[str | None, typer.Option("--what", help="Only acts of this kind, such as message.skipped.")] = None,
    last: Annotated[int, typer.Option("--last", min=1, help="Only so many, the newest.")] = 50,
    as_json: JsonOption = False,
    state: StateOption = None,
) -> None:
    """Show what was done, oldest first. Whether the lines hold is for `verify` to say."""
    acts = [act for act in Audit(state_path(state)).acts() if what is None or act["what"] == what][-last:]
    if as_json:
        sys.stdout.write(json.dumps(acts, ensure_ascii=False) + "\n")
        return
    for act in acts:
        about = " ".join(f"{name}={value}" for name, value in act["about"].items())
        why = "" if act["why"] is None else f"  {act['why']}"
        sys.stdout.write(f"{act['number']}  {act['at']}  {act['by']}  {act['what']}  {about}{why}\n")
