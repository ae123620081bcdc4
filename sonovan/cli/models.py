"""`sonovan models`: which networks there are, whether they are what they claim to be, how well they do."""

import importlib.util
import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from sonovan.cli.calibrate import calibrate
from sonovan.cli.evaluate import compare, evaluate
from sonovan.cli.failures import Exit
from sonovan.cli.models_import import app as imports
from sonovan.cli.models_promote import promote
from sonovan.cli.models_shadow import shadow
from sonovan.cli.topics import JsonOption
from sonovan.contracts.errors import Fatal
from sonovan.models.errors import ModelError
from sonovan.models.registry import WEIGHTS_DIR, Entry, read_registry
from sonovan.models.settings import read_settings

app = typer.Typer(
    help="The networks: which there are, whether they are intact, how well they do.", rich_markup_mode=None
)

app.add_typer(imports, name="import")
app.command()(calibrate)

WeightsOption = Annotated[Path | None, typer.Option("--weights-dir", help="Folder with registry.json and the weights.")]


@app.command("list")
def list_models(weights_dir: WeightsOption = None, as_json: JsonOption = False) -> None:
    """Show the networks that the registry names; the first runs when none is named."""
    entries = _entries(weights_folder(weights_dir))
    if as_json:
        listed = [entry.model_dump(mode="json") | {"fingerprint": entry.fingerprint} for entry in entries]
        typer.echo(json.dumps(listed, indent=1))
        return
    for entry in entries:
        organs, precisions = ", ".join(entry.organs), ", ".join(entry.precisions)
        typer.echo(f"{entry.id}\n  organs: {organs}\n  input: {entry.side}×{entry.side}, {precisions}")
        typer.echo(f"  sha256: {entry.sha256}\n  fingerprint: {entry.fingerprint}")
        card = os.path.relpath((weights_folder(weights_dir) / entry.card).resolve())
        typer.echo(f"  card: {card}\n  licence: {entry.licence}")


@app.command()
def verify(weights_dir: WeightsOption = None, as_json: JsonOption = False) -> int:
    """Check every network's files against their sha256 and its entry, and start it on this machine."""
    folder = weights_folder(weights_dir)
    checked = [_checked(entry, folder) for entry in _entries(folder)]
    if as_json:
        typer.echo(json.dumps(checked, indent=1))
    else:
        for each in checked:
            told = f"intact, runs as {each['runs']}" if each["usable"] else each["problem"]
            (sys.stdout if each["usable"] else sys.stderr).write(f"{each['id']}: {told}\n")
    return int(Exit.DONE if all(each["usable"] for each in checked) else Exit.FATAL)


@app.command()
def export(
    checkpoint: Annotated[Path, typer.Argument(help="epoch_NN.pt of a training run.")],
    model: Annotated[str, typer.Option(help="What the network is called in the registry.")] = "lite2-unet-3",
    despeckle: Annotated[
        Literal["none", "diffusion", "learned"], typer.Option(help="Done inside the graph, before the network.")
    ] = "none",
    weights_dir: WeightsOption = None,
) -> int:
    """Make a checkpoint into an ONNX file, check it against torch and register it; needs the training environment."""
    if importlib.util.find_spec("torch") is None:
        raise typer.BadParameter(
            "torch is not installed here: `make test-training` makes .venv-training; then "
            f".venv-training/bin/python -m training export {checkpoint}"
        )
    from training.__main__ import main

    folder = weights_folder(weights_dir)
    places = ["--weights", str(folder), "--cards", str(folder.parent / "cards")]
    try:
        return main(["export", str(checkpoint), "--model", model, "--despeckle", despeckle, *places])
    except ModelError as error:
        raise typer.BadParameter(str(error)) from None


def _checked(entry: Entry, folder: Path) -> dict[str, Any]:
    from sonovan.models.segmenter import load  # the runtimes take a second to import

    try:
        runs = load(entry.id, weights_dir=folder).provider
    except ModelError as error:
        return {"id": entry.id, "usable": False, "problem": str(error)}
    return {"id": entry.id, "usable": True, "sha256": entry.sha256, "runs": runs}


def weights_folder(weights_dir: Path | None) -> Path:
    """Where the networks lie: of an option, else of a setting, else those that came with the program."""
    return weights_dir or read_settings().weights_dir or WEIGHTS_DIR


def _entries(folder: Path) -> tuple[Entry, ...]:
    try:
        return read_registry(folder).models
    except ModelError as error:
        raise Fatal(str(error)) from None


app.command()(evaluate)
app.command()(compare)
app.command()(shadow)
app.command()(promote)
