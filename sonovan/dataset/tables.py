"""The rows of an export, as Parquet and as the index that evaluation and training read."""

import csv
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from sonovan.clinical.conclusions import counting
from sonovan.contracts.conclusions import ScreeningConcluded, SideConcluded


@dataclass(frozen=True, slots=True)
class PictureRow:
    """One picture. mask_by: `readers` or `machine`; mask: None where nothing is outlined. machine_dice: of the
    machine's mask with the readers'. label: `normal` where readers outline nothing, None where nobody says what it
    shows.
    """

    id: str
    woman: str
    visit: str
    sweep: str
    frame_number: int
    organ: str
    laterality: str | None
    view: str | None
    mode: str
    rows: int
    columns: int
    image: str
    mask: str | None
    mask_by: str
    readers: tuple[str, ...]
    label: str | None
    machine_mask: str | None
    machine_dice: float | None
    machine_iou: float | None
    quality: float
    assessable: bool
    model: str
    age_band: str
    site: str
    time: str
    split: str


@dataclass(frozen=True, slots=True)
class VisitRow:
    """One screening of a woman. number: which of her exported ones it is. time: by dates that were shifted.

    concluded: each side of the conclusion that counted, in codes (`breast.left BI-RADS:4A tissue_diagnosis`).
    outcomes: what became of her (`sonovan.storage.dataset_rows`).
    """

    visit: str
    woman: str
    number: int
    age_band: str
    site: str
    time: str
    split: str
    concluded: tuple[str, ...] = ()
    outcomes: tuple[str, ...] = ()


def concluded_in_codes(conclusions: Sequence[ScreeningConcluded]) -> tuple[str, ...]:
    """Each side of the conclusion that counts; none where nobody signed."""
    counts = counting(conclusions)
    return () if counts is None else tuple(map(_side, counts.sides))


def _side(side: SideConcluded) -> str:
    values = [f"{each.scheme}:{each.value}" for each in side.categories]
    months = [f"{side.recommended.months}m"] if side.recommended.months else []
    return " ".join([f"{side.organ}.{side.laterality or 'none'}", *values, side.recommended.action, *months])


_KINDS: Final[dict[str, Any]] = {
    "int": pa.int32(),
    "float": pa.float64(),
    "bool": pa.bool_(),
    "str": pa.string(),
    "tuple": pa.list_(pa.string()),
}
INDEX: Final = (
    "id", "label", "image", "mask", "group", "organ", "split", "laterality", "visit", "sweep", "readers", "age_band",
    "site", "time",
)  # fmt: skip


def write_parquet(rows: Sequence[PictureRow] | Sequence[VisitRow], path: Path) -> None:
    """One column for each field, in their order; equal rows give equal bytes under one version of pyarrow."""
    kind = type(rows[0])
    schema = pa.schema([(field.name, _kind(str(field.type))) for field in fields(kind)])
    columns = {field.name: [getattr(row, field.name) for row in rows] for field in fields(kind)}
    pq.write_table(pa.table(columns, schema=schema), path, compression="zstd")


def write_index(pictures: Sequence[PictureRow], path: Path) -> None:
    """index.csv: the pictures on which readers drew, for these alone have a truth to measure or train with."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, INDEX, restval="", extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        for row in pictures:
            if row.mask_by == "readers":
                cells = asdict(row) | {"group": row.woman, "readers": str(len(row.readers))}
                writer.writerow({name: "" if cell is None else cell for name, cell in cells.items()})


def _kind(annotation: str) -> Any:
    for name, kind in _KINDS.items():
        if annotation.startswith((name, f"<class '{name}'")):
            return kind
    raise TypeError(f"no column is of the kind {annotation}")
