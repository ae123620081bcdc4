"""What one reader drew on one picture and said of it, and folders that hold such readings."""

import csv
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sonovan.models.evaluation.index import UnusableData
from sonovan.models.evaluation.pictures import read_mask, read_picture

Mask = NDArray[np.bool_]
WORDS: Final = "words.csv"
GROUPS: Final = "groups.csv"


@dataclass(frozen=True)
class Reading:
    """One reader's mask of one picture.

    mask: (rows, columns) bool, all False where the reader saw nothing to outline; all masks of a picture have one
    shape. words: the word chosen for each term. group: a woman or a sweep, for intervals; empty where nobody says.
    """

    picture: str
    reader: str
    mask: Mask
    words: Mapping[str, str] = field(default_factory=dict)
    group: str = ""


def read_readings(folder: Path) -> list[Reading]:
    """`READER/PICTURE.png` for each reading, sorted by picture and reader.

    `words.csv` (reader, picture, term, word) and `groups.csv` (picture, group) are read where they are there. A mask's
    pixels are lesion where they are bright, or 1 in a mask of 0 and 1.
    Raises UnusableData: fewer than two readers, masks of one picture in two sizes, a table that names what is not
    there.
    """
    if not folder.is_dir():
        raise UnusableData(f"{folder} is no folder; it needs one folder for each reader, with their masks as PNG")
    paths = {(path.stem, path.parent.name): path for path in sorted(folder.glob("*/*.png"))}
    if len({reader for _, reader in paths}) < 2:
        raise UnusableData(
            f"{folder} needs a folder of masks for each of at least two readers: {folder}/READER/PICTURE.png"
        )
    words = _words(folder, paths.keys())
    groups = _groups(folder, {picture for picture, _ in paths})
    readings = []
    sizes: dict[str, tuple[int, int]] = {}
    for (picture, reader), path in sorted(paths.items()):
        size = read_picture(path).shape[:2]
        if sizes.setdefault(picture, size) != size:
            told = f"{size[1]}×{size[0]} pixels, another reader's of {picture} {sizes[picture][1]}×{sizes[picture][0]}"
            raise UnusableData(f"{path} has {told}; all masks of a picture have its size")
        mask = read_mask(path, size)
        readings.append(Reading(picture, reader, mask, words.get((picture, reader), {}), groups.get(picture, "")))
    return readings


def _words(folder: Path, known: Collection[tuple[str, str]]) -> dict[tuple[str, str], dict[str, str]]:
    words: dict[tuple[str, str], dict[str, str]] = {}
    for row in _table(folder / WORDS, ("reader", "picture", "term", "word")):
        place = (row["picture"], row["reader"])
        if place not in known:
            raise UnusableData(f"{folder / WORDS} names {row['reader']}/{row['picture']}.png, which is not there")
        words.setdefault(place, {})[row["term"]] = row["word"]
    return words


def _groups(folder: Path, known: Collection[str]) -> dict[str, str]:
    rows = _table(folder / GROUPS, ("picture", "group"))
    for row in rows:
        if row["picture"] not in known:
            raise UnusableData(f"{folder / GROUPS} names the picture {row['picture']}, of which there is no mask")
    return {row["picture"]: row["group"] for row in rows}


def _table(path: Path, columns: tuple[str, ...]) -> list[dict[str, str]]:
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file, restkey="", restval="")
        missing = [column for column in columns if column not in (reader.fieldnames or ())]
        if missing:
            raise UnusableData(f"{path} has no column {' and no column '.join(missing)}")
        return [{column: row[column].strip() for column in columns} for row in reader]
