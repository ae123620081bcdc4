"""`sonovan pack`: frames and masks of finished screenings into few large objects."""

import json
import sys
from typing import Annotated, Final

import typer

from sonovan.cli.catalog import open_catalogue
from sonovan.cli.rejected import object_store
from sonovan.cli.topics import JsonOption
from sonovan.cli.up import StateOption
from sonovan.noting import note
from sonovan.packing import QUIET_DAYS
from sonovan.state import state_path

TIMEOUT_S: Final = 60.0
"""A pack is 32 MiB, which a slow disk takes seconds to make durable."""


def pack(
    quiet_days: Annotated[
        float, typer.Option(min=0, help="Only screenings of which no record came for so many days.")
    ] = QUIET_DAYS,
    at_most: Annotated[int | None, typer.Option(min=1, help="At most so many screenings.")] = None,
    as_json: JsonOption = False,
    state: StateOption = None,
) -> int:
    """Put frames and masks of finished screenings into packs, one or few for each sweep; nothing else changes.

    Whoever reads or erases them finds them as before. What lay alone is deleted a minute after its pack was read back
    and every part held against its sha256. Interrupted at any moment, the same command goes on. Run it once a day.
    Exit 3 where a folder was left as it is, because a pack or an object in it is damaged.
    """
    from sonovan.cli.failures import Exit
    from sonovan.packing import Packing, only_run
    from sonovan.storage.minio_store import MinioStore

    database = open_catalogue(state)
    try:
        with only_run(state_path(state)) as holder:
            database.prepare()
            note(state_path(state), "frames.packed", {"quiet_days": str(quiet_days), "at_most": at_most})
            settings = object_store(state, "catalog").model_copy(update={"timeout_s": TIMEOUT_S})
            run = Packing(database, MinioStore(settings), holder, lambda line: typer.echo(line, err=True))
            done = run.run(quiet_days, at_most)
    finally:
        database.close()
    if as_json:
        sys.stdout.write(json.dumps(vars(done)) + "\n")
    else:
        sys.stdout.write(
            f"{done.screenings} screenings packed: {done.objects} objects in {done.packs} packs of "
            f"{done.pack_bytes / 1e6:.1f} MB\n"
        )
    for each in done.left:
        typer.echo(f"left as it is: {each}", err=True)
    return Exit.SOME_REJECTED if done.left else Exit.DONE
