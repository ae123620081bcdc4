"""`sonovan labels`: how well readers agree, and what they agree on."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sonovan.cli.failures import Exit
from sonovan.cli.topics import JsonOption, kafka_settings
from sonovan.cli.up import StateOption, format_table

if TYPE_CHECKING:
    from sonovan.models.labels.agreement import Agreement
    from sonovan.models.labels.kappa import Kappa
    from sonovan.models.labels.readings import Reading

app = typer.Typer(help="Masks of several readers: agree.", no_args_is_help=True, rich_markup_mode=None)

FolderArgument = Annotated[
    Path | None,
    typer.Argument(metavar="[DIR]", help="READER/PICTURE.png, and words.csv and groups.csv where they are."),
]


@app.callback()
def _group() -> None:
    """Masks of several readers."""


@app.command()
def agree(
    folder: FolderArgument = None,
    reviews: Annotated[bool, typer.Option("--reviews", help="The centre's reviews instead of a folder.")] = False,
    every: Annotated[
        bool, typer.Option("--all", help="Of the reviews also those whose reader had seen the machine's mask.")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="Folder for the consensus masks and agreement.json.")] = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> int:
    """Measure each reader against the consensus of the others (STAPLE), and kappa on words; list readings that stand
    out.

    Intervals are of 95 % and draw whole groups: women, or screenings. A reading that stands out is one to look at, not
    one that is wrong.
    """
    from sonovan.labels import document, write_agreement
    from sonovan.models.labels.agreement import agreement
    from sonovan.outputs import make_folder

    if (folder is None) == (not reviews):
        raise typer.BadParameter("name a folder of readers' masks, or say --reviews")
    if out is not None and out.exists():
        raise typer.BadParameter(f"{out} is there already; move it away, or name another --out")
    told = agreement(_of_centre(state, every) if folder is None else _of_folder(folder))
    if not told.consensus:
        raise typer.BadParameter("no picture has been read by two readers, so there is nothing to compare")
    if out is not None:
        make_folder(out)
        write_agreement(told, out)
    if as_json:
        sys.stdout.write(json.dumps(document(told), indent=1, ensure_ascii=False) + "\n")
    else:
        _print(told)
    return int(Exit.DONE)


def _of_folder(folder: Path) -> "list[Reading]":
    from sonovan.cli.evaluate import told_in_one_line
    from sonovan.models.labels.readings import read_readings

    with told_in_one_line():
        return read_readings(folder)


def _of_centre(state: Path | None, every: bool) -> "list[Reading]":
    from sonovan.cli.rejected import object_store
    from sonovan.contracts.reviews import FrameReviewed
    from sonovan.contracts.topics import Topic
    from sonovan.labels import readings_of
    from sonovan.storage.minio_store import MinioStore
    from sonovan.transport.tail import read_all

    records = [message.readable() for message in read_all(kafka_settings(state, "reader"), Topic.FRAME_REVIEWED)]
    found = [record for record in records if isinstance(record, FrameReviewed)]
    return readings_of(found, MinioStore(object_store(state, "reader")), blind=not every)


def _print(told: "Agreement") -> None:
    rows: list[dict[str, object]] = [
        {
            "reader": each.reader,
            "pictures": each.pictures,
            "Dice (95 %)": _shown(each.dice, each.ci95),
            "both empty": each.both_empty,
            "drew nothing": each.drew_nothing,
            "drew alone": each.drew_alone,
        }
        for each in told.readers
    ]
    sys.stdout.write(format_table(rows))
    words: list[dict[str, object]] = []
    for term in told.words:
        words += [_kappa(term.term, " and ".join(names), pair) for names, pair in term.pairs.items()]
        words += [_kappa(term.term, "all", term.all)] if term.all is not None else []
    if words:
        sys.stdout.write("\n" + format_table(words))
    for outlier in told.outliers:
        told_why = outlier.reason.replace("_", " ")
        sys.stdout.write(f"look at {outlier.picture} of {outlier.reader}: {told_why} (Dice {outlier.dice:.2f})\n")


def _kappa(term: str, readers: str, kappa: "Kappa") -> dict[str, object]:
    agreed = "–" if kappa.agreement is None else f"{kappa.agreement:.2f}"
    return {
        "term": term,
        "readers": readers,
        "pictures": kappa.n,
        "agreed": agreed,
        "kappa (95 %)": _shown(kappa.kappa, kappa.ci95),
    }


def _shown(value: float | None, ci95: list[float] | None) -> str:
    if value is None:
        return "–"
    return f"{value:.3f}" + (f" ({ci95[0]:.3f} to {ci95[1]:.3f})" if ci95 else "")
