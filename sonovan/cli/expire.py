"""`sonovan catalog expire`: screenings whose site's time is over are shown, and erased where that is asked for."""

import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Final

import typer

from sonovan.cli.erase import checked, tell_holders
from sonovan.cli.topics import JsonOption, kafka_settings
from sonovan.cli.up import StateOption, format_table
from sonovan.state import state_path

if TYPE_CHECKING:
    from sonovan.storage.catalogue.holding import Over

BECAUSE: Final = "retention_over"
AT_ONCE: Final = 200
"""Screenings that are published before it is waited until nothing is left of them."""


def expire(
    do: Annotated[bool, typer.Option("--do", help="Erase them. Without it, nothing is changed.")] = False,
    by: Annotated[str | None, typer.Option("--by", help="With --do: your code at this site, `op-7`: no name.")] = None,
    site: Annotated[str | None, typer.Option("--site", help="Of one site alone.")] = None,
    at_most: Annotated[int | None, typer.Option(min=1, help="Erase at most so many, the oldest first.")] = None,
    wait_s: Annotated[float, typer.Option(min=0, help="How long to wait until some are gone.")] = 120.0,
    as_json: JsonOption = False,
    state: StateOption = None,
) -> None:
    """Show how many screenings of each site are older than the site keeps them; with --do, erase them.

    They go as by `sonovan erase`, which cannot be undone: the same record is published for each, with the reason
    retention_over, and noted in the audit. What a legal hold keeps stays. Times are set by `sonovan catalog hold`.
    """
    from sonovan.cli.catalog import open_catalogue
    from sonovan.erasing import publish, wait_until_gone
    from sonovan.storage.catalogue.holding import over
    from sonovan.storage.catalogue.kept import vans_of

    if do and by is None:
        raise typer.BadParameter("say who decides it: --by op-7", param_hint="--do")
    reason, operator = checked(BECAUSE, by or "op-0")
    database = open_catalogue(state)
    try:
        database.prepare()
        found = over(database, datetime.now(UTC), site)
        ids = [each.screening_id for each in found if not each.held][:at_most]
        if do:
            for start in range(0, len(ids), AT_ONCE):
                some = ids[start : start + AT_ONCE]
                vans = vans_of(database, some)
                publish(kafka_settings(state, "console"), state_path(state), some, vans, reason, operator)
                wait_until_gone(database, some, wait_s)
                typer.echo(f"{start + len(some)} of {len(ids)} erased", err=True)
    finally:
        database.close()
    _show(found, erased=ids if do else [], as_json=as_json)
    if do and ids and not as_json:
        tell_holders(state, ids)


def _show(found: Sequence["Over"], erased: Sequence[str], as_json: bool) -> None:
    sites = [
        {
            "site": site,
            "over": len(mine),
            "oldest": f"{min(each.arrived_at for each in mine):%Y-%m-%d}",
            "held": mine[0].held,
            "erased": len({each.screening_id for each in mine} & set(erased)),
        }
        for site in sorted({each.site for each in found})
        for mine in [[each for each in found if each.site == site]]
    ]
    if as_json:
        sys.stdout.write(json.dumps({"sites": sites, "erased": list(erased)}) + "\n")
    elif not sites:
        sys.stdout.write("no site has screenings that are older than it keeps them\n")
    else:
        sys.stdout.write(format_table(sites))
        if not erased and any(not each["held"] for each in sites):
            typer.echo("nothing was changed: --do --by op-7 erases those that no hold keeps", err=True)
