"""`sonovan evaluate`: how well the whole path does on data whose truth is known."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from sonovan.cli.evaluate import ModelOption, OrganOption, WeightsOption, progress, told_in_one_line
from sonovan.cli.topics import JsonOption

app = typer.Typer(help="The whole path on data whose truth is known.", no_args_is_help=True, rich_markup_mode=None)

DATA = "folder of scans: SCAN/frames/*.png and, where lesions are seen, SCAN/masks/*.png of the same names"


@app.callback()
def evaluate() -> None:
    """The whole path on data whose truth is known."""  # a callback keeps `froc` a command of its own


@app.command()
def froc(
    data: Annotated[Path, typer.Option("--data", help=DATA)],
    organ: OrganOption = None,
    model: ModelOption = None,
    weights_dir: WeightsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Sweeps with truth: how many lesions single frames and whole sequences find at so many false positives per scan.

    A mask is grey: 0 is nothing, each other value one lesion, the same on every frame of its scan. SCAN/scan.json may
    name the organ, the pixel spacing and labels: {"organ": "breast", "labels": {"1": "malignant"}}. A scan without
    masks shows no lesion; false positives in it count.
    """
    from sonovan.analysis import load_segmenter
    from sonovan.cli.evaluate import check_name
    from sonovan.models.registry import WEIGHTS_DIR
    from sonovan.models.segmenter import load
    from sonovan.models.settings import read_settings
    from sonovan.sweeps_with_truth import figures, look_at_all, read_scans

    with told_in_one_line():
        folder = weights_dir or read_settings().weights_dir or WEIGHTS_DIR
        check_name(model, folder)
        scans = read_scans(data, organ)
        network = load_segmenter(model) if weights_dir is None else load(model, weights_dir=folder)
        with progress(data.name, len(scans), "scans") as step:
            document = figures(look_at_all(scans, network, step)) | {"model": network.model_id}
    if as_json:
        typer.echo(json.dumps(document, indent=1))
        return
    typer.echo(f"{document['scans']} scans, {document['lesions']} lesions, {document['model']}")
    for rate, gain in document["gain"].items():
        cells = [f"{name} {_cell(document[name][rate], 'sensitivity')}" for name in ("single", "sequence")]
        typer.echo(f"at {rate} false positives per scan: {', '.join(cells)}, gain {_cell(gain, 'gain')}")


def _cell(told: dict[str, Any], name: str) -> str:
    low, high = told["ci95"]
    return f"{told[name]:.3f} ({low:.3f} to {high:.3f})"
