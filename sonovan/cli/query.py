"""`sonovan query`: ask the catalogue in SQL, and take the answer as a table, CSV, JSON or Parquet."""

import csv
import json
import sys
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sonovan.cli.up import StateOption, format_table
from sonovan.state import state_path

if TYPE_CHECKING:
    from sonovan.storage.catalogue.asking import Answer


def query(
    statement: Annotated[str, typer.Argument(metavar="SQL", help="One SELECT over the views of docs/data.md.")],
    as_csv: Annotated[bool, typer.Option("--csv", help="CSV with a heading.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON list with an object for each row.")] = False,
    parquet: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a Parquet file instead.")] = None,
    rows: Annotated[int, typer.Option(min=1, max=10_000_000, help="At most so many rows.")] = 100_000,
    seconds: Annotated[float, typer.Option(min=0.1, max=3600, help="The statement may take so long.")] = 30.0,
    state: StateOption = None,
) -> int | None:
    """Ask the catalogue. Nothing can be changed; no view says who a woman is. Unsigned findings are no results.

    Who asked, and the statement as it was typed, are noted in the audit of this machine. Where more rows match than are
    given the command says so and ends with 3.
    """
    from sonovan.cli.catalog import reader_url
    from sonovan.cli.failures import Exit
    from sonovan.noting import note_question
    from sonovan.storage.catalogue.asking import Limits, ask

    if as_csv + as_json + (parquet is not None) > 1:
        raise typer.BadParameter("choose one of --csv, --json and --parquet.")
    url = reader_url(state)
    note_question(state_path(state), statement, rows, parquet is not None)
    answer = ask(url, statement, Limits(rows, seconds))
    if parquet is not None:
        from sonovan.parquet import write_parquet

        write_parquet(answer, parquet)
        typer.echo(f"{len(answer.rows)} rows in {parquet}", err=True)
    elif as_csv:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(answer.columns)
        writer.writerows([_text(value, "") for value in row] for row in answer.rows)
    elif as_json:
        sys.stdout.write(json.dumps(_objects(answer), ensure_ascii=False, indent=1) + "\n")
    elif answer.rows:
        sys.stdout.write(format_table([_cells(answer.columns, row) for row in answer.rows]))
    else:
        typer.echo("no rows", err=True)
    if answer.cut:
        typer.echo(f"only the first {rows} rows: ask for less, or allow more with --rows", err=True)
        return Exit.SOME_REJECTED
    return None


def _objects(answer: "Answer") -> list[dict[str, Any]]:
    return [{name: _plain(value) for name, value in zip(answer.columns, row, strict=True)} for row in answer.rows]


def _cells(columns: tuple[str, ...], row: tuple[Any, ...]) -> dict[str, object]:
    return {name: None if value is None else _text(value, "-") for name, value in zip(columns, row, strict=True)}


def _plain(value: Any) -> Any:
    """A value as JSON has it: times in UTC, exact numbers as text where JSON has no such number."""
    if isinstance(value, datetime | date):
        return _moment(value)
    return value if value is None or isinstance(value, str | int | float | bool | list | dict) else str(value)


def _text(value: Any, nothing: str) -> str:
    if value is None:
        return nothing
    if isinstance(value, datetime | date):
        return _moment(value)
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else str(value)


def _moment(value: datetime | date) -> str:
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return value.isoformat()
