"""`sonovan models shadow`: what a candidate network would have changed, by the frames that it replayed."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from sonovan.cli.rejected import object_store
from sonovan.cli.replay import time_of
from sonovan.cli.topics import JsonOption, kafka_settings
from sonovan.cli.up import StateOption, format_table

SHEET = "least_alike.png"


def shadow(
    since: Annotated[str, typer.Option("--from", metavar="TIME", help="2026-03-01 or 2026-03-01T09:00Z.")],
    model: Annotated[str, typer.Option("--model", metavar="ID", help="Which network was replayed.")],
    until: Annotated[str | None, typer.Option("--to", metavar="TIME", help="Before this.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for comparison.json and a sheet of pictures.")] = None,
    weights_dir: Annotated[
        Path | None, typer.Option("--weights-dir", help="Folder with registry.json and the weights.")
    ] = None,
    as_json: JsonOption = False,
    state: StateOption = None,
) -> None:
    """Hold the results of a replay against those that counted: paired differences, categories, the least alike frames.

    Run `sonovan replay` first. A difference is the candidate's figure minus that of the network that runs, with a 95 %
    interval over screenings. Dice against readers is over frames that somebody drew blind.
    """
    from sonovan.cli.evaluate import check_name
    from sonovan.contracts.errors import InvalidRecord
    from sonovan.contracts.settings import read_settings
    from sonovan.models.registry import WEIGHTS_DIR, read_registry
    from sonovan.shadow import compare, read, sheet
    from sonovan.storage.minio_store import MinioStore
    from sonovan.stream_apps.assess.settings import ProgrammeSettings

    folder = weights_dir or WEIGHTS_DIR
    check_name(model, folder)
    begin, end = time_of(since, "--from"), None if until is None else time_of(until, "--to")
    said = read(kafka_settings(state, "reader"), begin, end, read_registry(folder).entry(model).fingerprint)
    if not said.pairs:
        raise InvalidRecord("option_invalid", f"no frame since {since} was replayed through {model}: sonovan replay")
    store = MinioStore(object_store(state, "reader"))
    found = compare(said, store, read_settings(ProgrammeSettings).programme)
    document = json.dumps(found.document(), indent=1)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        (out / "comparison.json").write_text(document + "\n")
        picture = sheet(found, store)
        if picture is not None:
            (out / SHEET).write_bytes(picture)
    if as_json:
        sys.stdout.write(document + "\n")
        return
    agreement = "none outlines anything" if found.agreement is None else f"outlines agree by {found.agreement:.3f}"
    sys.stdout.write(f"{found.frames} frames of {found.screenings} screenings by both networks; {agreement} (Dice)\n")
    rows: list[dict[str, object]] = [
        {
            "figure": name,
            "frames": one.frames,
            "runs": one.running,
            "candidate": one.candidate,
            "difference": one.difference,
            "95 %": "-" if one.low is None else f"{one.low} to {one.high}",
        }
        for name, one in found.figures.items()
    ]
    sys.stdout.write(format_table(rows))
    changed = [asdict(each) for each in found.changes]
    sys.stdout.write(format_table(changed) if changed else "no category and no alert would have been another\n")
    if out is not None:
        sys.stdout.write(f"written: {out / 'comparison.json'}, {out / SHEET}\n")
