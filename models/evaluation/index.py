"""Folders of pictures with an index.csv: which rows there are, which split each belongs to, what is wrong with them.

Columns: `id` and `image` are needed; `label`, `mask`, `group`, `organ`, `split` and any others are read where they are.
Splits are those of every network and benchmark of this project: a function of set and group alone, so that no woman and
no sweep ever stands on both sides.
"""

import csv
import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from sonovan.models.errors import ModelError

Split = Literal["train", "validation", "test"]

SETS: Final[dict[str, str]] = {
    "busi": "breast",
    "busbra": "breast",
    "breast": "breast",
    "ddti": "thyroid",
    "gland": "thyroid",
}
"""The organ of each public set that networks of this project are trained with."""
FOREIGN: Final = "other"
"""The public set of what the same probe sees elsewhere: neither organ, nothing to outline, split like every set."""
GLAND: Final[dict[str, Split]] = {"block1": "test", "block9": "test", "block5": "validation"}
INDEX: Final = "index.csv"


class UnusableData(ModelError):
    """A folder cannot be evaluated as it is. One line that names the row, the file and what to do."""


@dataclass(frozen=True)
class Row:
    """One line of an index.csv.

    set: name of its folder. group: a woman, near-duplicates or a sweep; empty where nobody says.
    label: lower case, `normal` or `foreign` where there is nothing to find; empty where nobody says.
    mask: None where none is named. organ: empty where neither caller nor column says. about: all cells, by column.
    """

    set: str
    id: str
    group: str
    label: str
    image: Path
    mask: Path | None
    organ: str
    about: Mapping[str, str]


def split_of(set_name: str, group: str) -> Split:
    """The split of a group: a tenth for test, a tenth for validation, the rest for training."""
    if set_name == "gland":  # twelve blocks of one origin: a hash would leave a split empty
        return GLAND.get(group, "train")
    bucket = int(hashlib.sha256(f"{set_name}/{group}".encode()).hexdigest(), 16) % 10
    return "test" if bucket == 0 else "validation" if bucket == 1 else "train"


def folders_of(data: Path) -> list[Path]:
    """`data` itself where it has an index.csv, else its folders that have one, this project's public sets first.

    Raises UnusableData where there is none.
    """
    if (data / INDEX).is_file():
        return [data]
    if not data.is_dir():
        raise UnusableData(f"{data} is no folder; name one with an {INDEX}")
    found = [folder for folder in sorted(data.iterdir()) if (folder / INDEX).is_file()]
    if not found:
        raise UnusableData(f"{data} holds no {INDEX}, and no folder in it does")
    known = list(SETS)
    return sorted(found, key=lambda folder: known.index(folder.name) if folder.name in known else len(known))


def read_folder(
    folder: Path, split: Split | None = None, *, organ: str | None = None, otherwise: str | None = None
) -> list[Row]:
    """Rows in file order, each with files that exist; the whole folder is checked, whatever `split` asks for.

    split: that of `split_of` with the folder's own name; a column `split` is only checked, never followed.
    organ: of every row; else the column `organ` says it, else it is `otherwise`.
    Raises UnusableData: no index.csv, no column `id` or `image`, doubled ids, a named file that is absent, a group in
    two splits, no row to be had.
    """
    path = folder / INDEX
    name = Path(os.path.abspath(folder)).name  # a path may end in `.` or `..`; a link keeps the name it is called by
    rows = [_row(folder, name, line, organ, otherwise) for line in _lines(path)]
    _check_ids(path, rows)
    _check_splits(path, rows)
    for row in rows:
        for column, file in (("image", row.image), ("mask", row.mask)):
            if file is not None and not file.is_file():
                raise UnusableData(f"{path}: row {row.id} names the {column} {file}, which is not there")
    if split is not None:
        for row in rows:
            if not row.group:
                raise UnusableData(f"{path}: row {row.id} has no group, so it belongs to no split; leave --split away")
        rows = [row for row in rows if split_of(name, row.group) == split]
    if not rows:
        raise UnusableData(f"{path} has no row" + (f" of the split {split}" if split else ""))
    return rows


def read_rows(data: Path, set_name: str, split: Split | None = None) -> list[Row]:
    """Rows of one of the public sets, in file order. Raises UnusableData as `read_folder` does."""
    return read_folder(data / set_name, split, otherwise=SETS.get(set_name))


def spread(rows: list[Row], limit: int | None) -> list[Row]:
    """At most `limit` rows, evenly spaced over the file: its first ones are often all of one kind."""
    if limit is None or limit >= len(rows):
        return rows
    return [rows[number * len(rows) // limit] for number in range(limit)]


def _lines(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, restkey="", restval="")
            missing = [column for column in ("id", "image") if column not in (reader.fieldnames or ())]
            if missing:
                raise UnusableData(f"{path} has no column {' and no column '.join(missing)}")
            return [{column: cell.strip() for column, cell in line.items() if column} for line in reader]
    except OSError as error:
        raise UnusableData(f"{path} cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise UnusableData(f"{path} is no CSV file in UTF-8: {error}") from None


def _row(folder: Path, name: str, line: dict[str, str], organ: str | None, otherwise: str | None) -> Row:
    if not line["id"] or not line["image"]:
        raise UnusableData(f"{folder / INDEX}: row {line['id'] or line} has no {'image' if line['id'] else 'id'}")
    mask = folder / line["mask"] if line.get("mask") else None
    said = (organ or line.get("organ", "") or otherwise or "").lower()
    label = line.get("label", "").lower()
    return Row(name, line["id"], line.get("group", ""), label, folder / line["image"], mask, said, line)


def _check_ids(path: Path, rows: Iterable[Row]) -> None:
    seen: set[str] = set()
    for row in rows:
        if row.id in seen:
            raise UnusableData(f"{path}: two rows have the id {row.id}; every picture needs its own")
        seen.add(row.id)


def _check_splits(path: Path, rows: Iterable[Row]) -> None:
    first: dict[str, Row] = {}
    for row in rows:
        split = row.about.get("split", "")
        if not split or not row.group:
            continue
        other = first.setdefault(row.group, row)
        if other.about["split"] != split:
            told = f"{other.about['split']} (row {other.id}) and {split} (row {row.id})"
            raise UnusableData(f"{path}: the group {row.group} stands in two splits, {told}; a split divides no group")
