"""`sonovan models import`: other people's networks, made into entries of a registry."""

from pathlib import Path
from typing import Annotated

import typer

from sonovan.models.errors import ModelError
from sonovan.models.settings import read_settings

app = typer.Typer(help="Make other people's networks into entries of a registry.", rich_markup_mode=None)

OutOption = Annotated[Path | None, typer.Option("--out", help="Weights folder; default: SONOVAN_MODELS_WEIGHTS_DIR.")]


@app.callback()
def _group() -> None:
    """Make other people's networks into entries of a registry."""


@app.command()
def sam(
    checkpoint: Annotated[Path, typer.Argument(help="Checkpoint in SAM's public layout.")], out: OutOption = None
) -> None:
    """Export a Segment Anything checkpoint, compare it with its own predictor and register it.

    Needs torch, onnx and segment-anything, which the training environment has.
    """
    weights = out or read_settings().weights_dir
    if weights is None:
        raise typer.BadParameter("name a weights folder with --out (these files are too large for the package's own)")
    try:
        from training.sam_import import import_sam, told

        done = import_sam(checkpoint, weights, lambda line: typer.echo(line, err=True))
    except ImportError as error:
        raise typer.BadParameter(
            f"{error.name} is not installed here: `make test-training` makes .venv-training; then "
            f".venv-training/bin/python -m training.sam_import {checkpoint} --out {weights}"
        ) from None
    except ModelError as error:
        raise typer.BadParameter(str(error)) from None
    typer.echo(told(done))
