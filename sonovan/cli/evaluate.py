"""`sonovan models evaluate` and `compare`: how well networks do on folders of pictures whose truth is known."""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from sonovan.cli.failures import Exit
from sonovan.cli.topics import JsonOption
from sonovan.contracts.errors import Fatal, Transient
from sonovan.models.errors import ModelError
from sonovan.models.registry import WEIGHTS_DIR, read_registry
from sonovan.models.settings import read_settings

if TYPE_CHECKING:
    from sonovan.models.evaluation.index import Row
    from sonovan.models.segmenter import Segmenter

Split = Literal["test", "validation", "train"]

DATA = "folder with an index.csv, or folder of such folders"
ORGAN = "breast or thyroid, for every picture [default: the column organ]"
DataOption = Annotated[Path, typer.Option("--data", help=DATA)]
SplitOption = Annotated[Split | None, typer.Option("--split", help="by the folder's name and groups [default: all]")]
OrganOption = Annotated[str | None, typer.Option("--organ", help=ORGAN)]
LimitOption = Annotated[int | None, typer.Option("--limit", min=1, help="at most so many pictures of each set")]
WeightsOption = Annotated[Path | None, typer.Option("--weights-dir", help="folder with registry.json and the weights")]
ModelOption = Annotated[str | None, typer.Option(help="a network of the registry [default: its first]")]


def evaluate(
    data: DataOption,
    split: SplitOption = None,
    model: ModelOption = None,
    organ: OrganOption = None,
    limit: LimitOption = None,
    out: Annotated[
        Path | None, typer.Option(help="folder for index.html with the worst pictures, and the JSON")
    ] = None,
    weights_dir: WeightsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Measure a network on pictures with masks: Dice, IoU, sensitivity, AUC, each with its interval.

    The index.csv has the columns id and image, and where they are known label, mask, group and organ. A label `normal`
    or an empty mask means that there is nothing to find. Its page shows the pictures: keep it where the data may be
    kept.
    """
    from sonovan.models.evaluation.page import page, section
    from sonovan.models.evaluation.score import evaluate as score_pictures
    from sonovan.models.evaluation.summary import summary
    from sonovan.models.evaluation.table import HEADER, cells
    from sonovan.outputs import make_folder

    with told_in_one_line():
        sets = _read(data, split, organ, limit)
        segmenter = _load(model, weights_dir, sets)
        if out is not None:
            make_folder(out)
        told, sections = [], []
        for rows in sets:
            with progress(rows[0].set, len(rows), "pictures") as step:
                scores = score_pictures(segmenter, rows, step)
            told.append(summary(segmenter, scores, split))
            if out is not None:
                sections.append(section(segmenter, scores, told[-1]))
    document = told if len(told) > 1 or not _is_set(data) else told[0]
    if out is not None:
        _write(out / "evaluation.json", json.dumps(document, indent=1, ensure_ascii=False) + "\n")
        _write(out / "index.html", page(sections))
    if as_json:
        typer.echo(json.dumps(document, indent=1, ensure_ascii=False))
        return
    _print_table(HEADER, [cells(one["set"], one) for one in told])
    first = told[0]
    named = f"{first['model']} {first['weights_sha256'][:12]}, fingerprint {first['fingerprint'][:12]}"
    typer.echo(f"{named}, on {first['provider']}, {_speeds(told)}")
    if out is not None:
        typer.echo(f"page: {out / 'index.html'}")


def compare(
    first: Annotated[str, typer.Argument(metavar="A", help="a network of the registry")],
    second: Annotated[str, typer.Argument(metavar="B", help="another one")],
    data: DataOption,
    split: SplitOption = None,
    organ: OrganOption = None,
    limit: LimitOption = None,
    weights_dir: WeightsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Two networks on the same pictures: the paired difference of Dice (B minus A), and where they disagree most."""
    from sonovan.models.evaluation.compare import compare as compare_networks
    from sonovan.models.evaluation.compare import difference
    from sonovan.models.evaluation.table import mean_ci95, shown

    with told_in_one_line():
        sets = _read(data, split, organ, limit)
        a, b = (_load(name, weights_dir, sets, named_by="") for name in (first, second))
        told = []
        for rows in sets:
            with progress(rows[0].set, len(rows), "pictures") as step:
                told.append(difference(a, b, compare_networks(a, b, rows, step), split))
    if as_json:
        document = told if len(told) > 1 or not _is_set(data) else told[0]
        typer.echo(json.dumps(document, indent=1, ensure_ascii=False))
        return
    header = ("set", "pictures (groups)", f"Dice {first}", f"Dice {second}", "difference (95 %)", "better", "worse")
    lines = []
    for one in told:
        gain = one["difference"]
        line = [one["set"], f"{one['n']} ({one['groups'] or '?'})"]
        line += [shown(one["a"]["lesion_dice"]), shown(one["b"]["lesion_dice"]), mean_ci95(gain)]
        lines.append([*line, *(str(gain[name]) if gain else "–" for name in ("better", "worse"))])
    _print_table(header, lines)
    for one in told:
        typer.echo(f"{one['set']}: least alike {', '.join(_named(each) for each in one['disagree'][:5])}")


def check_name(model: str | None, folder: Path, named_by: str = "--model: ") -> None:
    """A name that the registry does not know is a slip of the user's, not a network that cannot be trusted."""
    names = [entry.id for entry in read_registry(folder).models]
    if model is not None and model not in names:
        raise typer.BadParameter(f"{named_by}no network is called {model}; the registry names: {', '.join(names)}")


@contextmanager
def told_in_one_line() -> Iterator[None]:
    """Data that cannot be used, and a network that cannot be trusted, end the command with one line."""
    from sonovan.models.evaluation.index import UnusableData

    try:
        yield
    except UnusableData as error:
        typer.echo(f"sonovan: {' '.join(str(error).split())}", err=True)
        raise typer.Exit(Exit.USAGE) from None
    except ModelError as error:
        raise Fatal(str(error)) from None


def _is_set(data: Path) -> bool:
    from sonovan.models.evaluation.index import INDEX

    return (data / INDEX).is_file()


def _read(data: Path, split: Split | None, organ: str | None, limit: int | None) -> "list[list[Row]]":
    """The rows of each set, all of them checked before the first picture is looked at.

    Among several folders, those of the public sets have the organ that everybody knows them to show. One that shows
    foreign anatomy alone and declares no organ is left out with a line on stderr: it has no lesion to measure.
    """
    from sonovan.models.evaluation.index import SETS, folders_of, read_folder, spread

    alone = _is_set(data)
    sets = []
    for folder in folders_of(data):
        rows = read_folder(folder, split, organ=organ, otherwise=None if alone else SETS.get(folder.name))
        if not alone and all(row.label == "foreign" and not row.organ for row in rows):
            told = "foreign anatomy, no organ is declared: left out; --organ declares it as one"
            typer.echo(f"sonovan: {folder.name}: {told}", err=True)
        else:
            sets.append(spread(rows, limit))
    return sets


def _load(
    model: str | None, weights_dir: Path | None, sets: "Sequence[Sequence[Row]]", named_by: str = "--model: "
) -> "Segmenter":
    """The network, which knows the organ of every row."""
    from sonovan.models import load
    from sonovan.models.evaluation.index import UnusableData

    folder = weights_dir or read_settings().weights_dir or WEIGHTS_DIR
    check_name(model, folder, named_by)
    entry = read_registry(folder).entry(model)
    for rows in sets:
        for row in rows:
            if not row.organ:
                remedy = "say --organ breast or --organ thyroid, or give index.csv a column organ"
                raise UnusableData(f"{row.set}: no organ is known; {remedy}")
            if row.organ not in entry.organs:
                raise UnusableData(
                    f"{row.set}: {entry.id} knows {', '.join(entry.organs)}, not the organ {row.organ!r}"
                )
    return load(model, weights_dir=folder)


@contextmanager
def progress(name: str, total: int | None, of: str) -> Iterator[Callable[[], None]]:
    """A bar on a terminal's stderr, else one line there. of: what is counted, in words.

    total: None where nobody knows.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        typer.echo(f"{name}: {of if total is None else f'{total} {of}'}", err=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(name, total=total)
        yield lambda: bar.advance(task)


def _print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(*header)
    for row in rows:
        table.add_row(*row)
    # Into a pipe or file the table keeps its whole width: whoever reads it there has no edge to wrap at.
    Console(width=None if sys.stdout.isatty() else 240, markup=False, highlight=False).print(table)


def _speeds(told: Sequence[dict[str, Any]]) -> str:
    return ", ".join(f"{one['set']} {one['ms_per_image']:.1f} ms" for one in told) + " a picture"


def _named(each: dict[str, Any]) -> str:
    from sonovan.models.evaluation.table import shown

    dice = "" if each["dice_a"] is None else f", Dice {shown(each['dice_a'])} and {shown(each['dice_b'])}"
    return f"{each['id']} (alike {shown(each['agreement'])}{dice})"


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Transient(f"{path}: cannot be written ({error.strerror}); make room and try again") from None
