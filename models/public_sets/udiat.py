"""UDIAT's Dataset B: `original/000001.png`, `GT/000001.png`, and `DatasetB.xlsx` with `Image` and `Type`.

Copies without the table have a folder of each class: `Benign/` with `Benign_mask/`, and `Malignant/` with
`Malignant_mask/`. The set names no patients. Source: Yap et al., IEEE Journal of Biomedical and Health Informatics
22:1218 (2018).
"""

from functools import partial
from pathlib import Path
from typing import Final

from sonovan.models.evaluation.index import UnusableData
from sonovan.models.evaluation.pictures import read_mask
from sonovan.models.public_sets.found import Found, Layout, LeftOut, folder_within, pictures_in
from sonovan.models.public_sets.sheet import read_table

TABLE: Final = "DatasetB.xlsx"
CLASSES: Final = ("benign", "malignant")


def find(top: Path) -> Layout:
    """Every picture with a mask, in either layout; without a table or folders of the classes the label is empty."""
    try:
        folder = folder_within(top, "original", "GT")
    except UnusableData:
        return _of_classes(top)
    types = _types(folder)
    found: list[Found] = []
    left_out: list[LeftOut] = []
    masks = {path.stem: path for path in pictures_in(folder / "GT")}
    for picture in pictures_in(folder / "original"):
        name, mask = f"original/{picture.name}", masks.pop(picture.stem, None)
        if mask is None:
            left_out.append(LeftOut(name, "no_mask", f"there is no GT/{picture.name}"))
        elif types is not None and _number(picture.stem) not in types:
            left_out.append(LeftOut(name, "not_in_table", f"{TABLE} has no row of it"))
        else:
            label = types[_number(picture.stem)] if types is not None else ""
            found.append(Found(picture.stem, name, picture, label, "", (partial(read_mask, mask),)))
    left_out += [
        LeftOut(f"GT/{path.name}", "no_picture", "original/ has no picture of this name") for path in masks.values()
    ]
    return Layout(tuple(found), tuple(left_out))


def _types(folder: Path) -> dict[str, str] | None:
    path = folder / TABLE
    if not path.is_file():
        return None
    rows = [{column.lower(): cell for column, cell in row.items()} for row in read_table(path, ())]
    if rows and ("image" not in rows[0] or "type" not in rows[0]):
        raise UnusableData(f"{path} has no column Image, or no column Type")
    return {_number(row["image"]): row["type"].lower() for row in rows}


def _number(name: str) -> str:
    """`000001` and `1` are one picture: a workbook drops the zeros."""
    return name.lstrip("0") if name.isdecimal() else name


def _of_classes(top: Path) -> Layout:
    found: list[Found] = []
    left_out: list[LeftOut] = []
    folders = {path.name.lower(): path for path in top.glob("*/")} if top.is_dir() else {}
    if not all(label in folders and f"{label}_mask" in folders for label in CLASSES):
        raise UnusableData(f"{top} holds neither original and GT nor Benign, Benign_mask, Malignant and Malignant_mask")
    for label in CLASSES:
        masks = {path.stem.removesuffix("_mask"): path for path in pictures_in(folders[f"{label}_mask"])}
        for picture in pictures_in(folders[label]):
            name, mask = f"{folders[label].name}/{picture.name}", masks.pop(picture.stem, None)
            if mask is None:
                left_out.append(LeftOut(name, "no_mask", f"{folders[f'{label}_mask'].name}/ has no mask of this name"))
            else:
                found.append(Found(f"{label}_{picture.stem}", name, picture, label, "", (partial(read_mask, mask),)))
        for path in masks.values():
            told = f"{folders[label].name}/ has no picture of this name"
            left_out.append(LeftOut(f"{folders[f'{label}_mask'].name}/{path.name}", "no_picture", told))
    return Layout(tuple(found), tuple(left_out))
