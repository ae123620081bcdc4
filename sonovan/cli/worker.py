"""`sonovan worker`: one app of the centre in the foreground, as `sonovan up` starts it."""

from typing import Annotated

import typer

from sonovan.contracts.topics import STAGES


def _a_stage(name: str) -> str:
    if name not in STAGES:
        raise typer.BadParameter(f"{name!r} is not one of {', '.join(STAGES)}.")
    return name


def worker(
    stage: Annotated[str, typer.Argument(help="Which app.", metavar="|".join(STAGES), callback=_a_stage)],
    instance: Annotated[int, typer.Option(min=1, help="A number of its own for each worker of a stage.")] = 1,
) -> int:
    """Run one app of the centre until SIGTERM.

    Its settings are environment variables: SONOVAN_KAFKA_*, SONOVAN_S3_*, SONOVAN_DATA_DIR, SONOVAN_INTENDED_USE.
    """
    from sonovan.stream_apps.agent import run

    return run(stage, instance)
