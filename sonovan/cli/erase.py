"""`sonovan erase`: frames, masks, reports, rows and alerts of a screening go."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, get_args

import typer
from pydantic import TypeAdapter, ValidationError

from sonovan.cli.topics import kafka_settings
from sonovan.cli.up import StateOption
from sonovan.contracts.erasures import ErasureReason
from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.record import Id
from sonovan.contracts.words import OperatorCode
from sonovan.state import state_path

if TYPE_CHECKING:
    from sonovan.storage.catalogue.kept import Kept

REASONS: Final = "|".join(get_args(ErasureReason))


def erase(
    by: Annotated[str, typer.Option("--by", help="Your code at this site, `op-7`: no name.")],
    screenings: Annotated[
        list[str] | None, typer.Argument(metavar="[SCREENING]...", help="Ids, as `sonovan query` shows them.")
    ] = None,
    because: Annotated[str, typer.Option("--because", metavar=REASONS, help="Why; a code.")] = "she_asked",
    all_of_hers: Annotated[
        bool, typer.Option("--all-of-hers", help="Also every other screening of the same women.")
    ] = False,
    unknown: Annotated[bool, typer.Option("--unknown", help="Also what the catalogue does not know.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    wait_s: Annotated[float, typer.Option(min=0, help="How long to wait until everything is gone.")] = 120.0,
    state: StateOption = None,
) -> None:
    """Delete what is kept of screenings: frames, masks, reports, rows, alerts. What comes of them later goes too.

    It cannot be undone. A site on legal hold is refused. Records in topics that are kept for ever have no name of hers;
    those that join a screening to a woman end after 90 days by themselves. Whoever was given a data set with her must
    be told: the command says what she is called in it.
    """
    from sonovan.cli.catalog import open_catalogue
    from sonovan.erasing import publish, wait_until_gone
    from sonovan.storage.catalogue.kept import hers, kept_of, vans_of

    reason, operator = checked(because, by)
    database = open_catalogue(state)
    try:
        ids = [_id(each) for each in screenings or ()]
        if all_of_hers:
            ids += [other for each in tuple(ids) for other in hers(database, each)]
        ids = sorted(set(ids))
        if not ids:
            sys.stdout.write("nothing is to be erased\n")
            return
        kept = kept_of(database, ids)
        _refuse(kept, unknown)
        _show(kept)
        if not yes and not typer.confirm(f"Erase {len(ids)} for good?"):
            raise typer.Abort
        vans = vans_of(database, ids)
        publish(kafka_settings(state, "console"), state_path(state), ids, vans, reason, operator)
        wait_until_gone(database, ids, wait_s)
    finally:
        database.close()
    sys.stdout.write(f"{len(ids)} erased: no row, frame, mask or report of them is left\n")
    tell_holders(state, ids)


def checked(because: str, by: str) -> tuple[ErasureReason, str]:
    """The reason and the operator as a record holds them. Raises BadParameter for what is no code."""
    try:
        reason: ErasureReason = TypeAdapter(ErasureReason).validate_python(because)
    except ValidationError:
        raise typer.BadParameter(f"{because!r} is none of {REASONS}", param_hint="--because") from None
    try:
        return reason, TypeAdapter(OperatorCode).validate_python(by)
    except ValidationError:
        raise typer.BadParameter(f"{by!r} is no code such as op-7", param_hint="--by") from None


def _id(text: str) -> str:
    try:
        return TypeAdapter(Id).validate_python(text)
    except ValidationError:
        raise typer.BadParameter(f"{text!r} is no screening's id; see: sonovan query") from None


def _refuse(kept: Sequence["Kept"], unknown: bool) -> None:
    held = [each.screening_id for each in kept if each.held]
    if held:
        raise InvalidRecord("option_invalid", f"{held[0]} is of a site on legal hold: sonovan catalog hold --release")
    missing = [each.screening_id for each in kept if not each.rows and not each.erased]
    if missing and not unknown:
        raise InvalidRecord(
            "option_invalid", f"the catalogue knows nothing of {missing[0]}; --unknown erases whatever comes of it"
        )


def _show(kept: Sequence["Kept"]) -> None:
    for each in kept:
        rows = ", ".join(f"{count} {name}" for name, count in each.rows.items()) or "nothing yet"
        typer.echo(f"{each.screening_id}: {rows}", err=True)


def tell_holders(state: Path | None, ids: Sequence[str]) -> None:
    """Say in which data sets they may be, and under which names: whoever holds one must delete them there."""
    from sonovan.cli.export_dataset import export_key
    from sonovan.dataset.pseudonyms import Pseudonyms
    from sonovan.storage.audit import Audit

    given = [act for act in Audit(state_path(state)).acts() if act["what"] == "dataset.exported"]
    if not given:
        return
    names = Pseudonyms(export_key(state))
    called = ", ".join(names.screening(each) for each in ids)
    sys.stdout.write(f"data sets may hold them, as {called}; whoever was given one must delete them there:\n")
    for act in given:
        sys.stdout.write(f"  {act['about']['name']}, made by {act['by']} at {act['at']}\n")
