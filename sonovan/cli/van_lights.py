"""`sonovan van lights`: may she leave, may the van leave, and why not.

The rooms are imported inside the commands: `sonovan --help` stays quick.
"""

import json
from typing import TYPE_CHECKING, Any

import typer

from sonovan.cli.van_options import AsJson, State, VanName
from sonovan.state import state_path

if TYPE_CHECKING:
    from sonovan.producers.lights import Light


def add_to(app: typer.Typer) -> None:
    """Add this command to `sonovan van`."""
    app.command()(lights)


def lights(van: VanName = None, as_json: AsJson = False, state: State = None) -> None:
    """Say of each woman whose screening is under way whether she may leave, and whether the van may; with reasons."""
    from datetime import datetime

    from sonovan.cli.van_open import open_van, the_van
    from sonovan.producers.gateway.gateway import open_desk
    from sonovan.producers.gateway.standing import under_way, van_state, woman_state
    from sonovan.producers.lights import she_may_leave, van_may_leave
    from sonovan.reports.van_words import VanWords

    folder, words = state_path(state), VanWords("en")
    with open_van(folder, the_van(folder, van)) as opened, open_desk(opened.vault) as desk:
        place, spool = opened.vault.folder, opened.spool
        women = [(each, she_may_leave(woman_state(place, desk, spool, each))) for each in under_way(desk, spool)]
        whole = van_may_leave(van_state(place, desk, spool, datetime.now().astimezone().date()))
    if as_json:
        of_women = [{"slip": each.slip, "screening_id": each.screening_id, **_told(light)} for each, light in women]
        typer.echo(json.dumps({"women": of_women, "van": _told(whole)}))
        return
    for each, light in women:
        typer.echo(words.van("she_may_leave" if light.green else "she_stays", slip=each.slip))
        _reasons(light, words)
    typer.echo(words.van("van_may_leave" if whole.green else "van_stays"))
    _reasons(whole, words)


def _told(light: "Light") -> dict[str, Any]:
    reasons, notes = ([each.model_dump(exclude_none=True) for each in some] for some in (light.reasons, light.notes))
    return {"green": light.green, "reasons": reasons, "notes": notes}


def _reasons(light: "Light", words: Any) -> None:
    for each in light.reasons:
        typer.echo(f"  - {words.lamp(each)}")
    for each in light.notes:
        typer.echo(f"  ({words.lamp(each)})")
