"""Options that several commands of `sonovan van` share."""

from pathlib import Path
from typing import Annotated

import typer

State = Annotated[Path | None, typer.Option("--state", help="State folder (default: SONOVAN_STATE, else .sonovan).")]
VanName = Annotated[str | None, typer.Option("--van", help="Which van (default: the only one enrolled here).")]
Organ = Annotated[str | None, typer.Option("--organ", help="breast or thyroid.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]
Plan = Annotated[
    list[str] | None,
    typer.Option("--plan", help="What was to be scanned: side[:region]; repeat (default: both sides)."),
]
OperatorCode = Annotated[
    str | None, typer.Option("--operator", help="Who scanned: a code of the site such as op-7, never a name.")
]
Wait = Annotated[bool, typer.Option("--wait", help="Wait for the centre's report and print it.")]
GiveUp = Annotated[
    float | None, typer.Option("--give-up-s", min=1, help="Stop after so many seconds without any progress.")
]
