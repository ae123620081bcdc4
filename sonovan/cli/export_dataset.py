"""`sonovan export dataset`: pictures of women who agreed to research, without who they are."""

import json
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from sonovan.cli.failures import Exit
from sonovan.cli.topics import JsonOption, kafka_settings
from sonovan.cli.up import StateOption

if TYPE_CHECKING:
    from sonovan.dataset.making import Asked, Exported, Rows


def dataset(
    out: Annotated[Path, typer.Option(help="Folder to make; its name is the set's, which decides on splits.")],
    frames: Annotated[
        Literal["all", "reviewed"], typer.Option(help="All pictures, or those a reader drew on.")
    ] = "all",
    until: Annotated[
        datetime | None, typer.Option(help="What the centre learnt later is not in it (UTC) [default: now].")
    ] = None,
    manifest: Annotated[
        Path | None, typer.Option(help="Make this export again, and say what is not the same any more.")
    ] = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> int:
    """Write a data set for research: PNG, Parquet, COCO, index.csv, a datasheet and a manifest.

    In it is who agreed to research and has not taken it back; nothing void and nothing erased. Dates are shifted, names
    are pseudonyms, and what is said of a woman is said of at least SONOVAN_EXPORT_K. It needs the catalogue.
    """
    from sonovan.cli.evaluate import progress
    from sonovan.cli.rejected import object_store
    from sonovan.contracts.settings import read_settings
    from sonovan.dataset.making import Asked, export
    from sonovan.dataset.manifest import differences, read_manifest
    from sonovan.dataset.pseudonyms import Pseudonyms
    from sonovan.dataset.settings import ExportSettings
    from sonovan.noting import note
    from sonovan.state import state_path
    from sonovan.storage.minio_store import MinioStore

    settings = read_settings(ExportSettings)
    before = None if manifest is None else read_manifest(manifest)
    until_ms = round((time.time() if until is None else until.timestamp()) * 1000)
    asked = Asked(out.absolute().name, until_ms, settings.k, settings.suppress_share, frames)
    if before is not None:
        asked = Asked(**before.asked)
    try:
        names = Pseudonyms(export_key(state))
    except ValueError as error:
        raise typer.BadParameter(f"SONOVAN_EXPORT_KEY: {error}") from None
    note(state_path(state), "dataset.exported", {"name": asked.name, "frames": frames, "until_ms": asked.until_ms})
    rows = _rows(state, asked)
    with progress(asked.name, None, "pictures") as step:
        done = export(rows, MinioStore(object_store(state, "reader")), names, asked, out, step)
    told = [] if before is None else differences(before, done.manifest)
    _tell(done, told, as_json)
    return int(Exit.SOME_REJECTED if told else Exit.DONE)


def export_key(state: Path | None) -> str:
    """From which pseudonyms are made: the setting, or the secret of the state folder, made at its first use."""
    from sonovan.contracts.settings import read_settings
    from sonovan.dataset.settings import ExportSettings
    from sonovan.deploy.state import StateFolder
    from sonovan.state import state_path

    settings = read_settings(ExportSettings)
    if settings.key is not None:
        return settings.key.get_secret_value()
    return StateFolder(state_path(state)).secret("dataset-export")


def _rows(state: Path | None, asked: "Asked") -> "Rows":
    """What the catalogue says, and the erasures of the topic itself: the catalogue may be a moment behind."""
    from sonovan.contracts.erasures import ScreeningErased
    from sonovan.contracts.topics import Topic
    from sonovan.dataset.making import Rows
    from sonovan.dataset.reading import read_rows
    from sonovan.transport.tail import read_all

    kafka = kafka_settings(state, "reader")
    records = [message.readable() for message in read_all(kafka, Topic.SCREENING_ERASED)]
    erased = {record.screening_id for record in records if isinstance(record, ScreeningErased)}
    screenings, frames, reviews = read_rows(state, asked.until_ms)
    return Rows(screenings, frames, reviews, erased)


def _tell(done: "Exported", told: list[str], as_json: bool) -> None:
    if as_json:
        document = {
            "folder": str(done.folder),
            "pictures": done.pictures,
            "women": done.women,
            "visits": done.visits,
            "by": done.by,
            "left_out": done.left_out,
            "smallest_class": done.anonymous.smallest,
            "differences": told,
        }
        sys.stdout.write(json.dumps(document) + "\n")
    else:
        by = ", ".join(f"{number} masks by {who}" for who, number in done.by.items())
        sys.stdout.write(
            f"{done.folder}: {done.pictures} pictures of {done.women} women ({by}); "
            f"at least {done.anonymous.smallest} women share what is said of each\n"
        )
    for reason, count in done.left_out.items():
        sys.stderr.write(f"left out: {count} {reason.replace('_', ' ')}\n")
    for each in told:
        sys.stderr.write(f"not the same any more: {each}\n")
