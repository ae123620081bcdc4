"""BUS-UCLM: `images/ANFO_000.png`, `masks/ANFO_000.png` in colour, and `INFO.csv` with semicolons.

The first four letters of a name mark the woman. In a mask green is a benign lesion, red a malignant one, black neither.
Source: Vallez et al., Scientific Data 12 (2025), doi 10.1038/s41597-025-04562-3.
"""

from functools import partial
from pathlib import Path
from typing import Final

import numpy as np

from sonovan.models.evaluation.index import UnusableData
from sonovan.models.evaluation.pictures import read_picture
from sonovan.models.public_sets.found import Found, Layout, LeftOut, Mask, folder_within, pictures_in
from sonovan.models.public_sets.sheet import read_table

TABLE: Final = "INFO.csv"
BRIGHT: Final = 128
"""A channel counts as lit from here on: masks that were saved with loss have soft edges."""


def find(top: Path) -> Layout:
    """Every picture with a mask, and what the table says of it: Doppler, burned-in marks, two views in one picture."""
    folder = folder_within(top, "images", "masks")
    path = folder / TABLE
    table = {row["Image"]: row for row in read_table(path, ("Image", "Label"))} if path.is_file() else None
    found: list[Found] = []
    left_out: list[LeftOut] = []
    masks = {path.stem: path for path in pictures_in(folder / "masks")}
    for picture in pictures_in(folder / "images"):
        name, mask = f"images/{picture.name}", masks.pop(picture.stem, None)
        row = table.get(picture.name) if table is not None else {}
        if mask is None:
            left_out.append(LeftOut(name, "no_mask", f"there is no masks/{picture.name}"))
        elif row is None:
            left_out.append(LeftOut(name, "not_in_table", f"{TABLE} has no row of it"))
        else:
            about = {column.lower(): row.get(column, "").lower() for column in ("Doppler", "Marks", "Combined")}
            label = row.get("Label", "").lower() or _label(mask)
            drawn = (partial(lesions, mask),)
            found.append(Found(picture.stem, name, picture, label, picture.stem[:4], drawn, (), about))
    left_out += [
        LeftOut(f"masks/{mask.name}", "no_picture", "images/ has no picture of this name") for mask in masks.values()
    ]
    return Layout(tuple(found), tuple(left_out))


def lesions(path: Path, size: tuple[int, int]) -> Mask:
    """(rows, columns) bool: where the mask is green or red.

    Raises UnusableData for a mask of another size than its picture, and for one with a colour that means nothing.
    """
    green, red = _colours(path)
    if green.shape != size:
        found = f"{green.shape[1]}×{green.shape[0]}"
        raise UnusableData(f"the mask has {found} pixels, its picture {size[1]}×{size[0]}")
    return green | red


def _label(path: Path) -> str:
    """What the colours say; empty where the mask cannot be read, which `lesions` tells of."""
    try:
        green, red = _colours(path)
    except UnusableData:
        return ""
    return "malignant" if red.any() else "benign" if green.any() else "normal"


def _colours(path: Path) -> tuple[Mask, Mask]:
    pixels = read_picture(path)
    if pixels.ndim != 3 or pixels.dtype != np.uint8:
        if not pixels.any():  # a mask without any lesion may have been saved as grey
            return np.zeros(pixels.shape[:2], np.bool_), np.zeros(pixels.shape[:2], np.bool_)
        raise UnusableData("the mask has no colours, so whether its lesion is benign is not to be told")
    lit = pixels >= BRIGHT
    green, red = lit[..., 1] & ~lit[..., 0] & ~lit[..., 2], lit[..., 0] & ~lit[..., 1] & ~lit[..., 2]
    if (lit.any(2) & ~green & ~red).any():
        raise UnusableData("the mask has a colour that is neither red nor green")
    return green, red
