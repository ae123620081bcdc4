"""`sonovan screen`: the whole path in this process, no services."""

import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

app = typer.Typer()
ORGAN = "breast or thyroid; may be left out where a DICOM file says it"


@app.command()
def screen(
    paths: Annotated[
        list[Path],
        typer.Argument(help="DICOM files, clips, pictures, or folders of them; pictures in one folder are one sweep"),
    ],
    organ: Annotated[str | None, typer.Option(help=ORGAN)] = None,
    side: Annotated[str | None, typer.Option(help="left, right or isthmus")] = None,
    view: Annotated[str | None, typer.Option(help="a code, such as transverse")] = None,
    position: Annotated[str | None, typer.Option(help="a code, such as 10h")] = None,
    pixel_spacing_mm: Annotated[float | None, typer.Option(help="where the input has no scale of its own")] = None,
    features: Annotated[Path | None, typer.Option(help="the clinical record, JSON")] = None,
    out: Annotated[Path | None, typer.Option(help="folder to write to [default: screening-ID]")] = None,
    model: Annotated[str | None, typer.Option(help="a network of the registry")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON document on stdout, nothing else")] = False,
) -> None:
    """Screen files on this machine: report, masks and overlays in a folder. Unsigned: never a result."""
    from sonovan.analysis import analysis_of, anonymous_visit, load_segmenter
    from sonovan.cli.evaluate import check_name
    from sonovan.contracts.settings import read_settings
    from sonovan.embedded import screen as run
    from sonovan.models.registry import WEIGHTS_DIR
    from sonovan.models.settings import read_settings as models_settings
    from sonovan.outputs import make_folder, write_outputs
    from sonovan.producers.features import read_features
    from sonovan.producers.items import mint_ids
    from sonovan.producers.sources import capture_options, open_sources
    from sonovan.settings import FaceSettings
    from sonovan.storage.folder_store import FolderStore

    if model is not None:
        check_name(model, models_settings().weights_dir or WEIGHTS_DIR)
    options = capture_options(organ=organ, side=side, view=view, position=position, pixel_spacing_mm=pixel_spacing_mm)
    fields = read_features(features) if features is not None else None
    use = read_settings(FaceSettings).intended_use
    inputs = open_sources(paths, options)
    for refused in inputs.refused:
        typer.echo(str(refused), err=True)
    if not inputs.sources:
        raise typer.Exit(2)
    ids = mint_ids(len(inputs.sources))
    folder = out or Path(f"screening-{ids.screening_id}")
    segmenter = load_segmenter(model)
    make_folder(folder)
    with tempfile.TemporaryDirectory(prefix="sonovan-") as scratch, _Progress(inputs.sources) as progress:
        store = FolderStore(Path(scratch))
        screened = run(
            inputs.sources,
            anonymous_visit(fields),
            segmenter=segmenter,
            store=store,
            intended_use=use,
            ids=ids,
            progress=progress.step,
        )
        for refused in screened.composed.refused:
            typer.echo(str(refused), err=True)
        if screened.last is None:
            raise typer.Exit(2)
        analysis = analysis_of(screened, inputs.refused, store, use)
        written = write_outputs(screened.last, analysis.frames, store, folder)
    document = json.loads(written.report_json.read_text())
    lost = bool(analysis.refused or analysis.rejected)
    if as_json:
        files = {
            "html": str(written.report_html),
            "json": str(written.report_json),
            "masks": [str(path) for path in written.masks],
            "overlays": [str(path) for path in written.overlays],
        }
        not_read = [{"reason": error.reason, "message": error.message} for error in analysis.refused]
        not_read += [{"reason": each.reason, "message": each.frame_id or each.topic} for each in analysis.rejected]
        alerts = [json.loads(alert.encode()) for alert in analysis.alerts]
        typer.echo(json.dumps({"report": document, "files": files, "not_read": not_read, "alerts": alerts}))
    else:
        typer.echo("\n".join(_summary(document, analysis, written.report_html, len(written.overlays))))
    if lost:
        raise typer.Exit(3)


def _summary(document: dict[str, Any], analysis: Any, page: Path, overlays: int) -> list[str]:
    from sonovan.reports.alerts import alert_line
    from sonovan.reports.document import in_order
    from sonovan.reports.words import UNCONFIRMED, counted, frames_seen, predicted_dice, reasons, refused_panel, size

    shown = analysis.screening
    regions, frames = counted(len(shown.findings), "outlined region"), counted(len(analysis.frames), "frame")
    assessable = sum(frame.assessable for frame in analysis.frames)
    lines = [
        document["notice"],
        f"{shown.status}: {frames}, {assessable} assessable, {regions}",
    ]
    for row in shown.adequacy:
        side = f"{row.laterality} " if row.laterality else ""
        why = f" ({reasons(row)})" if row.reasons else ""
        lines.append(f"  {side}{row.organ}: {row.level}{why}")
    lines += [f"  {refused_panel(found)}" for found in shown.refused_panels]
    for number, finding in enumerate(in_order(shown.findings), start=1):
        for sighting in finding.sightings:
            outline = predicted_dice(sighting.predicted_dice) + (f", {UNCONFIRMED}" if sighting.unconfirmed else "")
            seen = f"{frames_seen(sighting)}, {size(sighting)}, score {sighting.score_mean:.2f}"
            lines.append(f"  {number}. {seen}, outline: {outline}")
    if not shown.findings:
        lines.append("  No region was outlined. This is not a negative result.")
    lines += [f"  alert {alert_line(alert)}" for alert in analysis.alerts]
    lines += [
        f"report: {page}",
        f"overlays: {overlays} in {page.parent / 'overlays'}" if overlays else "overlays: none",
    ]
    return lines


class _Progress:
    """A bar on stderr where a person watches."""

    def __init__(self, sources: Sequence[Any]) -> None:
        counts = [source.frame_count for source in sources]
        self._total = sum(counts) if all(count is not None for count in counts) else None

    def __enter__(self) -> "_Progress":
        from tqdm import tqdm

        self._bar = tqdm(total=self._total, unit="frame", file=sys.stderr, disable=not sys.stderr.isatty())
        return self

    def step(self, frames: int) -> None:
        self._bar.update(frames)

    def __exit__(self, *_: object) -> None:
        self._bar.close()
