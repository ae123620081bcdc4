"""`sonovan screen`: the whole path in this process, no services."""

import json
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

if TYPE_CHECKING:
    from sonovan.contracts.errors import InvalidRecord
    from sonovan.producers.sources import Inputs

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
    plan: Annotated[
        list[str] | None,
        typer.Option(
            help="what was to be scanned: left, right or isthmus, or SIDE:REGION; repeat [default: both sides]"
        ),
    ] = None,
    view: Annotated[str | None, typer.Option(help="a code, such as transverse")] = None,
    position: Annotated[str | None, typer.Option(help="a code, such as 10h")] = None,
    nipple_distance_mm: Annotated[float | None, typer.Option(help="from the nipple to the probe's middle")] = None,
    pixel_spacing_mm: Annotated[float | None, typer.Option(help="where the input has no scale of its own")] = None,
    features: Annotated[Path | None, typer.Option(help="the clinical record, JSON or CSV")] = None,
    out: Annotated[Path | None, typer.Option(help="folder to write to [default: screening-ID]")] = None,
    model: Annotated[str | None, typer.Option(help="a network of the registry")] = None,
    language: Annotated[Literal["en", "zh"], typer.Option(help="of the page and the summary")] = "en",
    despeckled: Annotated[
        bool, typer.Option("--despeckled", help="key frames and overlays with less speckle; each says so")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON document on stdout, nothing else")] = False,
) -> None:
    """Screen files on this machine: report, masks and overlays in a folder. Unsigned: never a result."""
    from sonovan.analysis import analysis_of, anonymous_visit, here_only, load_segmenter, not_read_of
    from sonovan.cli.evaluate import check_name
    from sonovan.contracts.settings import read_settings
    from sonovan.embedded import screen as run
    from sonovan.models.registry import WEIGHTS_DIR
    from sonovan.models.settings import read_settings as models_settings
    from sonovan.outputs import make_folder, write_outputs
    from sonovan.producers.features import read_features
    from sonovan.producers.items import mint_ids
    from sonovan.producers.plan import planned_regions
    from sonovan.producers.sources import capture_options, open_sources
    from sonovan.settings import FaceSettings
    from sonovan.storage.folder_store import FolderStore

    if model is not None:
        check_name(model, models_settings().weights_dir or WEIGHTS_DIR)
    options = capture_options(
        organ=organ,
        side=side,
        view=view,
        position=position,
        nipple_distance_mm=nipple_distance_mm,
        pixel_spacing_mm=pixel_spacing_mm,
    )
    fields = read_features(features) if features is not None else None
    use = read_settings(FaceSettings).intended_use
    inputs = open_sources(paths, options)
    for refused in inputs.refused:
        typer.echo(str(refused), err=True)
    held = [line for source in inputs.sources if (line := here_only(source))]
    for line in [*inputs.notices(), *(f"warning: {line}" for line in held)]:
        typer.echo(line, err=True)
    if not inputs.sources:
        raise _nothing_read(as_json, inputs, inputs.refused)
    planned = planned_regions(plan, [source.organ for source in inputs.sources])
    ids = mint_ids(len(inputs.sources))
    folder = out or Path(f"screening-{ids.screening_id}")
    segmenter = load_segmenter(model)
    make_folder(folder)
    with tempfile.TemporaryDirectory(prefix="sonovan-") as scratch, _Progress(inputs.sources) as progress:
        store = FolderStore(Path(scratch))
        screened = run(
            inputs.sources,
            anonymous_visit(fields, planned),
            segmenter=segmenter,
            store=store,
            intended_use=use,
            ids=ids,
            progress=progress.step,
            language=language,
            despeckled=despeckled,
        )
        for refused in not_read_of(screened.composed):
            typer.echo(str(refused), err=True)
        if screened.last is None:
            raise _nothing_read(as_json, inputs, [*inputs.refused, *not_read_of(screened.composed)])
        analysis = analysis_of(screened, inputs.refused, store, use)
        written = write_outputs(screened.last, analysis.frames, store, folder, language, despeckled=despeckled)
    document = json.loads(written.report_json.read_text())
    lost = bool(analysis.refused or analysis.rejected)
    if as_json:
        files = {
            "html": str(written.report_html),
            "json": str(written.report_json),
            "masks": [str(path) for path in written.masks],
            "overlays": [str(path) for path in written.overlays],
        }
        not_read = _refusals(analysis.refused)
        not_read += [{"reason": each.reason, "message": each.frame_id or each.topic} for each in analysis.rejected]
        alerts = [json.loads(alert.encode()) for alert in analysis.alerts]
        typer.echo(
            json.dumps(
                {
                    "report": document,
                    "files": files,
                    "not_read": not_read,
                    "alerts": alerts,
                    "warnings": [*inputs.warned, *held],
                    "left_out": inputs.skipped,
                }
            )
        )
    else:
        typer.echo("\n".join(_summary(language, analysis, written.report_html, len(written.overlays))))
    if lost:
        raise typer.Exit(3)


def _refusals(refused: Iterable["InvalidRecord"]) -> list[dict[str, str]]:
    return [{"reason": error.reason, "message": error.message} for error in refused]


def _nothing_read(as_json: bool, inputs: "Inputs", refused: Iterable["InvalidRecord"]) -> typer.Exit:
    """How the command ends where no frame could be read; with `--json` the reasons stand beside no report."""
    if as_json:
        document = {"report": None, "files": None, "not_read": _refusals(refused), "alerts": []}
        typer.echo(json.dumps({**document, "warnings": list(inputs.warned), "left_out": inputs.skipped}))
    return typer.Exit(2)


def _summary(language: Literal["en", "zh"], analysis: Any, page: Path, overlays: int) -> list[str]:
    from sonovan.clinical.advice import READER_MUST_REVIEW
    from sonovan.reports.alerts import alert_line
    from sonovan.reports.document import unsigned_notice
    from sonovan.reports.words import Words

    words = Words(language)
    shown = analysis.screening
    assessable = sum(frame.assessable for frame in analysis.frames)
    frames, regions = words.counted(len(analysis.frames), "frame"), words.counted(len(shown.findings), "region")
    counts = words.text("summary", frames=frames, assessable=assessable, regions=regions)
    lines = [unsigned_notice(words), words.status(shown.status), counts]
    for row in shown.adequacy:
        why = words.text("brackets", text=words.reasons(row)) if row.reasons else ""
        place = words.place(row.organ, row.laterality, row.region)
        lines.append(f"  {place}{words.text('colon')}{words.level(row.level)}{why}")
    lines += [f"  {words.refused_panel(found)}" for found in shown.refused_panels]
    for number, finding in enumerate(shown.findings, start=1):
        place = words.place(finding.organ, finding.laterality) + words.text("colon")
        lines += [f"  {number}. {place}{_sighting(words, sighting)}" for sighting in finding.in_order]
        if malignancy := words.malignant(finding):
            lines.append(f"     {words.text('suspicion')}{words.text('colon')}{malignancy}")
    if not shown.findings:
        lines.append(f"  {words.nothing_outlined(shown.adequacy)}")
    numbers = {finding.finding_id: number for number, finding in enumerate(shown.findings, start=1)}
    for alert in analysis.alerts:
        own = numbers.get(getattr(alert.about, "finding_id", ""))
        lines.append("  " + words.text("alert", text=alert_line(alert, language, own)))
    lines += [f"  {words.advice(each, shown.findings)}" for each in shown.advice if each.rule != READER_MUST_REVIEW]
    lines.append(words.text("report", path=page))
    where = page.parent / "overlays"
    lines.append(words.text("overlays", count=overlays, path=where) if overlays else words.text("no_overlays"))
    return lines


def _sighting(words: Any, sighting: Any) -> str:
    outline = words.predicted_dice(sighting.predicted_dice)
    if sighting.unconfirmed:
        outline += words.text("comma") + words.text("unconfirmed")
    seen, size = words.frames_seen(sighting), words.size(sighting)
    return str(words.text("summary_finding", seen=seen, size=size, score=sighting.score_mean, outline=outline))


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
