"""`sonovan quality`: whether networks and scanners are still right, as a page."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sonovan.cli.topics import JsonOption, kafka_settings
from sonovan.cli.up import StateOption

if TYPE_CHECKING:
    from sonovan.contracts.quality import QualityMeasured
    from sonovan.reports.quality import Work

app = typer.Typer(help="Whether networks and scanners are still right.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def quality() -> None:
    """Whether networks and scanners are still right."""  # keeps `report` a command of its own while it is the only one


@app.command()
def report(
    out: Annotated[Path, typer.Option(metavar="FILE.html", help="The page to write; one that is there is replaced.")],
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write one page, in English and Chinese, of what `quality` has measured: agreement, drift, frames to look at.

    From the topic quality.measured and, where there is one, the catalogue. It opens without a network, and names no
    woman.
    """
    from sonovan.reports.quality import figures_of, render_quality

    if not out.parent.is_dir():
        raise typer.BadParameter(f"the folder {out.parent} is not there", param_hint="--out")
    figures = figures_of(_records(state))
    work, operators = _work(state)
    page = render_quality(figures, work, datetime.now(UTC), operators)
    written = out.with_name(f"{out.name}.new")
    written.write_bytes(page)
    written.replace(out)
    drifting = sum(bool(each.drifted) for each in figures.watched)
    missed = sum(found.verdict == "missed" for _, _, found in figures.agreements)
    told = {
        "file": str(out), "records": figures.records, "agreements": len(figures.agreements), "missed": missed,
        "scanners": len(figures.watched), "drifting": drifting, "flagged": len(figures.flagged),
        "catalogue": work is not None,
    }  # fmt: skip
    if as_json:
        sys.stdout.write(json.dumps(told) + "\n")
    else:
        sys.stdout.write(
            f"{out}: {len(figures.agreements)} agreements, {missed} of them less than asked for; "
            f"{len(figures.watched)} scanners on vans, {drifting} of them drifting; "
            f"{len(figures.flagged)} frames to look at\n"
        )


def _records(state: Path | None) -> "list[QualityMeasured]":
    from sonovan.contracts.quality import QualityMeasured
    from sonovan.contracts.topics import Topic
    from sonovan.transport.tail import read_all

    messages = read_all(kafka_settings(state, "reader"), Topic.QUALITY_MEASURED)
    records = [message.readable() for message in messages]
    return [record for record in records if isinstance(record, QualityMeasured)]


def _work(state: Path | None) -> "tuple[Work | None, Work]":
    """How vans and operators screen, from the catalogue; no vans (None) where there is none, or it does not answer."""
    from sonovan.cli.catalog import reader_url
    from sonovan.contracts.errors import Fatal, InvalidRecord, Transient
    from sonovan.reports.quality import OPERATOR_QUERY, WORK_QUERY
    from sonovan.storage.catalogue.asking import Limits, ask

    try:
        vans, operators = (ask(reader_url(state), query, Limits()) for query in (WORK_QUERY, OPERATOR_QUERY))
    except (Fatal, InvalidRecord, Transient) as error:
        sys.stderr.write(f"the page says nothing of how vans screen: {error}\n")
        return None, ()
    work = [[dict(zip(each.columns, row, strict=True)) for row in each.rows] for each in (vans, operators)]
    return work[0], work[1]
