"""`sonovan van screenings, close, held, release, discard`: the screenings on the van, and frames held for a look.

The rooms are imported inside the commands: `sonovan --help` stays quick.
"""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer

from sonovan.cli.van_options import AsJson, State, VanName
from sonovan.state import state_path

FrameId = Annotated[str, typer.Argument(help="The frame's id, as van held prints it.")]
ScreeningId = Annotated[str, typer.Argument(help="The screening's id, as van send or van screenings prints it.")]


def add_to(app: typer.Typer) -> None:
    """Add these commands to `sonovan van`."""
    app.command()(screenings)
    app.command()(close)
    app.command()(held)
    app.command()(release)
    app.command()(discard)


def screenings(van: VanName = None, as_json: AsJson = False, state: State = None) -> None:
    """List the screenings on the van, and which are unfinished."""
    from sonovan.cli.van_open import open_van, the_van

    folder = state_path(state)
    with open_van(folder, the_van(folder, van)) as opened:
        found = opened.spool.screenings()
    if as_json:
        typer.echo(json.dumps([asdict(each) for each in found]))
        return
    for each in found:
        began = datetime.fromtimestamp(each.started_at, UTC)
        closed = "unfinished" if each.unfinished else f"closed ({each.closing_number})"
        held = f", {each.held} held" if each.held else ""
        typer.echo(
            f"{each.screening_id}: begun {began:%Y-%m-%d %H:%M} UTC, {closed},"
            f" {each.sequences} sequences, {each.frames} frames{held}"
        )


def close(screening_id: ScreeningId, van: VanName = None, state: State = None) -> None:
    """Close a screening as it is; `van spool retry` sends it. Without any change nothing is done.

    What was said of her on the operator's page stays: what was ticked off, and whether she stays or left.
    """
    from sonovan.cli.van_open import open_van, the_van
    from sonovan.producers.gateway.closing import close_as_told

    folder = state_path(state)
    with open_van(folder, the_van(folder, van)) as opened:
        close_as_told(opened.vault, opened.spool, opened.spool.resume_screening(screening_id, opened.signer))
        found = [each for each in opened.spool.screenings() if each.screening_id == screening_id]
    if found:
        typer.echo(f"screening {screening_id}: closed ({found[0].closing_number}), {found[0].frames} frames")
    else:
        typer.echo(f"screening {screening_id}: it had no frame, and is forgotten")


def held(van: VanName = None, as_json: AsJson = False, state: State = None) -> None:
    """List the frames that stay on the van until somebody has looked at them, and why."""
    from sonovan.cli.van_open import open_van, the_van

    folder = state_path(state)
    with open_van(folder, the_van(folder, van)) as opened:
        found = opened.spool.held()
    if as_json:
        typer.echo(json.dumps([asdict(each) for each in found]))
        return
    for each in found:
        typer.echo(f"{each.frame_id}: {each.reason}")


def release(frame_id: FrameId, van: VanName = None, state: State = None) -> None:
    """Somebody has looked at a held frame and it shows nobody's name: `van spool retry` sends it."""
    from sonovan.cli.van_open import open_van, the_van

    folder = state_path(state)
    with open_van(folder, the_van(folder, van)) as opened:
        opened.spool.release(frame_id, opened.signer)
    typer.echo(f"{frame_id}: released")


def discard(frame_id: FrameId, van: VanName = None, state: State = None) -> None:
    """A held frame is never sent: it is deleted here, and counted as discarded."""
    from sonovan.cli.van_open import open_van, the_van

    folder = state_path(state)
    with open_van(folder, the_van(folder, van)) as opened:
        opened.spool.discard(frame_id, opened.signer)
    typer.echo(f"{frame_id}: discarded")
